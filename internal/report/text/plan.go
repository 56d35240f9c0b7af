package text

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/report"
)

// The columns of a plan's text: labels stand at labelAt, what they label at valueAt, behind its mark.
const (
	labelAt = 2
	valueAt = 18
)

// plan writes a plan: its rows, the findings that no row explains, and how many rows of each state there are.
func (t text) plan(r report.Report) {
	if len(r.Plan) == 0 {
		t.paragraph(report.RolePlain, 0, 0, report.NoListeners)
		fmt.Fprintln(t.w)
	}
	for _, row := range report.PlanRows(r) {
		t.planRow(row)
	}
	for _, f := range r.PlanFindings() {
		t.planFinding(f)
	}
	if caveat := report.Caveat(r); caveat != "" {
		t.paragraph(report.RolePlain, 0, 0, caveat)
		fmt.Fprintln(t.w)
	}
	t.last(roleOf(report.Outcome(r).Verdict), r)
}

func (t text) planRow(row report.PlanRow) {
	t.paragraph(row.Role, 0, labelAt, row.Mark+" "+row.Word+": "+row.Title())
	t.labeled("declared in", report.RolePlain, row.Sources)
	t.certificates("declared now", row.Declared)
	t.certificates("attached now", row.Attached)
	t.certificates("after apply", row.After)
	label := "clients get"
	for _, n := range row.Names {
		t.value(label, markRole(n.Mark), n.Mark+" ", n.Name+": "+n.Text)
		label = ""
	}
	if row.MoreNames > 0 {
		t.labeled(label, report.RolePlain, []string{fmt.Sprintf("and %d more", row.MoreNames)})
	}
	t.labeled("why", row.Role, row.Reasons)
	t.labeled("unknown", report.RoleWarning, row.NotKnown)
	t.labeled("what to do", report.RoleGood, row.Remedy)
	fmt.Fprintln(t.w)
}

func markRole(mark string) report.Role {
	return map[string]report.Role{"✗": report.RoleCritical, "?": report.RoleWarning, "✓": report.RoleGood}[mark]
}

// certificates writes a column of certificates: in red what goes, in green what comes.
func (t text) certificates(label string, all []report.PlanCertificate) {
	for i, c := range all {
		if i > 0 {
			label = ""
		}
		t.value(label, map[string]report.Role{"-": report.RoleCritical, "+": report.RoleGood}[c.Sign], c.Sign+" ", c.Text)
	}
}

// labeled writes lines behind a label.
func (t text) labeled(label string, role report.Role, all []string) {
	for i, line := range all {
		if i > 0 {
			label = ""
		}
		t.value(label, role, "", line)
	}
}

// value writes one value behind a label and a mark. What does not fit goes on below it; a long word moves to the left.
func (t text) value(label string, role report.Role, mark, value string) {
	at := max(valueAt, labelAt+utf8.RuneCountInString(label+mark)+1)
	for i, line := range foldLine(value, t.width-at, 2) {
		indent := at
		if at+utf8.RuneCountInString(line) > t.width {
			indent = 2 * labelAt
		}
		switch head := strings.Repeat(" ", labelAt) + t.style(report.RoleFaint, label); {
		case i > 0:
			fmt.Fprintln(t.w, strings.Repeat(" ", indent)+t.style(role, line))
			continue
		case label == "":
			fmt.Fprint(t.w, strings.Repeat(" ", indent-utf8.RuneCountInString(mark)))
		case indent < at:
			fmt.Fprint(t.w, head+"\n"+strings.Repeat(" ", indent-utf8.RuneCountInString(mark)))
		default:
			fmt.Fprint(t.w, head+strings.Repeat(" ", at-labelAt-utf8.RuneCountInString(label+mark)))
		}
		fmt.Fprintln(t.w, t.style(role, mark+line))
	}
}

// paragraph writes a text from an indent on, the lines after the first from further on.
func (t text) paragraph(role report.Role, indent, further int, text string) {
	for i, line := range foldLine(text, t.width-indent, further) {
		if i == 0 || indent > 0 {
			line = strings.Repeat(" ", indent) + line
		}
		fmt.Fprintln(t.w, t.style(role, line))
	}
}

// planFinding writes a finding that is about no row.
func (t text) planFinding(f finding.Finding) {
	t.paragraph(severityRole(f.Severity), 0, labelAt, fmt.Sprintf("%s: %s %s", strings.ToUpper(f.Severity.String()), f.Code, report.Where(f)))
	t.labeled("what", report.RolePlain, []string{report.Line(f.Summary)})
	for _, e := range report.Facts(f) {
		t.value(e.Name, report.RolePlain, "", strings.ReplaceAll(e.Value, "\n", " "))
	}
	if strings.TrimSpace(f.Remedy) != "" {
		t.labeled("what to do", report.RoleGood, report.Lines(f.Remedy))
	}
	fmt.Fprintln(t.w)
}
