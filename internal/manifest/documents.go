package manifest

import (
	"bytes"
	"regexp"
	"strings"
)

// document is one YAML document of a file.
type document struct {
	text []byte
	line int // the line of the file on which text begins, from 1
	// broken is the first line from which on kubectl sees another document than is meant; 0 for none. why says what is wrong there.
	broken    int
	why, hint string
}

func (d *document) breaks(line int, why, hint string) {
	if d.broken == 0 {
		d.broken, d.why, d.hint = line, why, hint
	}
}

// documents splits a file at its --- and ... lines. Each document is parsed separately, so that one that cannot be parsed
// does not hide the others, and because the parser's time grows with the square of their number. A byte order mark at the start of
// a document is left out (YAML 1.2.2 §5.2).
func documents(data []byte) []document {
	s := splitter{current: document{line: 1}}
	for text := range bytes.Lines(data) {
		s.add(text)
	}
	return append(s.docs, s.current)
}

// splitter collects the documents of a file, line by line.
type splitter struct {
	docs    []document
	current document
	line    int
	begun   bool // the document has text
	ended   bool // its end was marked: kubectl, which splits at --- alone, reads nothing more up to there
}

func (s *splitter) add(text []byte) {
	s.line++
	bare, marked := bytes.CutPrefix(text, mark)
	hidden := marked && s.begun && separates(bare)
	if marked && (!s.begun || hidden) {
		text = bare
	}
	if !separates(text) {
		s.text(text)
		return
	}
	s.docs = append(s.docs, s.current)
	s.current, s.begun = document{line: s.line}, false
	// Text after --- on its line belongs to the document; spaces keep its columns.
	rest, begins := bytes.CutPrefix(text, []byte("---"))
	if s.ended = !begins; begins {
		s.current.text = append([]byte("   "), rest...)
	} else {
		s.current.text = []byte("\n")
	}
	if trailing := bytes.TrimSpace(rest); begins && len(trailing) > 0 && trailing[0] != '#' {
		s.current.breaks(s.line, "this line has text after ---, and kubectl refuses it as a document separator", "put --- on a line of its own")
	}
	if hidden {
		s.current.breaks(s.line, "a byte order mark comes before ---, so kubectl does not treat the line as a document separator", "remove it: save the file as UTF-8 without a mark")
	}
}

// text adds a line that separates nothing.
func (s *splitter) text(line []byte) {
	content := bytes.TrimSpace(line)
	switch {
	case s.ended && len(content) > 0 && !bytes.ContainsAny(content[:1], "#%"):
		s.current.breaks(s.line, "text after a line with ... only: kubectl does not read it", "put --- before it")
		return
	case bytes.HasPrefix(line, []byte("---")):
		s.current.breaks(s.line, "this line has text right after ---, so kubectl does not treat it as a document separator", "put --- on a line of its own")
	}
	s.begun = s.begun || len(content) > 0
	s.current.text = append(s.current.text, line...)
}

func separates(line []byte) bool {
	if rest, ok := bytes.CutPrefix(line, []byte("---")); ok && bytes.HasPrefix(rest, []byte("#")) { // as kubectl has it
		return true
	}
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
	if d.templated() || d.broken > 0 || escaped.Match(d.text) || namesCertificate(string(d.text)) != "" {
		return false
	}
	kinds, versions := 0, 0
	for text := range bytes.Lines(d.text) {
		switch key := topKey.FindSubmatch(text); {
		case key == nil:
		case string(key[1]) == "apiVersion":
			if versions++; bytes.HasPrefix(key[2], []byte("meta.k8s.io/")) {
				return false
			}
		case string(key[1]) == "kind":
			kinds++
			if name := string(key[2]); declares(name) || strings.HasSuffix(name, "List") || rendersOrRefers(name) {
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
	topKey = regexp.MustCompile(`^(?:(apiVersion|kind):[ \t]+["']?([A-Za-z0-9./-]+)["']?[ \t]*(?:#.*)?\n?$|(apiVersion|kind|items|binaryData|["'?<{\[&!*]).*)`)
)

// rendersOrRefers reports whether objects of the kind may put a certificate on a load balancer without naming one (foreignFormat), or
// encode it, or are no objects (unread).
func rendersOrRefers(kind string) bool {
	return kind == "Kustomization" || kind == "Component" || kind == "Secret" || kind == "Status" || strings.Contains(kind, "Listener")
}

// declares reports whether objects of the kind are read.
func declares(kind string) bool {
	switch kind {
	case "Service", "Ingress", "IngressClass", "IngressClassParams":
		return true
	}
	return isGatewayKind(kind)
}
