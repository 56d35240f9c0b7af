package catalogue

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/runbook.md is prose written by hand around one block for each code that is made from the catalogue. An update
// rewrites the blocks, adds those that are missing, and leaves the prose alone.
func TestRunbookIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "runbook.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := withBlocks(t, string(text), Entries())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not current: go test ./internal/catalogue -run TestRunbook -update", path)
	}
}

// Every code has one section of its own name, so that an alert's link to it leads somewhere, and none is left over.
func TestRunbookHasASectionForEachCode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range Entries() {
		known[string(e.Code)] = true
		if n := strings.Count(string(text), "\n### "+string(e.Code)+"\n"); n != 1 {
			t.Errorf("%s has %d sections", e.Code, n)
		}
	}
	for _, m := range regexp.MustCompile(`<!-- catalogue: (\S+) -->`).FindAllStringSubmatch(string(text), -1) {
		if !known[m[1]] {
			t.Errorf("a section for %s, which is no code", m[1])
		}
	}
}

const blockEnd = "<!-- /catalogue -->"

func blockStart(e Entry) string { return "<!-- catalogue: " + string(e.Code) + " -->" }

// withBlocks is the runbook with every block as the catalogue has it.
func withBlocks(t *testing.T, text string, entries []Entry) string {
	t.Helper()
	for i, e := range entries {
		block := blockStart(e) + "\n" + section(e) + blockEnd
		if before, rest, ok := strings.Cut(text, blockStart(e)); ok {
			_, after, ok := strings.Cut(rest, blockEnd)
			if !ok {
				t.Fatalf("the block of %s has no end", e.Code)
			}
			text = before + block + after
			continue
		}
		heading := ""
		if i == 0 || entries[i-1].Code.Class() != e.Code.Class() {
			heading = "\n## Findings: " + string(e.Code.Class()) + "\n"
		}
		added := heading + "\n### " + string(e.Code) + "\n\n" + block + "\n"
		text = insertAfter(text, entries[:i], added)
	}
	return text
}

// insertAfter puts a new section behind that of the entry before it, and the hand-written end of that.
func insertAfter(text string, before []Entry, added string) string {
	if len(before) == 0 {
		return text + added
	}
	at := strings.Index(text, blockStart(before[len(before)-1]))
	if next := strings.Index(text[at:], "\n##"); next >= 0 {
		return text[:at+next] + added + text[at+next:]
	}
	return text + added
}

// section is what the catalogue says of a code: what it means, how to look, what to do.
func section(e Entry) string {
	return "**" + e.Title + ".** " + e.Meaning + "\n\n*Severity:* " + e.Severity + ".\n\nLook for yourself:\n\n```sh\n" + e.Check +
		"\n```\n\nMend it: " + e.Remedy + "\n"
}
