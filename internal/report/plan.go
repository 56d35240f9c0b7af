package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/plan"
)

// BuildPlan makes the report of what applying manifests would do. It probes no endpoint, so it lists none.
func BuildPlan(in Input, rows []plan.Row) Report {
	r := Build(in)
	r.Endpoints, r.Plan = []Endpoint{}, append([]plan.Row{}, rows...)
	return r
}

// planColumns head the table of a plan.
var planColumns = [...]string{"OBJECT", "LISTENER", "DECLARED", "ATTACHED", "AFTER APPLY", "NAMES", "VERDICT"}

// planCells are a row of the table: declared → attached → after apply.
func planCells(r Report, row plan.Row) [len(planColumns)]string {
	attached := certificateList(r, row.Attached)
	switch {
	case attached != "":
	case row.AttachedKnown:
		attached = "none"
	case row.Action == plan.Create:
		attached = "not created yet"
	default:
		attached = "unknown"
	}
	would := orElse(certificateList(r, row.Would), "none")
	switch row.Action {
	case plan.Discover:
		would = "not known yet"
	case plan.Remove:
		would = "no listener"
	}
	if row.Action == plan.Unknown && len(row.Would) == 0 && row.Verdict != plan.Refuse { // refused without a certificate is "none"
		would = "unknown"
	}
	return [...]string{
		objectAndPort(row), orElse(row.Listener, "unknown"),
		orElse(certificateList(r, row.Declared), "-"), attached, would, nameList(row.Names), verdictText(row),
	}
}

// objectAndPort is OBJECT:PORT, without a port where that is not known.
func objectAndPort(row plan.Row) string {
	if row.Port == 0 {
		return row.Object
	}
	return fmt.Sprintf("%s:%d", row.Object, row.Port)
}

// certificateList shows the first certificate, and how many more there are.
func certificateList(r Report, certs []plan.Certificate) string {
	if len(certs) == 0 {
		return ""
	}
	c := certs[0]
	text := certificateName(r.Plan, c)
	switch {
	case c.Missing:
		text += " (deleted)"
	case c.NotAfter != nil && c.NotAfter.Before(r.At):
		text += " (expired " + c.NotAfter.Format("2006-01-02") + ")"
	case c.NotAfter != nil:
		text += " (until " + c.NotAfter.Format("2006-01-02") + ")"
	}
	if more := len(certs) - 1; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

// certificateName is the shortest name that distinguishes a certificate from the plan's others: the first part of ACM's UUID,
// the name of IAM's, a fingerprint, or the issuer.
func certificateName(rows []plan.Row, c plan.Certificate) string {
	id := lastPart(c.ARN)
	switch {
	case id == "" && c.FingerprintSHA256 != "":
		return c.FingerprintSHA256[:min(len(c.FingerprintSHA256), 16)] + "…"
	case id == "":
		return "issued by " + c.Issuer
	case len(id) != 36 || strings.Count(id, "-") != 4:
		return id
	}
	for _, row := range rows {
		for _, other := range slices.Concat(row.Declared, row.Attached, row.Would) {
			if o := lastPart(other.ARN); o != id && strings.HasPrefix(o, id[:8]) {
				return id
			}
		}
	}
	return id[:8]
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// nameList shows the names, those first that would not be covered.
func nameList(names []plan.Name) string {
	const few = 3
	var lost, others []string
	for _, n := range names {
		switch {
		case n.Covered == nil:
			others = append(others, "? "+n.Name)
		case *n.Covered:
			others = append(others, "✓ "+n.Name)
		default:
			lost = append(lost, "✗ "+n.Name)
		}
	}
	all := append(lost, others...)
	if len(all) == 0 {
		return "-"
	}
	text := strings.Join(all[:min(len(all), few)], " ")
	if more := len(all) - few; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

func verdictText(row plan.Row) string {
	text := string(row.Verdict)
	if row.Verdict == plan.Pass {
		text = map[plan.Action]string{
			plan.Keep: "unchanged", plan.Change: "changes", plan.Create: "new", plan.Unknown: "as declared",
		}[row.Action]
		if row.Action == plan.Unknown && len(row.Declared) == 0 {
			text = "covers its names"
		}
	}
	if len(row.Reasons) > 0 {
		text += ": " + row.Reasons[0]
	}
	if more := len(row.Reasons) - 1; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

// plan writes the table of a plan, and what is unknown.
func (t text) plan(r Report) {
	if len(r.Plan) == 0 {
		fmt.Fprintf(t.w, "No load balancer's certificate is declared in these manifests.\n\n")
		return
	}
	lines := [][len(planColumns)]string{planColumns}
	for _, row := range r.Plan {
		lines = append(lines, planCells(r, row))
	}
	var width [len(planColumns)]int
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			gap := "  "
			if i == 2 || i == 3 {
				gap = " → "
			}
			if i == len(line)-1 {
				b.WriteString(cell)
				break
			}
			b.WriteString(cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)))
			if n == 0 {
				gap = strings.Repeat(" ", utf8.RuneCountInString(gap))
			}
			b.WriteString(gap)
		}
		if n == 0 {
			fmt.Fprintf(t.w, "  %s\n", t.style(RoleFaint, b.String()))
			continue
		}
		mark, role := planMark(r.Plan[n-1])
		fmt.Fprintf(t.w, "%s %s\n", t.style(role, mark), t.style(role, b.String()))
	}
	fmt.Fprintln(t.w)
	if notes := notKnown(r.Plan); len(notes) > 0 {
		fmt.Fprintln(t.w, "Unknown:")
		for _, note := range notes {
			fmt.Fprintf(t.w, "  %s\n", note)
		}
		fmt.Fprintln(t.w)
	}
}

