package catalogue

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/runbook.md is hand-written prose around one block for each code, which is generated from the catalogue. -update
// rewrites the blocks, adds missing ones, and leaves the prose alone.
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
		t.Errorf("%s is out of date: go test ./internal/catalogue -run TestRunbook -update", path)
	}
}

// Every code has one section with its name, so that links in alerts work, and no section is left over.
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
			t.Errorf("a section for %s, which is not a code", m[1])
		}
	}
}

const blockEnd = "<!-- /catalogue -->"

func blockStart(e Entry) string { return "<!-- catalogue: " + string(e.Code) + " -->" }

// withBlocks returns the runbook with every block as generated from the catalogue.
func withBlocks(t *testing.T, text string, entries []Entry) string {
	t.Helper()
	for i, e := range entries {
		block := blockStart(e) + "\n" + section(e) + blockEnd
		if before, rest, ok := strings.Cut(text, blockStart(e)); ok {
			_, after, ok := strings.Cut(rest, blockEnd)
			if !ok {
				t.Fatalf("the block for %s has no end", e.Code)
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

// insertAfter inserts a new section after the section of the entry before it, including its hand-written part.
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

// section is the catalogue's text for a code: what it means, how to check it, what to do.
func section(e Entry) string {
	return "**" + e.Title + ".** " + e.Meaning + "\n\n*Severity:* " + e.Severity + ".\n\nCheck it yourself:\n\n```sh\n" + e.Check +
		"\n```\n\nFix: " + e.Remedy + "\n"
}
