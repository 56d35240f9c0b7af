package yamldoc

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
)

// TestKubernetesKind holds the kinds of values as kubectl's own parser has them (e2e/oracle was asked).
func TestKubernetesKind(t *testing.T) {
	for want, texts := range map[string]string{
		"true or false": "yes y on off n NO Y True TRUE true",
		"a number":      "1 1.0 1_000 0x1 0b11 0o17 017 +1 .5 1e3 1_0.5 -0 08 09 1. +.5 12e03 1__0 685.230_15e+03 .inf .NaN",
		"text":          "2026-11-30 12:30:45 1:20 = 0o8 nan 0x _1 1e 0b2 tRUE 'yes' \"1\" word !!str|1 &a|text",
		"null":          "~ null Null",
		"a list":        "[]",
		"a mapping":     "{}",
	} {
		for _, text := range strings.Fields(texts) {
			file, problem := Parse([]byte("x: " + strings.ReplaceAll(text, "|", " ") + "\n"))
			if problem != nil {
				t.Fatal(text, problem)
			}
			entries, _ := Entries(file.Docs[0].Body)
			r := NewResolver(file.Docs[0].Body, func(ast.Node, string, string) {})
			if got := r.KubernetesKind(entries[0].Value); got != want {
				t.Errorf("%s: %q, want %q", text, got, want)
			}
		}
	}
}

// TestDedentedValues: text below a key that is not indented belongs to nothing. kubectl refuses all of these.
func TestDedentedValues(t *testing.T) {
	for text, refused := range map[string]bool{
		"a: 1\nNOTES:\n1. Get the URL\n": true, "a:\nword\n": true, "a:\n  x:\n  word\n": true, "a:\n\"word\"\n": true, "a:\n{b: c}\n": true, "a:\n[b]\n": true, "a:\n&x b\n": true,
		"a:\n- b\n": false, "a:\n  b: c\n": false, "a:\n  word\n": false, "a:\nb: c\n": false, "a: {b:\nc}\n": false, "a: |\n  b\n": false, "? a\n: b\n": false, "a: &x\n  b: c\n": false,
		"a: !t\n  b: c\n": false, "- a:\n    b\n": false, "- a:\n  - b\n": false, "a: # b\n  c\n": false, "a:\n# b\nc: d\n": false, "a: \"b\n\n c\"\n": false, "a: 'b\n  c'\n": false,
	} {
		if _, problem := Parse([]byte(text)); problem != nil != refused {
			t.Errorf("%q: %+v, refused %v", text, problem, refused)
		}
	}
}
