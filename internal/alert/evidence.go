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
			words = append(words, finding.Clean(name, 40)+" "+text)
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
		out = append(out, truth{name: name, value: value, differs: len(out) > 0 && value != out[0].value})
	}
	return out
}

// whoKeys are the evidence about the change behind a finding, in the order shown.
func whoKeys() []string {
	return []string{"author", "changed_by", "change", "event", "changed_at", "tool", "source_ip", "user_agent", "claimed", "confirmed"}
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
	for _, name := range []string{"author", "changed_by"} {
		switch v := f.Evidence[name].(type) {
		case string:
			return finding.Clean(v, 60)
		case map[string]any:
			if text, ok := v["name"].(string); ok {
				return finding.Clean(text, 60)
			}
		case map[string]string:
			return finding.Clean(v["name"], 60)
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
