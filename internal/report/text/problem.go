package text

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
	"certdrift/internal/topology"
)

// The bounds of what a problem lists, unless all is asked for.
const (
	shownConsequences = 6
	shownComparisons  = 3
	shownAffected     = 12
	consequenceLines  = 3
)

// problem writes one cause: what is wrong and where, the three truths, what follows from it, what to do.
func (t text) problem(p incident.Problem, rows map[string]comparison.Row) {
	f := p.Cause()
	t.finding(p.Severity(), f)
	t.affected(p.Affects(), rows)
	drawn := t.comparisons(p, rows)
	said := prose.ShortenIDs
	if len(drawn) > 0 && len(drawn) <= shownComparisons { // the table has what the certificates are for, and until when
		said = func(text string) string { return prose.Brief(prose.ShortenIDs(text)) }
	}
	t.paragraph(report.RolePlain, indent, 0, report.Line(said(f.Summary)))
	if t.verbose {
		t.evidence(f)
	}
	t.draw(drawn)
	if all := p.Consequences(); len(all) > 0 {
		t.consequences(f, all, said)
		t.blank()
	}
	t.remedies(p.Remedies(), said)
	t.blank()
}

// indent is where the lines of a problem begin.
const indent = 2

// finding writes the line that a problem begins with.
func (t text) finding(severity finding.Severity, f finding.Finding) {
	head := fmt.Sprintf("%-8s %s", strings.ToUpper(severity.String()), f.Code)
	where := report.Where(f)
	if len([]rune(head+"  "+where)) <= t.width {
		fmt.Fprintln(t.w, t.style(severityRole(severity), head)+"  "+t.style(report.RoleHeading, where))
		return
	}
	fmt.Fprintln(t.w, t.style(severityRole(severity), head))
	t.paragraph(report.RoleHeading, indent, 0, where)
}

// affected names the endpoints: by its URL if it is one.
func (t text) affected(keys []string, rows map[string]comparison.Row) {
	if len(keys) == 1 {
		if url := rows[comparison.Clean(strings.TrimPrefix(keys[0], "/"))].Endpoint.URL; url != "" {
			t.paragraph(report.RoleFaint, indent, 0, report.Line(url))
		}
		return
	}
	shown := keys
	if !t.verbose {
		shown = keys[:min(len(keys), shownAffected)]
	}
	names := make([]string, 0, len(shown))
	for _, key := range shown {
		names = append(names, comparison.Clean(strings.TrimPrefix(key, "/")))
	}
	line := fmt.Sprintf("%d endpoints: %s", len(keys), strings.Join(names, ", "))
	if more := len(keys) - len(shown); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	if len(keys) > 0 {
		t.paragraph(report.RolePlain, indent, 0, line)
	}
}

// consequences are the other findings of a cause, a paragraph each.
func (t text) consequences(cause finding.Finding, fs []finding.Finding, said func(string) string) {
	t.paragraph(report.RoleFaint, indent, 0, "also:")
	shown := fs
	if !t.verbose {
		shown = fs[:min(len(fs), shownConsequences)]
	}
	for _, f := range shown {
		mark, role := "!", severityRole(f.Severity)
		if f.Severity == finding.Critical {
			mark = "✗"
		}
		lines := foldLine(string(f.Code)+beside(cause, f)+": "+report.Line(said(f.Summary)), t.width-indent-2, 0)
		if len(lines) > consequenceLines && !t.verbose {
			lines = lines[:consequenceLines]
			lines[consequenceLines-1] = strings.TrimRight(lines[consequenceLines-1], ";,") + " …"
		}
		for i, line := range lines {
			head := "  "
			if i == 0 {
				head = t.style(role, mark) + " "
			}
			fmt.Fprintln(t.w, strings.Repeat(" ", indent)+head+line)
		}
		if t.verbose {
			t.evidence(f)
		}
	}
	if more := len(fs) - len(shown); more > 0 {
		t.paragraph(report.RoleFaint, 2*indent, 0, fmt.Sprintf("and %d more (--verbose lists all)", more))
	}
}

// beside is where a consequence is, as far as that is not where its cause is.
func beside(cause, f finding.Finding) string {
	if f.Listener == cause.Listener {
		f.Listener = ""
	}
	if f.Endpoint == cause.Endpoint && f.Environment == cause.Environment {
		f.Endpoint, f.Environment = "", ""
	}
	if f.Endpoint == "" && f.Listener == "" && f.Address == "" {
		return ""
	}
	return " " + report.Where(f)
}

// remedies are what to do, behind an arrow each.
func (t text) remedies(all []string, said func(string) string) {
	for _, remedy := range all {
		mark := t.style(report.RoleGood, "→") + " "
		for _, line := range report.Lines(remedy) {
			further := 2
			if !report.IsCommand(line) {
				line, further = said(line), 0
			}
			for _, piece := range foldLine(line, t.width-2*indent, further) {
				fmt.Fprintln(t.w, strings.Repeat(" ", indent)+mark+piece)
				mark = "  "
			}
		}
	}
}

