package report

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/plan"
)

// planCases makes a JUnit case of each row; its findings are found by the manifest's place.
func (r Report) planCases() []junitCase {
	var cases []junitCase
	for i, row := range PlanRows(r) {
		of := r.Plan[i]
		c := junitCase{ClassName: "plan", Name: strings.TrimSpace(row.Object + " " + row.Listener), Time: seconds(0)}
		text := row.plain()
		switch {
		case of.Verdict == plan.Refuse, of.Verdict == plan.Warn && r.FailOn == finding.Warning:
			c.Failure = &junitProblem{Message: orElse(strings.Join(row.Reasons, "; "), string(of.Verdict)), Type: string(finding.DriftManifest), Text: text + plain(r.About(of))}
		case of.Verdict == plan.Undecided:
			c.Error = &junitProblem{Message: strings.Join(row.NotKnown, "; "), Type: string(finding.ObserveIncomplete), Text: text}
		default:
			c.SystemOut = &junitText{text}
		}
		cases = append(cases, c)
	}
	return cases
}

// plain is a row in plain text.
func (p PlanRow) plain() string {
	column := func(all []PlanCertificate) string {
		var out []string
		for _, c := range all {
			out = append(out, strings.TrimSpace(c.Sign+" "+c.Text))
		}
		return strings.Join(out, ", ")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: declared %s → attached %s → after apply %s\n", p.Word, column(p.Declared), column(p.Attached), column(p.After))
	for _, n := range p.Names {
		fmt.Fprintf(&b, "%s %s: %s\n", n.Mark, n.Name, n.Text)
	}
	for _, line := range p.Remedy {
		b.WriteString(line + "\n")
	}
	return b.String()
}
