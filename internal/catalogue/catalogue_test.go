package catalogue

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"certdrift/internal/finding"
)

var update = flag.Bool("update", false, "rewrite docs/findings.md and docs/runbook.md")

// Every code of package finding has exactly one complete entry.
func TestCatalogueIsWhole(t *testing.T) {
	seen := map[finding.Code]int{}
	for _, e := range Entries() {
		seen[e.Code]++
		for field, text := range map[string]string{
			"Severity": e.Severity, "Title": e.Title, "Meaning": e.Meaning, "Check": e.Check, "Remedy": e.Remedy, "Source": e.Source,
		} {
			if text == "" || text != strings.TrimSpace(text) || field != "Check" && strings.Contains(text, "  ") {
				t.Errorf("%s: %s is empty or has stray spaces: %q", e.Code, field, text)
			}
		}
		if strings.Contains(e.Title, "\n") || strings.HasSuffix(e.Title, ".") {
			t.Errorf("%s: the title is not one line: %q", e.Code, e.Title)
		}
	}
	declared := declaredCodes(t)
	for _, code := range declared {
		if seen[code] != 1 {
			t.Errorf("%s has %d entries", code, seen[code])
		}
	}
	if len(seen) != len(declared) {
		t.Errorf("%d codes with entries, %d declared", len(seen), len(declared))
	}
}

// declaredCodes reads the constants of package finding: the codes by their names in Go.
func declaredCodes(t *testing.T) map[string]finding.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "finding", "code.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]finding.Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value); err == nil {
				codes[spec.Names[0].Name] = finding.Code(code)
			}
		}
		return true
	})
	if len(codes) == 0 {
		t.Fatal("no codes found")
	}
	return codes
}

func TestFindingsDocumentIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "findings.md")
	want := document(Entries())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: go test ./internal/catalogue -run TestFindingsDocument -update", path)
	}
}

// document renders the catalogue as docs/findings.md.
func document(entries []Entry) string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the catalogue: go test ./internal/catalogue -run TestFindingsDocument -update -->\n\n# Finding catalogue\n\n" +
		"Codes never change; each has one rule. **critical**: clients are failing now or will within hours, or the attached certificate\n" +
		"is not the declared one. **warning**: it will break, or is weaker than it should be. **info**: worth knowing. A healthy\n" +
		"endpoint has no critical and no warning finding. `certdrift explain CODE` shows an entry on the command line.\n\n" +
		"In the checks, replace HOST, PORT, ADDRESS, URL, REGION, NAME and ARN with the values from the finding.\n")
	group := finding.Class("")
	for _, e := range entries {
		if e.Code.Class() != group {
			group = e.Code.Class()
			b.WriteString("\n| " + string(group) + " | |\n| --- | --- |\n")
		}
		b.WriteString("| [`" + string(e.Code) + "`](#" + string(e.Code) + ") | " + cell(e.Title) + " |\n")
	}
	group = ""
	for _, e := range entries {
		if e.Code.Class() != group {
			group = e.Code.Class()
			b.WriteString("\n## Group: " + string(group) + "\n")
		}
		b.WriteString("\n### " + string(e.Code) + "\n\n**" + e.Title + ".** " + e.Meaning + "\n\n" +
			"*Severity:* " + e.Severity + ".\n\n*Check:*\n\n```sh\n" + e.Check + "\n```\n\n*Remedy:* " + e.Remedy + "\n")
		b.WriteString("\n*Source:* " + e.Source + "\n")
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
