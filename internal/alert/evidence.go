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

// undo is the command that restores what was declared, as it is, of several lines perhaps; empty where the finding has
// none.
func undo(f finding.Finding) string {
	for _, name := range []string{"undo", "command"} {
		if text, ok := f.Evidence[name].(string); ok && text != "" {
			return text
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
