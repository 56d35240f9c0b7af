package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"certdrift/internal/finding"
)

// The bounds of a Markdown report: GitHub refuses a comment of more than 65,536 characters.
const (
	markdownDetails = 20
	markdownRows    = 100
	markdownText    = 300
)

// WriteMarkdown writes the report for a pull request's comment or a step's summary: the verdict, a table of findings,
// their details folded, and what is healthy folded below.
func WriteMarkdown(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	mark := map[Verdict]string{Pass: "✅", Fail: "❌", Incomplete: "⚠️"}[r.Verdict]
	fmt.Fprintf(b, "## %s certdrift: %s\n\n%s\n", mark, r.Verdict, countingLine(r))
	if len(r.Findings) > 0 {
		fmt.Fprint(b, "\n| Severity | Code | Where | What |\n| --- | --- | --- | --- |\n")
	}
	for _, f := range r.Findings[:min(len(r.Findings), markdownRows)] {
		fmt.Fprintf(b, "| %s | `%s` | %s | %s |\n", f.Severity, f.Code, markdown(where(f), markdownText), markdown(f.Summary, markdownText))
	}
	if more := len(r.Findings) - markdownRows; more > 0 {
		fmt.Fprintf(b, "\nand %s\n", count(more, "more finding"))
	}
	for _, f := range r.Findings[:min(len(r.Findings), markdownDetails)] {
		markdownFinding(b, f)
	}
	markdownHealthy(b, r)
	return b.Flush()
}

func markdownFinding(w io.Writer, f finding.Finding) {
	fmt.Fprintf(w, "\n<details><summary><code>%s</code> %s</summary>\n\n", f.Code, markdown(where(f), markdownText))
	if len(f.Affects) > 0 {
		fmt.Fprintf(w, "affects %s\n\n", markdown(listText(f.Affects), markdownText))
	}
	var rows []string
	for _, e := range facts(f.Evidence) {
		rows = append(rows, e.name+": "+finding.Clean(strings.ReplaceAll(e.value, "\n", " "), markdownText))
	}
	if len(rows) > 0 {
		fmt.Fprintf(w, "<pre>%s</pre>\n\n", preformatted(rows))
	}
	if strings.TrimSpace(f.Remedy) != "" {
		fmt.Fprintf(w, "<pre>%s</pre>\n\n", preformatted(lines(finding.Clean(strings.ReplaceAll(f.Remedy, "\n", " ⏎ "), 2*markdownText))))
	}
	fmt.Fprint(w, "</details>\n")
}

func markdownHealthy(w io.Writer, r Report) {
	var rows []string
	for _, e := range r.Endpoints {
		if e.State == OK {
			rows = append(rows, fmt.Sprintf("- %s: %s", markdown(join2(e.Environment, e.Name), markdownText), markdown(health(r, e), markdownText)))
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n<details><summary>%s ok</summary>\n\n%s\n", count(len(rows), "endpoint"), strings.Join(rows[:min(len(rows), markdownRows)], "\n"))
	if more := len(rows) - markdownRows; more > 0 {
		fmt.Fprintf(w, "- and %d more\n", more)
	}
	fmt.Fprint(w, "\n</details>\n")
}

// preformatted joins lines for a <pre> element. A line break is an entity: an empty line would end the HTML block.
func preformatted(rows []string) string {
	var escaped []string
	for _, row := range rows {
		escaped = append(escaped, markdown(row, 2*markdownText))
	}
	return strings.Join(escaped, "&#10;")
}

// markdown makes a text plain in GitHub's Markdown, in a table's cell too: every character with a meaning becomes an
// entity, and an empty comment keeps what is left of mentions, issue numbers and bare addresses from becoming links.
func markdown(s string, limit int) string {
	var b strings.Builder
	for _, r := range finding.Clean(s, limit) {
		switch {
		case strings.ContainsRune("&<>\"'`*_{}[]()|\\~!$^=+", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune("@#:", r):
			fmt.Fprintf(&b, "&#%d;<!-- -->", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "www.", "www<!-- -->.")
}
