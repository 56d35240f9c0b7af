package text

import (
	"strings"
	"unicode/utf8"

	"certdrift/internal/report"
)

// foldLine breaks a line at spaces into lines of at most width characters, those after the first indented by further. A longer word
// stays whole, since it is meant to be copied. The lines of a command end in a backslash; one with quotes stays whole, too.
func foldLine(line string, width, further int) []string {
	end := ""
	if report.IsCommand(line) {
		if end = ` \`; strings.Contains(line, "'") {
			return []string{line}
		}
	}
	var out []string
	current := ""
	for _, word := range pieces(line, end != "", width-further-utf8.RuneCountInString(end)) {
		if current != "" && utf8.RuneCountInString(current+" "+word+end) <= width {
			current += " " + word
			continue
		}
		if current != "" {
			out = append(out, current+end)
		}
		word = report.Line(word) // it begins a line
		if current != "" && (end != "" || further+utf8.RuneCountInString(word) <= width) {
			word = strings.Repeat(" ", further) + word
		}
		current = word
	}
	return append(out, current)
}

// pieces are the words of a line. The flag of a command stays with its value where both fit the width.
func pieces(line string, command bool, width int) []string {
	var out []string
	for _, word := range strings.Fields(line) {
		if last := len(out) - 1; command && last >= 0 && strings.HasPrefix(out[last], "--") && !strings.ContainsAny(out[last], " =") && !strings.HasPrefix(word, "-") && utf8.RuneCountInString(out[last]+" "+word) <= width {
			out[last] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}
