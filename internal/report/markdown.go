package report

import (
	"fmt"
	"io"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// The bounds of a Markdown report, in bytes: GitHub rejects a comment of more than 65,536 characters. Each part may
// grow until the whole has reached its bound.
const (
	markdownTable   = 25_000
	markdownDetails = 50_000
	markdownAll     = 60_000
	markdownText    = 300 // characters of one text
)

// WriteMarkdown writes the report for a pull request's comment or a step's summary: the verdict, a table of findings,
// their details folded, and what is healthy folded below.
func WriteMarkdown(w io.Writer, r Report) error {
	var b strings.Builder
	if r.Plan != nil {
		markdownPlan(&b, r)
		_, err := io.WriteString(w, b.String())
		return err
	}
	mark := map[Verdict]string{Pass: "✅", Fail: "❌", Incomplete: "❔"}[r.Verdict]
	fmt.Fprintf(&b, "## %s certdrift: %s\n\n%s\n", mark, r.Verdict, CountingLine(r))
	markdownFindings(&b, r.Findings)
	markdownNotes(&b, r)
	markdownHealthy(&b, r)
	_, err := io.WriteString(w, b.String())
	return err
}

// grow adds pieces until the next would pass the bound, and says how many are left.
func grow(b *strings.Builder, bound int, rest string, n int, noun string, piece func(int) string) {
	for i := range n {
		p := piece(i)
		if b.Len()+len(p) > bound {
			fmt.Fprintf(b, rest, prose.Count(n-i, noun))
			return
		}
		b.WriteString(p)
	}
}

// markdownFindings writes a table of findings, and their details folded.
func markdownFindings(b *strings.Builder, all []finding.Finding) {
	if len(all) == 0 {
		return
	}
	b.WriteString("\n| Severity | Code | Where | What |\n| --- | --- | --- | --- |\n")
	grow(b, markdownTable, "\nand %s\n", len(all), "more finding", func(i int) string {
		f := all[i]
		return fmt.Sprintf("| %s | `%s` | %s | %s |\n", f.Severity, f.Code, markdown(where(f)), markdown(f.Summary))
	})
	grow(b, markdownDetails, "\nwithout the details of %s\n", len(all), "more finding", func(i int) string { return markdownFinding(all[i]) })
}

func markdownFinding(f finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary><code>%s</code> %s</summary>\n\n", f.Code, markdown(where(f)))
	if len(f.Affects) > 0 {
		fmt.Fprintf(&b, "affects %s\n\n", markdown(listText(f.Affects)))
	}
	var rows []string
	for _, e := range facts(f) {
		rows = append(rows, e.name+": "+finding.Clean(strings.ReplaceAll(e.value, "\n", " "), markdownText))
	}
	preformatted(&b, rows)
	if strings.TrimSpace(f.Remedy) != "" {
		preformatted(&b, lines(f.Remedy))
	}
	b.WriteString("</details>\n")
	return b.String()
}

func markdownNotes(b *strings.Builder, r Report) {
	notes := r.Notes()
	if len(notes) == 0 {
		return
	}
	b.WriteString("\nUnknown, but not a problem:\n\n")
	grow(b, markdownDetails, "- and %s\n", len(notes), "more note", func(i int) string {
		return fmt.Sprintf("- %s: %s\n", markdown(notes[i].Endpoint), markdown(notes[i].Text))
	})
}

func markdownHealthy(b *strings.Builder, r Report) {
	var rows []string
	for _, e := range r.Endpoints {
		if e.State == OK {
			rows = append(rows, fmt.Sprintf("- %s: %s\n", markdown(join2(e.Environment, e.Name)), markdown(health(r, e))))
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s ok</summary>\n\n", prose.Count(len(rows), "endpoint"))
	grow(b, markdownAll, "- and %s\n", len(rows), "more endpoint", func(i int) string { return rows[i] })
	b.WriteString("\n</details>\n")
}

// preformatted writes lines that Markdown leaves alone: up to </pre> only HTML is read.
func preformatted(w *strings.Builder, rows []string) {
	if len(rows) == 0 {
		return
	}
	text := strings.Join(rows, "\n")
	fmt.Fprintf(w, "<pre>%s</pre>\n\n", strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text))
}

// markdown makes a text plain in GitHub's Markdown, in a table's cell too: every character with a meaning becomes an
// entity, and an empty comment keeps what is left of mentions, issue numbers and bare addresses from becoming links.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range finding.Clean(s, markdownText) {
		switch {
		case strings.ContainsRune("&<>\"'`*_{}[]()|\\~!$^=+", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case r == '@' || r == '#':
			fmt.Fprintf(&b, "&#%d;<!-- -->", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.NewReplacer("://", ":<!-- -->//", "www.", "www<!-- -->.").Replace(b.String())
}
