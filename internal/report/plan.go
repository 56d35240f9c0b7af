package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/plan"
	"certdrift/internal/topology"
)

// BuildPlan makes the report of what applying manifests would do. It probes no endpoint, so it lists none.
func BuildPlan(in Input, rows []plan.Row) Report {
	r := Build(in)
	r.Endpoints, r.Plan = []Endpoint{}, append([]plan.Row{}, rows...)
	return r
}

// PlanRow is a row of a plan as the formats for people show it: declared → attached → after apply, what clients get, and why. All
// texts are clean.
type PlanRow struct {
	State plan.State
	// Word and Mark are the state's.
	Word, Mark string
	Role       Role
	// Object is the declaring object with its port, Listener is LOAD-BALANCER-NAME:PORT or empty; Sources are FILE:LINE.
	Object, Listener string
	Sources          []string
	// Declared, Attached and After are the certificates: the declared ones, those attached now, and those attached after apply.
	Declared, Attached, After []PlanCertificate
	Names                     []PlanName
	// MoreNames is how many names there are beside Names.
	MoreNames         int
	Reasons, NotKnown []string
	// Remedy are the lines of what to do.
	Remedy []string
}

// PlanCertificate is one certificate of a column, or what there is in place of any. Sign is "-" for one that goes, "+" for one that
// comes, "~" for one that stays as something else, and a space for any other.
type PlanCertificate struct{ Sign, Text string }

// PlanName is what clients of one name get.
type PlanName struct{ Mark, Name, Text string }

// The bounds of what a row shows; JSON has all.
const (
	planCertificates = 6
	planNames        = 10
	planLines        = 8
)

// PlanRows are the rows of a plan, the worst first.
func PlanRows(r Report) []PlanRow {
	ids := planIDs(r.Plan)
	rows := make([]PlanRow, 0, len(r.Plan))
	for _, row := range r.Plan {
		rows = append(rows, planRow(r, row, ids))
	}
	return rows
}

func planRow(r Report, row plan.Row, ids certificateIDs) PlanRow {
	out := PlanRow{
		State: row.State, Word: planWord(row.State), Object: finding.Clean(planObject(row), textLimit), Listener: finding.Clean(row.Listener, textLimit),
		Declared: planDeclared(r, row, ids), Attached: planAttached(r, row, ids), After: planAfter(r, row, ids),
		Reasons: fewLines(row.Reasons, ids), NotKnown: fewLines(row.NotKnown, ids),
	}
	out.Mark, out.Role = planMark(row.State)
	for _, o := range row.Objects {
		out.Sources = append(out.Sources, topology.Position(o.Source))
	}
	if len(row.Objects) == 0 {
		out.Sources = append(out.Sources, topology.Position(row.Source))
	}
	slices.Sort(out.Sources)
	out.Sources = slices.DeleteFunc(slices.Compact(out.Sources), func(s string) bool { return s == "" })
	for _, n := range row.Names {
		out.Names = append(out.Names, planName(n, ids))
	}
	slices.SortStableFunc(out.Names, func(a, b PlanName) int { return cmp.Compare(nameRank(a), nameRank(b)) })
	out.MoreNames = max(0, len(out.Names)-planNames)
	out.Names = out.Names[:len(out.Names)-out.MoreNames]
	if strings.TrimSpace(row.Remedy) != "" {
		out.Remedy = lines(ids.shorten(row.Remedy))
	}
	return out
}

