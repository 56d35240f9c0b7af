package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/plan"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// PlanStates are the states of a plan's rows that a count shows, worst first: with how many rows there are, and the words for that.
func PlanStates(r Report) []PlanState {
	var out []PlanState
	count := plan.CountRows(r.Plan)
	for _, s := range plan.States() {
		if n := count.ByState[s]; n > 0 {
			_, role := planMark(s)
			out = append(out, PlanState{s, n, planCountWord(s, n), role})
		}
	}
	return out
}

// PlanState is how many rows are in one state.
type PlanState struct {
	State plan.State
	Count int
	Word  string
	Role  Role
}

// planWord is a row's state for people.
func planWord(s plan.State) string {
	switch s {
	case plan.AsDeclared:
		return "as declared"
	case plan.CoversItsName:
		return "names covered"
	}
	return string(s)
}

func planCountWord(s plan.State, n int) string {
	switch {
	case s == plan.WithWarning && n == 1:
		return "with a warning"
	case s == plan.WithWarning:
		return "with warnings"
	}
	return planWord(s)
}

// planMark is a state's mark, after terraform's, and its color.
func planMark(s plan.State) (string, Role) {
	switch s {
	case plan.Refused:
		return "✗", RoleCritical
	case plan.NotDecided:
		return "?", RoleWarning
	case plan.WithWarning:
		return "!", RoleWarning
	case plan.New:
		return "+", RoleGood
	case plan.Changes:
		return "~", RoleGood
	case plan.Removes:
		return "-", RolePlain
	}
	return "=", RolePlain
}

// PlanOutcome is what a plan comes to. It speaks for applying only where every row was compared and none is refused.
type PlanOutcome struct {
	Title, Sentence string
	Verdict         Verdict
}

// Outcome is what the report's plan comes to, in the formats for people; the same as its exit status says, unless --fail-on never
// has it report only.
func Outcome(r Report) PlanOutcome {
	count := plan.CountRows(r.Plan)
	switch {
	case count.ByState[plan.Refused] > 0:
		return PlanOutcome{"Do not apply", "Do not apply: it would break an endpoint, undo a change, or attach a certificate that is not declared.", Fail}
	case slices.ContainsFunc(r.Findings, misconfigured):
		return PlanOutcome{"Do not apply yet", "Do not apply yet: the configuration or a manifest has errors, so not everything was compared.", Incomplete}
	case count.ByState[plan.NotDecided] > 0, !r.Complete:
		return PlanOutcome{"Do not apply yet", "Do not apply yet: not everything could be compared, so it is unknown whether applying is safe.", Incomplete}
	case r.Verdict == Fail:
		return PlanOutcome{"Do not apply", "Do not apply: there are warnings, and --fail-on warning was given.", Fail}
	case len(r.Plan) == 0:
		return PlanOutcome{"Nothing to compare", NoListeners, Pass}
	case count.ByState[plan.WithWarning] > 0:
		return PlanOutcome{"Safe to apply, with warnings", "Safe to apply: every listener was compared. Read the warnings first.", Pass}
	}
	return PlanOutcome{"Safe to apply", "Safe to apply: every listener was compared.", Pass}
}

// Caveat is what a plan that speaks for applying could not see; empty where it saw all.
func Caveat(r Report) string {
	unseen := 0
	for _, row := range r.Plan {
		if row.State == plan.AsDeclared || row.State == plan.CoversItsName {
			unseen++
		}
	}
	if unseen == 0 || Outcome(r).Verdict != Pass {
		return ""
	}
	return "What is attached to " + prose.Count(unseen, "listener") + " now is not known: applying may undo someone's change."
}

// NoListeners is what a plan without rows says.
const NoListeners = "No load balancer's certificate is declared in these manifests."

// planLine is the last line of a plan: how many listeners, and how many of each state.
func planLine(r Report) string {
	count := plan.CountRows(r.Plan)
	line := prose.Count(count.Listeners, "listener")
	if count.Others > 0 {
		line = prose.Count(count.Others, "object") + " not read"
		if count.Listeners > 0 {
			line = prose.Count(count.Listeners, "listener") + " and " + line
		}
	}
	var states []string
	for _, s := range PlanStates(r) {
		states = append(states, fmt.Sprintf("%d %s", s.Count, s.Word))
	}
	if len(states) > 0 {
		line += ": " + strings.Join(states, ", ")
	}
	line += "."
	if outcome := Outcome(r); len(r.Plan) > 0 || outcome.Verdict != Pass {
		line += " " + outcome.Title + "."
	}
	if !r.Complete && count.ByState[plan.NotDecided] == 0 {
		line += " Incomplete: some checks could not be run."
	}
	return line
}

