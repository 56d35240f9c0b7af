package judge

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

var update = flag.Bool("update", false, "write docs/findings.md and the golden files anew")

// Every code of package finding has exactly one rule, and every rule can be explained.
func TestCatalogueIsWhole(t *testing.T) {
	seen := map[finding.Code]int{}
	for _, e := range Catalogue() {
		seen[e.Code]++
		for field, text := range map[string]string{
			"Group": e.Group, "Severity": e.Severity, "Title": e.Title, "Meaning": e.Meaning, "Check": e.Check, "Remedy": e.Remedy, "Source": e.Source,
		} {
			if text == "" || text != strings.TrimSpace(text) || field != "Check" && strings.Contains(text, "  ") {
				t.Errorf("%s: %s is empty or has stray blanks: %q", e.Code, field, text)
			}
		}
		if strings.Contains(e.Title, "\n") || strings.HasSuffix(e.Title, ".") {
			t.Errorf("%s: the title is not one line: %q", e.Code, e.Title)
		}
	}
	declared := declaredCodes(t)
	for _, code := range declared {
		if seen[code] != 1 {
			t.Errorf("%s has %d rules", code, seen[code])
		}
	}
	if len(seen) != len(declared) {
		t.Errorf("%d codes with rules, %d declared", len(seen), len(declared))
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

// Every rule stands in a file of its code's name, and has tests: in a file beside it or, for those of a chain, which are
// told apart only together, in one they share.
func TestEveryRuleHasItsFileAndTests(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	for constant, code := range declaredCodes(t) {
		name := strings.ReplaceAll(string(code), "-", "_")
		if _, err := os.Stat(name + ".go"); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if !strings.Contains(tests.String(), "finding."+constant) {
			t.Errorf("%s: no test speaks of finding.%s", code, constant)
		}
	}
}

func TestFindingsDocumentIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "findings.md")
	want := document(Catalogue())
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
		t.Errorf("%s is not current: go test ./internal/judge -run TestFindingsDocument -update", path)
	}
}

// document renders the catalogue as docs/findings.md.
func document(entries []Entry) string {
	var b strings.Builder
	b.WriteString("<!-- Made from the rules: go test ./internal/judge -run TestFindingsDocument -update -->\n\n# Finding catalogue\n\n" +
		"A code is stable for ever; one rule each. **critical**: a client is refused now, or will be within hours, or what is attached\n" +
		"is not what was declared. **warning**: it will break, or is weaker than it should be. **info**: worth knowing. A healthy\n" +
		"endpoint has neither critical nor warning. `certdrift explain CODE` shows an entry on the command line.\n\n" +
		"In the checks, HOST, PORT, ADDRESS, URL, REGION, NAME and ARN stand for the values of the finding.\n")
	group := ""
	for _, e := range entries {
		if e.Group != group {
			group = e.Group
			b.WriteString("\n| " + group + " | |\n| --- | --- |\n")
		}
		b.WriteString("| [`" + string(e.Code) + "`](#" + string(e.Code) + ") | " + cell(e.Title) + " |\n")
	}
	group = ""
	for _, e := range entries {
		if e.Group != group {
			group = e.Group
			b.WriteString("\n## Group: " + group + "\n")
		}
		b.WriteString("\n### " + string(e.Code) + "\n\n**" + e.Title + ".** " + e.Meaning + "\n\n" +
			"*Severity:* " + e.Severity + ".\n\n*Check:*\n\n```sh\n" + e.Check + "\n```\n\n*Remedy:* " + e.Remedy + "\n")
		b.WriteString("\n*Source:* " + e.Source + "\n")
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