// fewLines are the first of some sentences, cleaned, and how many others there are.
func fewLines(texts []string, ids certificateIDs) []string {
	var out []string
	for _, t := range texts[:min(len(texts), planLines)] {
		out = append(out, line1(ids.sentence(t)))
	}
	if more := len(texts) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// planObject is OBJECT:PORT, without a port where that is not known, with the others of the row.
func planObject(row plan.Row) string {
	text := row.Object
	if row.Port != 0 {
		text = fmt.Sprintf("%s:%d", row.Object, row.Port)
	}
	names := []string{row.Object}
	for _, o := range row.Objects {
		if !slices.Contains(names, o.Object) {
			names = append(names, o.Object)
		}
	}
	switch more := names[1:]; {
	case len(more) > 2:
		text += fmt.Sprintf(" and %d more", len(more))
	case len(more) > 0:
		text += " and " + strings.Join(more, " and ")
	}
	return text
}

// Title is the row in a line: what declares, and for which listener.
func (p PlanRow) Title() string {
	if p.Listener == "" {
		return p.Object
	}
	return p.Object + " → " + p.Listener
}

// planDeclared is what the configuration declares for the endpoints.
func planDeclared(r Report, row plan.Row, ids certificateIDs) []PlanCertificate {
	switch {
	case row.NotRead:
		return notes("not known")
	case row.Unaffected:
		return notes("no endpoint is affected")
	case len(row.Endpoints) == 0:
		return notes("no endpoint in the configuration")
	case len(row.Declared) == 0:
		return notes("nothing declared")
	}
	var out []PlanCertificate
	for _, c := range row.Declared {
		out = append(out, PlanCertificate{" ", ids.text(r, c)})
	}
	return bounded(out)
}

// planAttached is what the account has on the listener now.
func planAttached(r Report, row plan.Row, ids certificateIDs) []PlanCertificate {
	var out []PlanCertificate
	for _, c := range row.Attached {
		sign := " "
		switch i := slices.IndexFunc(row.Would, func(w plan.Certificate) bool { return w.ARN == c.ARN }); {
		case i < 0 && (row.WouldKnown || row.Action == plan.Remove):
			sign = "-"
		case i >= 0 && (row.Would[i].Default != c.Default || row.Would[i].Listed != c.Listed):
			sign = "~"
		}
		out = append(out, PlanCertificate{sign, ids.text(r, c) + use(row, c)})
	}
	out = bounded(out)
	switch row.AttachedUnknown {
	case plan.NotLookedUp:
		return append(out, notes("not looked up (offline)")...)
	case plan.NotCreated:
		return append(out, notes("not created yet")...)
	case plan.Unreadable:
		if len(out) > 0 {
			return append(out, notes("others could not be read")...)
		}
		return notes("could not be read")
	}
	if len(out) == 0 {
		return notes("no certificate")
	}
	return out
}

// planAfter is what the listener would hold.
func planAfter(r Report, row plan.Row, ids certificateIDs) []PlanCertificate {
	switch {
	case row.NotRead:
		return notes("not known")
	case row.Action == plan.Remove:
		return notes("no listener")
	}
	var out []PlanCertificate
	for _, c := range row.Would {
		sign := " "
		switch i := slices.IndexFunc(row.Attached, func(a plan.Certificate) bool { return a.ARN == c.ARN }); {
		case i < 0 && (row.AttachedKnown || row.AttachedUnknown == plan.NotCreated):
			sign = "+"
		case i >= 0 && (row.Attached[i].Default != c.Default || row.Attached[i].Listed != c.Listed):
			sign = "~"
		}
		out = append(out, PlanCertificate{sign, ids.text(r, c) + use(row, c)})
	}
	out = bounded(out)
	switch {
	case row.Action == plan.Discover && len(out) == 0:
		return notes("a certificate that is not known yet")
	case !row.WouldKnown && len(out) == 0:
		return notes("not known")
	case !row.WouldKnown:
		return append(out, notes("and others that are not known")...)
	case len(out) == 0:
		return notes("no certificate")
	}
	return out
}

func notes(text string) []PlanCertificate { return []PlanCertificate{{" ", text}} }

// use says what a certificate of a list is there for: the default, or to be selected by name (SNI).
func use(row plan.Row, c plan.Certificate) string {
	switch {
	case len(row.Attached) < 2 && len(row.Would) < 2:
		return ""
	case c.Default && c.Listed:
		return ", default and SNI"
	case c.Default:
		return ", default"
	case c.Listed:
		return ", SNI"
	}
	return ""
}

// bounded shows the default and what changes first, and says how many others there are.
func bounded(all []PlanCertificate) []PlanCertificate {
	if len(all) <= planCertificates {
		return all
	}
	rest := slices.Clone(all[1:])
	slices.SortStableFunc(rest, func(a, b PlanCertificate) int { return cmp.Compare(rank(a.Sign != " "), rank(b.Sign != " ")) })
	out := append([]PlanCertificate{all[0]}, rest[:planCertificates-1]...)
	return append(out, notes(fmt.Sprintf("and %d more", len(all)-planCertificates))...)
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// planName is what clients of a name get now and after apply.
func planName(n plan.Name, ids certificateIDs) PlanName {
	n.Problem = finding.Clean(n.Problem, textLimit)
	out := PlanName{Mark: "?", Name: finding.Clean(n.Name, textLimit), Text: "not known"}
	switch {
	case n.ARN != "":
		out.Text = ids.of(n.ARN)
		if n.Now == n.ARN {
			out.Text += ", as now"
		}
		if n.Problem != "" {
			out.Text += " (" + n.Problem + ")"
		}
	case n.Problem != "":
		out.Text = n.Problem
	case len(n.Candidates) > 0:
		out.Text = "one of " + topology.Some(ids.all(n.Candidates))
	}
	if n.Now != "" && n.Now != n.ARN {
		out.Text = ids.of(n.Now) + " → " + out.Text
	}
	switch {
	case n.Problem != "":
		out.Mark = "✗"
	case n.Covered != nil && *n.Covered:
		out.Mark = "✓"
	}
	return out
}

func nameRank(n PlanName) int { return slices.Index([]string{"✗", "?", "✓"}, n.Mark) }

// PlanFindings are the findings of a plan that no row explains: what certdrift could not read, for one.
func (r Report) PlanFindings() []finding.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool {
		return f.Cause == plan.UndecidedCause || f.Code == finding.DriftManifest && slices.ContainsFunc(r.Plan, func(row plan.Row) bool { return concerns(f, row) })
	})
}

// concerns reports whether a finding is about a row.
func concerns(f finding.Finding, row plan.Row) bool {
	if f.Code != finding.DriftManifest || f.Listener != "" && f.Listener != row.Listener {
		return false
	}
	is := func(object string, line int) bool {
		return f.Subject.Source.Object == object && f.Subject.Source.Line == line
	}
	return is(row.Object, row.Source.Line) || slices.ContainsFunc(row.Objects, func(o plan.Object) bool { return is(o.Object, o.Source.Line) })
}

// About are the findings of a row.
func (r Report) About(row plan.Row) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return !concerns(f, row) })
}
