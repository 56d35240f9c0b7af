package alert

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/finding"
)

// maxValue bounds one piece of evidence, in characters.
const maxValue = 300

// render shows a piece of evidence on one line. Lists and maps are flat; a map's names are sorted.
func render(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return finding.Clean(v, maxValue)
	case time.Time:
		return stamp(v)
	case []string:
		return join(v)
	case []any:
		words := make([]string, 0, len(v))
		for _, w := range v {
			words = append(words, render(w))
		}
		return join(words)
	case map[string]string:
		return renderMap(v)
	case map[string]any:
		return renderMap(v)
	case finding.Evidence:
		return renderMap(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return finding.Clean(fmt.Sprint(v), maxValue)
}

func renderMap[V any](m map[string]V) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if text := render(m[name]); text != "" {
			words = append(words, strings.ReplaceAll(finding.Clean(name, 40), "_", " ")+" "+text)
		}
	}
	return join(words)
}

// join lists words and says how many it leaves out.
func join(words []string) string {
	const most = 12
	if len(words) > most {
		words = append(slices.Clone(words[:most]), fmt.Sprintf("and %d more", len(words)-most))
	}
	return finding.Clean(strings.Join(words, ", "), 2*maxValue)
}

// truth is one of the sides of a drift.
type truth struct {
	name, value string
	differs     bool // from the first
}

// truths are the sides that the finding tells of, in the order in which they ought to follow one another.
func truths(f finding.Finding) []truth {
	var out []truth
	for _, name := range []string{"manifest", "declared", "attached", "served"} {
		value := render(f.Evidence[name])
		if value == "" {
			continue
		}
		out = append(out, truth{name: name, value: value, differs: len(out) > 0 && differ(f.Evidence[out[0].name], f.Evidence[name])})
	}
	return out
}

// differ compares two sides by what tells certificates apart, as far as both know it: the fingerprint, else the ARN, else
// all there is. A certificate keeps its ARN when it is renewed, and ARNs may hold the same certificate.
func differ(a, b any) bool {
	left, ok := a.(map[string]any)
	right, also := b.(map[string]any)
	if ok && also {
		for _, name := range []string{"fingerprint_sha256", "arn", "names"} {
			if x, y := render(left[name]), render(right[name]); x != "" && y != "" {
				return x != y
			}
		}
	}
	return render(a) != render(b)
}

// whoKeys are the evidence about the change behind a finding, in the order shown.
func whoKeys() []string { return []string{"changed_by", "author", "changed_at", "before", "after"} }

// changeKeys are what a change's own evidence says, in the order shown: who, with what, when; then the rest.
func changeKeys() []string {
	return []string{"name", "tool", "at", "principal", "session", "source_ip", "event", "standing"}
}

// change shows who made a change: a map in the order of changeKeys, anything else as it is.
func change(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return render(v)
	}
	var words []string
	for _, name := range changeKeys() {
		switch text := render(m[name]); {
		case text == "":
		case name == "name":
			words = append(words, text)
		default:
			words = append(words, strings.ReplaceAll(name, "_", " ")+" "+text)
		}
	}
	return join(words)
}

// undo is the command that restores what was declared; empty where the finding has none.
func undo(f finding.Finding) string {
	for _, name := range []string{"undo", "command"} {
		if text, ok := f.Evidence[name].(string); ok && text != "" {
			return finding.Clean(text, 2000)
		}
	}
	return ""
}

// author is a short name of who made the change behind a finding; empty where it is not known.
func author(f finding.Finding) string {
	for _, name := range []string{"changed_by", "author"} {
		m, _ := f.Evidence[name].(map[string]any)
		if text := render(m["name"]); text != "" {
			return finding.Clean(text, 60)
		}
		if text := render(m["principal"]); text != "" {
			return finding.Clean(text[strings.LastIndexAny(text, "/:")+1:], 60)
		}
	}
	return ""
}

// rest are the names of the evidence that no section of its own shows, sorted.
func rest(f finding.Finding) []string {
	shown := append(whoKeys(), "manifest", "declared", "attached", "served", "undo", "command")
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f.Evidence)) {
		if !slices.Contains(shown, name) && render(f.Evidence[name]) != "" {
			names = append(names, name)
		}
	}
	return names
}
