package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
)

// mark is UTF-8's byte order mark, which is not content.
var mark = []byte("\xef\xbb\xbf")

// wrapped is Terraform's JSON at the beginning of a line: in YAML, no text begins there.
var wrapped = regexp.MustCompile(`(?m)^\{\s*"format_version"\s*:`)

// lines returns a file's text with lines that all end in a line feed, and without a byte order mark at its start.
func lines(data []byte) []byte {
	data = bytes.TrimPrefix(data, mark)
	if !bytes.Contains(data, []byte("\r")) {
		return data
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
}

// hiddenSeparator is a document separator behind a carriage return alone, which ends a line in YAML. kubectl splits files at line feeds, and
// reads the first document up to there only.
var hiddenSeparator = regexp.MustCompile(`\r(?:---|\.\.\.)|^---[ \t]*\r[^\n]`)

// reportHidden reports the first of them.
func (r *reader) reportHidden(data []byte) {
	if at := hiddenSeparator.FindIndex(data); at != nil {
		r.errorAt(1+bytes.Count(lines(data[:at[0]+1]), []byte("\n")), 1, "a carriage return alone ends a line here, so kubectl does not see the document separator",
			"save the file with line feeds (LF or CRLF)")
	}
}

// jsonValue is one of the values of a file.
type jsonValue struct {
	text   []byte
	before int // lines of the file
}

// json reads a file of JSON values, one behind the other, as `terragrunt run-all show -json` writes them and kubectl reads them. It
// is false if the file is no such file: what is left to YAML, of which JSON is a part.
func (r *reader) json(data []byte) bool {
	if start := bytes.TrimSpace(data); len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return false
	}
	values, err := jsonValues(data)
	if err != nil {
		return false
	}
	for _, v := range values {
		seen := len(r.diagnostics)
		r.before = v.before
		shown := r.terraform(v.text) || r.pulumi(v.text)
		r.before = 0
		if !shown {
			r.document(document{text: v.text, line: v.before + 1})
		} else if len(r.diagnostics) > seen {
			break // a log of thousands of values is one error
		}
	}
	return true
}

func jsonValues(data []byte) ([]jsonValue, error) {
	var values []jsonValue
	decoder := json.NewDecoder(bytes.NewReader(data))
	line, counted := 0, 0
	for {
		var raw json.RawMessage
		switch err := decoder.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return values, nil
		case err != nil:
			return nil, err
		}
		start := int(decoder.InputOffset()) - len(raw)
		line += bytes.Count(data[counted:start], []byte("\n"))
		counted = start
		values = append(values, jsonValue{raw, line})
	}
}
