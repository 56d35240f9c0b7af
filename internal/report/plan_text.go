package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
)

// The columns of a plan's text: labels stand at labelAt, what they label at valueAt, behind its mark. Below minWidth nothing would be readable.
const (
	labelAt  = 2
	valueAt  = 18
	minWidth = 40
)

// plan writes a plan: its rows, the findings that no row explains, and how many rows of each state there are.
func (t text) plan(r Report) {
	if len(r.Plan) == 0 {
		t.paragraph(RolePlain, 0, 0, noListeners)
		fmt.Fprintln(t.w)
	}
	for _, row := range PlanRows(r) {
		t.planRow(row)
	}
	for _, f := range r.PlanFindings() {
		t.planFinding(f)
	}
	if caveat := Caveat(r); caveat != "" {
		t.paragraph(RolePlain, 0, 0, caveat)
		fmt.Fprintln(t.w)
	}
	role := RoleGood
	switch Outcome(r).Verdict {
	case Fail:
		role = RoleCritical
	case Incomplete:
		role = RoleWarning
	}
	t.paragraph(role, 0, 0, CountingLine(r))
}

func (t text) planRow(row PlanRow) {
	t.paragraph(row.Role, 0, labelAt, row.Mark+" "+row.Word+": "+row.Title())
	t.labeled("declared in", RolePlain, row.Sources)
	t.certificates("declared now", row.Declared)
	t.certificates("attached now", row.Attached)
	t.certificates("after apply", row.After)
	label := "clients get"
	for _, n := range row.Names {
		t.value(label, markRole(n.Mark), n.Mark+" ", n.Name+": "+n.Text)
		label = ""
	}
	if row.MoreNames > 0 {
		t.labeled(label, RolePlain, []string{fmt.Sprintf("and %d more", row.MoreNames)})
	}
	t.labeled("why", row.Role, row.Reasons)
	t.labeled("unknown", RoleWarning, row.NotKnown)
	t.labeled("what to do", RoleGood, row.Remedy)
	fmt.Fprintln(t.w)
}

func markRole(mark string) Role {
	return map[string]Role{"✗": RoleCritical, "?": RoleWarning, "✓": RoleGood}[mark]
}

// certificates writes a column of certificates: in red what goes, in green what comes.
func (t text) certificates(label string, all []PlanCertificate) {
	for i, c := range all {
		if i > 0 {
			label = ""
		}
		t.value(label, map[string]Role{"-": RoleCritical, "+": RoleGood}[c.Sign], c.Sign+" ", c.Text)
	}
}

// labeled writes lines behind a label.
func (t text) labeled(label string, role Role, all []string) {
	for i, line := range all {
		if i > 0 {
			label = ""
		}
		t.value(label, role, "", line)
	}
}

// value writes one value behind a label and a mark. What does not fit goes on below it; a long word moves to the left.
func (t text) value(label string, role Role, mark, value string) {
	at := max(valueAt, labelAt+utf8.RuneCountInString(label+mark)+1)
	for i, line := range foldLine(value, t.width-at, 2) {
		indent := at
		if at+utf8.RuneCountInString(line) > t.width {
			indent = 2 * labelAt
		}
		switch head := strings.Repeat(" ", labelAt) + t.style(RoleFaint, label); {
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
func (t text) paragraph(role Role, indent, further int, text string) {
	for i, line := range foldLine(text, t.width-indent, further) {
		if i == 0 || indent > 0 {
			line = strings.Repeat(" ", indent) + line
		}
		fmt.Fprintln(t.w, t.style(role, line))
	}
}

// planFinding writes a finding that is about no row.
func (t text) planFinding(f finding.Finding) {
	t.paragraph(roleOf(f.Severity), 0, labelAt, fmt.Sprintf("%s: %s %s", strings.ToUpper(f.Severity.String()), f.Code, where(f)))
	t.labeled("what", RolePlain, []string{line1(f.Summary)})
	for _, e := range facts(f) {
		t.value(e.name, RolePlain, "", strings.ReplaceAll(e.value, "\n", " "))
	}
	if strings.TrimSpace(f.Remedy) != "" {
		t.labeled("what to do", RoleGood, lines(f.Remedy))
	}
	fmt.Fprintln(t.w)
}

// foldLine breaks a line at spaces into lines of at most width characters, those after the first indented by further. A longer word
// stays whole, since it is meant to be copied. The lines of a command end in a backslash; one with quotes stays whole, too.
func foldLine(line string, width, further int) []string {
	end := ""
	if isCommand(line) {
		if end = ` \`; strings.Contains(line, "'") {
			return []string{line}
		}
	}
	var out []string
	current := ""
	for _, word := range strings.Fields(line) {
		if current != "" && utf8.RuneCountInString(current+" "+word+end) <= width {
			current += " " + word
			continue
		}
		if current != "" {
			out = append(out, current+end)
			word = line1(word) // it begins a line now
		}
		if current != "" && (end != "" || further+utf8.RuneCountInString(word) <= width) {
			word = strings.Repeat(" ", further) + word
		}
		current = word
	}
	return append(out, current)
}

func isCommand(line string) bool { return strings.HasPrefix(line, "aws ") }
