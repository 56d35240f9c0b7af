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
		if at, err := time.Parse(time.RFC3339, v); err == nil { // a time of a saved incident
			return stamp(at)
		}
		return clean(v)
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
	return clean(fmt.Sprint(v))
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

// join lists words, and how many it leaves out.
func join(words []string) string {
	const most = 12
	if len(words) > most {
		words = append(slices.Clone(words[:most]), fmt.Sprintf("and %d more", len(words)-most))
	}
	return finding.Clean(strings.Join(words, ", "), 2*maxValue)
}

// undo is the command that restores what was declared, as it is, possibly of several lines; empty where the finding has
// none.
func undo(f finding.Finding) string {
	for _, name := range []string{"undo", "command"} {
		if text, ok := f.Evidence[name].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// sections are the evidence that has a section of its own.
var sections = [...]string{
	"declared", "manifest", "attached", "served", "undo", "command", "changed_by", "author", "changed_at", "before", "after",
}

// rest are the names of the evidence without a section of its own, sorted.
func rest(e finding.Evidence) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if !slices.Contains(sections[:], name) && render(e[name]) != "" {
			names = append(names, name)
		}
	}
	return names
}

// has reports whether the finding has a piece of evidence that is not empty.
func has(f finding.Finding, name string) bool { return render(f.Evidence[name]) != "" }

// clean makes one remote text safe to show.
func clean(text string) string { return finding.Clean(text, maxValue) }