// certificateIDs are the shortest names that distinguish the certificates of a plan, by ARN, and by its resource where no other has that.
type certificateIDs map[string]string

// planIDs gives ACM's certificates the beginning of their UUID, as alerts do, as long as no other begins like it, and IAM's their names.
func planIDs(rows []plan.Row) certificateIDs {
	ids := certificateIDs{}
	for _, row := range rows {
		for _, c := range slices.Concat(row.Declared, row.Attached, row.Would) {
			ids[c.ARN] = ""
		}
		for _, n := range row.Names {
			for _, arn := range append(n.Candidates, n.ARN, n.Now) {
				ids[arn] = ""
			}
		}
	}
	delete(ids, "")
	short, whole := map[string]int{}, map[string]int{}
	for text := range ids {
		short[shortID(text)]++
		whole[wholeID(text)]++
	}
	for text := range ids {
		id := text
		switch {
		case short[shortID(text)] == 1:
			id = shortID(text)
		case whole[wholeID(text)] == 1:
			id = wholeID(text)
		}
		ids[text] = finding.Clean(id, textLimit)
	}
	resources := certificateIDs{} // as sentences name certificates, where only one is meant
	for text, id := range ids {
		resource := topology.ShortARN(text)
		if _, twice := resources[resource]; twice {
			id = ""
		}
		resources[resource] = id
	}
	maps.Copy(resources, ids)
	return resources
}

func wholeID(text string) string { return text[strings.LastIndexByte(text, '/')+1:] }

func shortID(text string) string {
	id := wholeID(text)
	if a, ok := arn.Split(text); ok && a.Service == "acm" && len(id) == 36 && strings.Count(id, "-") == 4 {
		return id[:8] + "…"
	}
	return id
}

func (ids certificateIDs) of(arn string) string {
	if id := ids[arn]; id != "" {
		return id
	}
	return finding.Clean(arn, textLimit)
}

func (ids certificateIDs) all(arns []string) []string {
	var out []string
	for _, a := range arns {
		out = append(out, ids.of(a))
	}
	return out
}

var (
	wholeARN = regexp.MustCompile(`arn:[a-z-]+:(?:acm|iam):[a-z0-9-]*:[0-9]*:(?:server-)?certificate/[A-Za-z0-9+=,.@_/-]*[A-Za-z0-9+=@_/-]`)
	shortARN = regexp.MustCompile(`\bcertificate/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
)

// sentence is a text in which certificates have the names that the columns show; those that no column has keep what they have.
func (ids certificateIDs) sentence(text string) string {
	return ids.shorten(wholeARN.ReplaceAllStringFunc(text, func(whole string) string { return cmp.Or(ids[whole], whole) }))
}

// shorten is the same for a text whose whole ARNs are meant to be copied.
func (ids certificateIDs) shorten(text string) string {
	var b strings.Builder
	for {
		at := shortARN.FindStringIndex(text)
		if at == nil {
			return b.String() + text
		}
		name := text[at[0]:at[1]]
		if at[0] == 0 || text[at[0]-1] != ':' { // else it is the end of an ARN
			name = cmp.Or(ids[name], name)
		}
		b.WriteString(text[:at[0]] + name)
		text = text[at[1]:]
	}
}

// text is a certificate by what people know it by: its first name, the end of its ARN, and its last day.
func (ids certificateIDs) text(r Report, c plan.Certificate) string {
	var facts []string
	id := ids.of(c.ARN)
	switch {
	case c.ARN != "":
	case c.FingerprintSHA256 != "":
		id = "SHA-256 " + finding.Clean(c.FingerprintSHA256[:min(len(c.FingerprintSHA256), 16)], textLimit) + "…"
	default:
		id = "any certificate issued by " + finding.Clean(c.Issuer, textLimit)
	}
	if len(c.Names) > 0 {
		facts = append(facts, id)
		id = finding.Clean(c.Names[0], textLimit)
		if more := max(c.NameCount, len(c.Names)) - 1; more > 0 {
			id += fmt.Sprintf(" +%d", more)
		}
	}
	switch {
	case c.Missing:
		facts = append(facts, "deleted")
	case c.NotAfter != nil && c.NotAfter.Before(r.At):
		facts = append(facts, "expired "+prose.Day(*c.NotAfter))
	case c.NotAfter != nil:
		facts = append(facts, "until "+prose.Day(*c.NotAfter))
	}
	if len(facts) == 0 {
		return id
	}
	return id + " (" + strings.Join(facts, ", ") + ")"
}
