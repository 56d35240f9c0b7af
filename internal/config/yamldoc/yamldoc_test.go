package yamldoc

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		text         string
		line, column int
		message      string
	}{
		"not UTF-8":      {"a: 1\nb: \xff", 2, 4, "UTF-8"},
		"a control byte": {"a: \x00", 1, 4, "U+0000"},
		"brackets":       {"a: " + strings.Repeat("[", maxDepth+1), 1, maxDepth + 4, "too deeply"},
		"dashes":         {"a: 1\n" + strings.Repeat("- ", maxIndent), 2, maxIndent + 1, "too deeply"},
		"indentation":    {strings.Repeat(" ", maxIndent+1) + "a: 1", 1, maxIndent + 1, "too deeply"},
		"lines":          {strings.Repeat("\n", maxLines+1), maxLines + 1, 1, "lines"},
		"keys":           {"x:\n" + strings.Repeat("  a: 1\n    # x\n", maxKeys+1), 2*maxKeys + 2, 3, "keys"},
		"texts":          {strings.Repeat("a: |\n b: 1\n", maxKeys+1), 2*maxKeys + 1, 1, "keys"},
		"syntax":         {"a: 1\nb: [\n", 2, 4, "cannot be parsed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problem := Parse([]byte(test.text))
			if problem == nil || problem.Line != test.line || problem.Column != test.column ||
				!strings.Contains(problem.Message, test.message) || problem.Hint == "" {
				t.Errorf("%+v, want %d:%d %q", problem, test.line, test.column, test.message)
			}
		})
	}
}

// TestCostIsBounded: the worst that passes the checks is parsed in seconds, not in minutes.
func TestCostIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1),
		"dashes":   strings.Repeat(strings.Repeat("- ", maxIndent/2-1)+"a\n", 20),
		"keys":     "? " + strings.Repeat("a: &b\n", 2000),
		"quotes":   strings.Repeat(`"`, 1<<20),
		"texts":    strings.Repeat("x: |\n", 100_000),
		"mapping":  strings.Repeat("k:\n  a: 1\n", 10_000),
		"lists":    strings.Repeat("- a: 1\n  b: 1\n", 90_000),
	} {
		began := time.Now()
		_, _ = Parse([]byte(text))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func TestPlace(t *testing.T) {
	file, problem := Parse([]byte("\xef\xbb\xbfa:\n  - {b: 1}\n  - c: 2\n    d: 3\n"))
	if problem != nil {
		t.Fatal(problem)
	}
	list := file.Docs[0].Body.(*ast.MappingNode).Values[0].Value.(*ast.SequenceNode)
	for i, want := range [][2]int{{2, 5}, {3, 5}} {
		if line, column := Place(list.Values[i]); line != want[0] || column != want[1] {
			t.Errorf("item %d is at %d:%d, want %v", i, line, column, want)
		}
	}
	if line, column := Place(nil); line != 1 || column != 1 {
		t.Errorf("nothing is at %d:%d", line, column)
	}
}