// evidence are the facts behind a finding.
func (t text) evidence(f finding.Finding) {
	for _, e := range report.Facts(f) {
		first, rest, several := strings.Cut(e.Value, "\n")
		t.paragraph(report.RoleFaint, 2*indent, 2, e.Name+": "+first)
		if several {
			for line := range strings.Lines(rest) {
				fmt.Fprintln(t.w, t.style(report.RoleFaint, strings.Repeat(" ", 3*indent)+"| "+strings.TrimSuffix(line, "\n")))
			}
		}
	}
}

// compares reports whether findings of a code are about which certificate is where.
func compares(code finding.Code) bool {
	switch code.Class() {
	case finding.ClassCertificate, finding.ClassDrift, finding.ClassListener, finding.ClassAddresses:
		return true
	}
	return false
}

// comparisons draws the three truths of the endpoints of a problem, each set of them once.
func (t text) comparisons(p incident.Problem, rows map[string]comparison.Row) (drawn []string) {
	if !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return compares(f.Code) }) {
		return nil
	}
	for _, key := range p.Affects() {
		row, known := rows[comparison.Clean(strings.TrimPrefix(key, "/"))]
		if !known || len(row.Declared)+len(row.Attached) == 0 {
			continue
		}
		if drawing := t.table(row); !slices.Contains(drawn, drawing) {
			drawn = append(drawn, drawing)
		}
	}
	return drawn
}

// draw writes the tables, and how many there is no room for.
func (t text) draw(drawn []string) {
	shown := drawn
	if !t.verbose {
		shown = drawn[:min(len(drawn), shownComparisons)]
	}
	for _, drawing := range shown {
		fmt.Fprintln(t.w)
		for line := range strings.Lines(drawing) {
			line = strings.TrimRight(line, " \n")
			if rest, found := strings.CutPrefix(strings.TrimSpace(line), "::"); found { // a build server would execute it
				line = `\x3a:` + rest
			}
			fmt.Fprintln(t.w, strings.Repeat(" ", indent)+line)
		}
		fmt.Fprintln(t.w)
	}
	if more := len(drawn) - len(shown); more > 0 {
		t.paragraph(report.RoleFaint, indent, 0, "and "+prose.Count(more, "more comparison")+" (--verbose shows all)")
		fmt.Fprintln(t.w)
	}
}

// sideWidth is the width of the table's first column, in characters.
const sideWidth = 12

// table draws the three truths of an endpoint. Each is marked for how it compares with the declared one; with the attached one, where nothing
// is declared.
func (t text) table(row comparison.Row) string {
	var cells [][]string
	for _, side := range []struct {
		name   string
		mark   comparison.Mark
		values []comparison.Value
	}{{"declared", 0, row.Declared}, {"attached", row.DeclaredAttached, row.Attached}, {"served", row.FromDeclared, row.Served}} {
		if len(side.values) == 0 {
			cells = append(cells, []string{"  " + side.name, "–"})
		}
		for i, v := range side.values {
			cells = append(cells, []string{sideName(side.name, side.mark, i, v), t.cell(row, side.name, v)})
		}
	}
	return table.New().Rows(cells...).Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderHeader(false).BorderRow(false).
		StyleFunc(func(_, column int) lipgloss.Style {
			if column == 0 {
				return lipgloss.NewStyle().Width(sideWidth)
			}
			return lipgloss.NewStyle()
		}).Render()
}

// sideName is the first column: how a certificate compares, and where it is. One that a deployment source declares beside the configuration is
// the manifest's.
func sideName(side string, mark comparison.Mark, i int, v comparison.Value) string {
	sign := mark.Sign()
	if side == "declared" {
		sign = " "
		if v.Differs {
			sign = comparison.Mark(topology.Different).Sign()
		}
	}
	switch {
	case i == 0:
		return sign + " " + side
	case v.Manifest:
		return sign + " manifest"
	case v.Differs:
		return comparison.Mark(topology.Different).Sign()
	}
	return ""
}

// cell is a certificate with its notes, in lines that fit. What is served is called as what is attached, if it is the same.
func (t text) cell(row comparison.Row, side string, v comparison.Value) string {
	main := prose.ShortenIDs(v.Main)
	switch {
	case v.ARN != "":
		main = prose.ShortenIDs(comparison.Clean(topology.ShortARN(v.ARN)))
	case side == "served" && len(row.Served) == 1 && len(row.Attached) == 1 && row.Attached[0].ARN != "" && row.AttachedServed == comparison.Mark(topology.Same):
		main = prose.ShortenIDs(comparison.Clean(topology.ShortARN(row.Attached[0].ARN)))
		if v.Names == "" {
			v.Names = v.Main
		}
	}
	return strings.Join(foldLine(strings.Join(append([]string{main}, t.noted(v, main)...), ", "), t.width-indent-sideWidth, 0), "\n")
}

// noted is what stands beside a certificate.
func (t text) noted(v comparison.Value, main string) []string {
	var notes []string
	if v.Names != "" && v.Names != main {
		notes = append(notes, "for "+v.Names)
	}
	notes = append(notes, v.Notes...)
	if t.verbose {
		notes = append(notes, v.Details...)
	}
	return notes
}