// planMark is a row's mark, after terraform's.
func planMark(row plan.Row) (string, Role) {
	switch row.Verdict {
	case plan.Refuse:
		return "✗", RoleCritical
	case plan.Undecided:
		return "?", RoleWarning
	case plan.Warn:
		return "!", RoleWarning
	}
	switch row.Action {
	case plan.Create:
		return "+", RoleGood
	case plan.Change:
		return "~", RoleGood
	}
	return "=", RolePlain
}

// notKnown is what a plan could not check, each once.
func notKnown(rows []plan.Row) []string {
	var notes []string
	attached := 0
	for _, row := range rows {
		notes = append(notes, row.NotKnown...)
		if row.Action == plan.Unknown {
			attached++
		}
	}
	slices.Sort(notes)
	notes = slices.Compact(notes)
	if attached > 0 {
		notes = append([]string{"what is attached now to " + Count(attached, "listener") + ", so whether applying changes it or undoes someone's change"}, notes...)
	}
	return notes
}

// planLine is the last line of a plan, as terraform's.
func planLine(r Report) string {
	c := plan.CountRows(r.Plan)
	line := fmt.Sprintf("Plan: %d to create, %d to change, %d unchanged", c.Create, c.Change, c.Keep)
	for _, more := range []struct {
		n    int
		what string
	}{{c.Remove, "to remove"}, {c.Unknown, "not compared with AWS"}, {c.Discover, "not known yet"}} {
		if more.n > 0 {
			line += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	line += fmt.Sprintf("; %d refused", c.Refused)
	if c.Undecided > 0 {
		line += fmt.Sprintf(", %d undecided", c.Undecided)
	}
	line += "."
	if r.Verdict == Fail {
		line += " Do not apply."
	}
	if !r.Complete {
		line += " Incomplete: some checks could not be run."
	}
	return line
}

// markdownPlan writes the table for a pull request's comment.
func markdownPlan(b *strings.Builder, r Report) {
	if len(r.Plan) == 0 {
		b.WriteString("\nNo load balancer's certificate is declared in these manifests.\n")
		return
	}
	b.WriteString("\n| | Object | Listener | Declared | Attached | After apply | Names | Verdict |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	grow(b, markdownTable, "\nand %s\n", len(r.Plan), "more listener", func(i int) string {
		mark, _ := planMark(r.Plan[i])
		line := "| " + mark
		for _, cell := range planCells(r, r.Plan[i]) {
			line += " | " + markdown(cell)
		}
		return line + " |\n"
	})
	if notes := notKnown(r.Plan); len(notes) > 0 {
		b.WriteString("\nUnknown:\n\n")
		grow(b, markdownTable, "- and %s\n", len(notes), "more item", func(i int) string { return "- " + markdown(notes[i]) + "\n" })
	}
}

// planCases makes a JUnit case of each row; its findings are found by the manifest's place.
func (r Report) planCases() []junitCase {
	var cases []junitCase
	for _, row := range r.Plan {
		c := junitCase{ClassName: "plan", Name: finding.Clean(strings.TrimSpace(objectAndPort(row)+" "+row.Listener), textLimit), Time: seconds(0)}
		cells := planCells(r, row)
		line := fmt.Sprintf("declared %s → attached %s → after apply %s; %s\n%s\n", cells[2], cells[3], cells[4], cells[5], cells[6])
		switch {
		case row.Verdict == plan.Refuse, row.Verdict == plan.Warn && r.FailOn == finding.Warning:
			c.Failure = &junitProblem{Message: orElse(strings.Join(row.Reasons, "; "), string(row.Verdict)), Type: string(finding.DriftManifest), Text: line + plain(r.about(row))}
		case row.Verdict == plan.Undecided:
			c.Error = &junitProblem{Message: strings.Join(row.NotKnown, "; "), Type: string(finding.ObserveIncomplete), Text: line}
		default:
			c.SystemOut = &junitText{line}
		}
		cases = append(cases, c)
	}
	return cases
}

// about are the findings of a row.
func (r Report) about(row plan.Row) []finding.Finding {
	var fs []finding.Finding
	for _, f := range r.Findings {
		if f.Code == finding.DriftManifest && f.Subject.Source.Object == row.Object && f.Subject.Source.Line == row.Source.Line &&
			(f.Listener == "" || f.Listener == row.Listener) {
			fs = append(fs, f)
		}
	}
	return fs
}
