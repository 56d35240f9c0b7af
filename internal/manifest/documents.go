package manifest

import (
	"bytes"
	"regexp"
	"strings"
)

// document is one YAML document of a file.
type document struct {
	text  []byte
	line  int // the line of the file on which text begins, from 1
	glued int // the first line that begins with --- and goes on without a space; 0 for none
}

// documents splits a file at its --- and ... lines. Each document is parsed separately, so that one that cannot be parsed
// does not hide the others, and because the parser's time grows with the square of their number. A byte order mark at the start of
// a document is left out (YAML 1.2.2 §5.2).
func documents(data []byte) []document {
	var docs []document
	current := document{line: 1}
	line, begun := 0, false
	for text := range bytes.Lines(data) {
		line++
		if bare, marked := bytes.CutPrefix(text, mark); marked && (!begun || separates(bare)) {
			text = bare
		}
		if !separates(text) {
			begun = begun || len(bytes.TrimSpace(text)) > 0
			if current.glued == 0 && bytes.HasPrefix(text, []byte("---")) {
				current.glued = line
			}
			current.text = append(current.text, text...)
			continue
		}
		docs = append(docs, current)
		current, begun = document{line: line}, false
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

// elsewhere reports whether the document is one object, whose kind and version stand on lines of their own, of a kind that cannot
// declare certificates, and without anything that the net could catch. This avoids parsing custom resource definitions, which make
// up most of a platform's manifests.
func (d document) elsewhere() bool {
	if d.templated() || d.glued > 0 || escaped.Match(d.text) || namesCertificate(string(d.text)) != "" {
		return false
	}
	kinds, versions := 0, 0
	for text := range bytes.Lines(d.text) {
		switch key := topKey.FindSubmatch(text); {
		case key == nil:
		case string(key[1]) == "apiVersion":
			versions++
		case string(key[1]) == "kind":
			kinds++
			if name := string(key[2]); declares(name) || strings.HasSuffix(name, "List") {
				return false
			}
		default: // a list, a key in quotes or one that is merged
			return false
		}
	}
	return kinds == 1 && versions == 1
}

var (
	// escaped are the ways in which YAML and JSON write a character without showing it.
	escaped = regexp.MustCompile(`\\[xuU/\n]`)
	// topKey is a key at the start of a line that decides what a document is, with its value if that is a plain word; or what may
	// hide such a key.
	topKey = regexp.MustCompile(`^(?:(apiVersion|kind):[ \t]+["']?([A-Za-z0-9./-]+)["']?[ \t]*(?:#.*)?\n?$|(apiVersion|kind|items|["'?<{\[&!*]).*)`)
)

// declares reports whether objects of the kind are read.
func declares(kind string) bool {
	switch kind {
	case "Service", "Ingress", "IngressClass", "IngressClassParams":
		return true
	}
	return isGatewayKind(kind)
}
