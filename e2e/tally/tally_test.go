package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	for name, c := range map[string]struct {
		in, line string
		good     bool
		shown    string
	}{
		"all pass": {
			in: `{"Action":"run","Package":"a","Test":"TestX"}
{"Action":"output","Package":"a","Test":"TestX","Output":"quiet\n"}
{"Action":"pass","Package":"a","Test":"TestX"}
{"Action":"skip","Package":"a","Test":"TestY"}
{"Action":"pass","Package":"a","Elapsed":1.5}
{"Action":"skip","Package":"b"}
`,
			line: "t: 2 tests, 1 passed, 0 failed, 1 skipped, in 1 packages", good: true, shown: "ok    a",
		},
		"one fails, and its words are shown": {
			in: `{"Action":"output","Package":"a","Test":"TestX","Output":"want 1, got 2\n"}
{"Action":"fail","Package":"a","Test":"TestX"}
{"Action":"fail","Package":"a"}
`,
			line: "t: 1 tests, 0 passed, 1 failed, 0 skipped, in 1 packages (1 of them failed)", shown: "want 1, got 2",
		},
		"a package that does not build fails though no test does": {
			in: `{"Action":"build-output","ImportPath":"a","Output":"undefined: x\n"}
{"Action":"fail","Package":"a"}
{"Action":"pass","Package":"b","Test":"TestX"}
{"Action":"pass","Package":"b"}
`,
			line: "t: 1 tests, 1 passed, 0 failed, 0 skipped, in 2 packages (1 of them failed)", shown: "undefined: x",
		},
		"nothing ran": {in: "go: no module\n", line: "t: 0 tests, 0 passed, 0 failed, 0 skipped, in 0 packages", shown: "go: no module"},
	} {
		t.Run(name, func(t *testing.T) {
			var shown bytes.Buffer
			got := tally{w: &shown}
			if err := got.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if got.line("t") != c.line || got.good() != c.good {
				t.Errorf("line %q, good %v; want %q, %v", got.line("t"), got.good(), c.line, c.good)
			}
			if !strings.Contains(shown.String(), c.shown) || strings.Contains(shown.String(), "quiet") {
				t.Errorf("shown: %q; want %q in it", shown.String(), c.shown)
			}
		})
	}
}
