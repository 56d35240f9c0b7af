package yamldoc

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

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

// costly returns texts that are expensive to parse, at share/16 of the size that the limits allow.
func costly(share int) map[string]string {
	part := func(limit int) int { return limit * share / 16 }
	return map[string]string{
		"brackets": "a: " + strings.Repeat("[", part(maxDepth)) + strings.Repeat("]", part(maxDepth)),
		"dashes":   strings.Repeat(strings.Repeat("- ", part(maxIndent/2)-1)+"a\n", 20),
		"anchors":  "? " + strings.Repeat("a: &b\n", part(2000)),
		"quotes":   strings.Repeat(`"`, part(1<<20)),
		"texts":    strings.Repeat("x: |\n", part(maxKeys)),
		"mapping":  strings.Repeat("k:\n  a: 1\n", part(maxKeys)),
		"lists":    strings.Repeat("- a: 1\n  b: 1\n", part(maxLines/2)),
	}
}

// TestCostIsBounded checks the memory that the parser allocates for the most expensive texts: it grows at most with the
// square of their size, so that the largest ones that the limits allow stay below 3 GiB, most of it freed on the way.
func TestCostIsBounded(t *testing.T) {
	allocated := func(text string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Parse([]byte(text))
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	half, whole := costly(1), costly(2)
	for name := range whole {
		small, large := allocated(half[name]), allocated(whole[name])
		growth := float64(large) / float64(small)
		if growth > 4.5 {
			t.Errorf("%s: twice the size takes %.1f times the memory", name, growth)
		}
		if most := float64(large) * math.Pow(growth, 3) / (1 << 30); most > 3 { // three times twice the size is the limit
			t.Errorf("%s: up to %.1f GiB", name, most)
		}
	}
}

func BenchmarkCostly(b *testing.B) {
	for name, text := range costly(16) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = Parse([]byte(text))
			}
		})
	}
}

func TestPosition(t *testing.T) {
	file, problem := Parse([]byte("\xef\xbb\xbfa:\n  - {b: 1}\n  - c: 2\n    d: 3\n"))
	if problem != nil {
		t.Fatal(problem)
	}
	list := file.Docs[0].Body.(*ast.MappingNode).Values[0].Value.(*ast.SequenceNode)
	for i, want := range [][2]int{{2, 5}, {3, 5}} {
		if line, column := Position(list.Values[i]); line != want[0] || column != want[1] {
			t.Errorf("item %d is at %d:%d, want %v", i, line, column, want)
		}
	}
	if line, column := Position(nil); line != 1 || column != 1 {
		t.Errorf("nothing is at %d:%d", line, column)
	}
}

// TestPlainTextInLists: an item of a list within braces is text unless a blank follows its colon (YAML 1.2.2 §7.3.3).
func TestPlainTextInLists(t *testing.T) {
	for text, want := range map[string][]string{
		"a: {b: [arn:aws:acm:x, 127.0.0.1:8443, c]}": {"arn:aws:acm:x", "127.0.0.1:8443", "c"},
		"a: {b: &x [d:e]}":                           {"d:e"},
		"a: {b: !!seq [[f:g]]}":                      {"f:g"},
		"a: {b: [h: i]}":                             nil,
		"a: {b: [{j:k}]}":                            nil,
		`a: {b: ["l":m]}`:                            nil,
		"a: {b: [n:\n  o]}":                          nil,
	} {
		file, problem := Parse([]byte(text))
		if problem != nil {
			if want != nil {
				t.Errorf("%s: %v", text, problem)
			}
			continue
		}
		var got []string
		ast.Walk(listed{&got}, file.Docs[0].Body)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the texts of lists are %q, want %q", text, got, want)
		}
	}
}

// listed collects the texts in lists.
type listed struct{ texts *[]string }

func (l listed) Visit(n ast.Node) ast.Visitor {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			if text, scalar := Text(item); scalar {
				*l.texts = append(*l.texts, text)
			}
		}
	}
	return l
}

// TestTaggedTextWithColons: within brackets, the parser takes tagged text with a colon for a mapping. YAML does not.
func TestTaggedTextWithColons(t *testing.T) {
	for _, text := range []string{"{a: !Ref AWS::Region, b: 1}", "{b: 1, a: !Ref AWS::Region}", "{b: [], a: !Ref AWS::Region }", "{a: !Ref AWS::Region}", "{b: [{x: !Ref A::B}, !Ref C::D, {y: !Ref E::F}], a: !Ref AWS::Region}", "a: !Ref AWS::Region\nb: 1\n"} {
		file, problem := Parse([]byte(text))
		if problem != nil {
			t.Fatal(problem)
		}
		entries, _ := Entries(file.Docs[0].Body)
		for _, e := range entries {
			if key, _ := Text(e.Key); key != "a" {
				continue
			}
			tag, ok := e.Value.(*ast.TagNode)
			if !ok || tag.Start.Value != "!Ref" {
				t.Errorf("%s: the value is %s", text, Kind(e.Value))
				continue
			}
			if got, _ := Text(tag.Value); got != "AWS::Region" {
				t.Errorf("%s: %q", text, got)
			}
		}
	}
}
