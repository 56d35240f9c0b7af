package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// tally counts tests, subtests included.
type tally struct {
	w       io.Writer
	verbose bool

	passed, failed, skipped  int
	packages, brokenPackages int
	output                   map[string][]string // by package and test, until it is known how it ended
}

// read consumes the stream. Lines that are not JSON (compiler messages) are passed on unchanged.
func (t *tally) read(r io.Reader) error {
	t.output = map[string][]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(t.w, lines.Text())
			continue
		}
		t.take(e)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading test events: %w", err)
	}
	return nil
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.w, e.Output)
	case "output":
		t.output[key] = append(t.output[key], e.Output)
		if t.verbose && e.Test != "" {
			fmt.Fprint(t.w, e.Output)
		}
	case "pass", "fail", "skip":
		t.end(e, t.output[key])
		delete(t.output, key)
	}
}

func (t *tally) end(e event, output []string) {
	if e.Test == "" {
		t.endPackage(e, output)
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
		if !t.verbose { // a skipped test says why
			fmt.Fprint(t.w, strings.Join(output, ""))
		}
	case "fail":
		t.failed++
		if !t.verbose {
			fmt.Fprint(t.w, strings.Join(output, ""))
		}
	}
}

func (t *tally) endPackage(e event, output []string) {
	if e.Action == "skip" { // no test files
		return
	}
	t.packages++
	if e.Action == "fail" {
		t.brokenPackages++
		fmt.Fprint(t.w, strings.Join(output, ""))
		fmt.Fprintf(t.w, "FAIL  %s\n", e.Package)
		return
	}
	fmt.Fprintf(t.w, "ok    %-44s %6.1fs\n", e.Package, e.Elapsed)
}

// good reports whether something ran and nothing failed.
func (t *tally) good() bool {
	return t.failed == 0 && t.brokenPackages == 0 && t.passed > 0
}

func (t *tally) line(name string) string {
	line := fmt.Sprintf("%s: %d tests, %d passed, %d failed, %d skipped, in %d packages",
		name, t.passed+t.failed+t.skipped, t.passed, t.failed, t.skipped, t.packages)
	if t.brokenPackages > 0 {
		line += fmt.Sprintf(" (%d of them failed)", t.brokenPackages)
	}
	return line
}
