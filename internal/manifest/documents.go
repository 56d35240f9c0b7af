package manifest

import (
	"bytes"
	"strings"
)

// document is one YAML document of a file.
type document struct {
	text []byte
	line int // the line of the file on which text begins, from 1
}

// documents splits a file at its --- and ... lines. Each document is parsed separately, so that one that cannot be parsed
// does not hide the others, and because the parser's time grows with the square of their number.
func documents(data []byte) []document {
	var docs []document
	current := document{line: 1}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !separates(text) {
			current.text = append(current.text, text...)
			continue
		}
		docs = append(docs, current)
		current = document{line: line}
		// Text after --- on its line belongs to the document; spaces keep its columns.
		if rest, ok := bytes.CutPrefix(text, []byte("---")); ok {
			current.text = append([]byte("   "), rest...)
		} else {
			current.text = []byte("\n")
		}
	}
	return append(docs, current)
}

func separates(line []byte) bool {
	for _, marker := range []string{"---", "..."} {
		if rest, ok := bytes.CutPrefix(line, []byte(marker)); ok && (len(rest) == 0 || strings.ContainsRune(" \t\r\n", rune(rest[0]))) {
			return true
		}
	}
	return false
}

// templated reports whether a document contains the braces of a template that has not been rendered.
func (d document) templated() bool { return bytes.Contains(d.text, []byte("{{")) }

// elsewhere reports whether the document's kind, on its own line, is one that cannot declare certificates. This avoids parsing
// custom resource definitions, which make up most of a platform's manifests.
func (d document) elsewhere() bool {
	if d.templated() {
		return false
	}
	for text := range bytes.Lines(d.text) {
		kind, ok := bytes.CutPrefix(text, []byte("kind:"))
		if !ok {
			continue
		}
		kind, _, _ = bytes.Cut(kind, []byte(" #"))
		name := strings.Trim(string(bytes.TrimSpace(kind)), `"'`)
		return name != "" && !strings.ContainsAny(name, "&*!|>") && !declaresOrLists(name)
	}
	return false
}

func declaresOrLists(kind string) bool { return declares(kind) || strings.HasSuffix(kind, "List") }

// declares reports whether objects of the kind are read.
func declares(kind string) bool {
	switch kind {
	case "Service", "Ingress", "IngressClass", "IngressClassParams":
		return true
	}
	return false
}
