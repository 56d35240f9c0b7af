package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// Problem is the findings of one cause in one environment, as an incident groups them: a report that keeps no state shows them together
// as an alert does.
type Problem struct {
	Environment string
	// Findings are those of the cause, the one that explains the others first.
	Findings []finding.Finding
}

// Problems groups a round's findings of severity warning and above by what causes them, the worst problem first. It decides nothing of
// its own: these are the incidents of a round that nothing is remembered for.
func Problems(fs []finding.Finding) []Problem {
	b := newTracker(Input{Findings: fs})
	for _, g := range groupFindings(fs) {
		b.assign(g)
	}
	var all []Problem
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		if e := b.entries[key]; len(e.present) > 0 {
			all = append(all, Problem{e.record.Environment, e.present})
		}
	}
	slices.SortStableFunc(all, func(x, y Problem) int {
		return cmp.Or(
			cmp.Compare(y.Severity(), x.Severity()), cmp.Compare(x.Environment, y.Environment), cmp.Compare(rank(x.Cause().Code), rank(y.Cause().Code)),
			cmp.Compare(x.Cause().Endpoint, y.Cause().Endpoint), cmp.Compare(x.Cause().Listener, y.Cause().Listener),
		)
	})
	return all
}

// Cause is the finding that explains the others.
func (p Problem) Cause() finding.Finding { return p.Findings[0] }

// Consequences are the other findings.
func (p Problem) Consequences() []finding.Finding { return p.Findings[1:] }

// Severity is the worst of the findings'.
func (p Problem) Severity() finding.Severity { return finding.Worst(p.Findings) }

// Affects are the endpoints (ENVIRONMENT/NAME) that any of the findings is about, sorted.
func (p Problem) Affects() []string {
	var all []string
	for _, f := range p.Findings {
		all = append(all, f.Endpoints()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Remedies are what to do, in order: for each code once, but for a drift on every listener. What fixes the cause fixes some of the others
// too, and their own remedies are left out.
func (p Problem) Remedies() []string {
	var all []string
	first := p.Cause()
	seen := map[finding.Code]bool{}
	for _, f := range p.Findings {
		remedy := strings.TrimSpace(f.Remedy)
		if remedy == "" || slices.Contains(all, remedy) || seen[f.Code] && !explains(f.Code) || f.Code != first.Code && p.fixes(f) {
			continue
		}
		seen[f.Code] = true
		all = append(all, remedy)
	}
	return all
}

// fixes reports whether the cause's remedy is also that of a consequence, or is to come first: what else makes the listener present another
// certificate is judged anew once the cause is fixed.
func (p Problem) fixes(f finding.Finding) bool {
	cause := p.Cause()
	if explains(cause.Code) && explains(f.Code) && f.Code != cause.Code && !cause.DeclarationOutdated() {
		return true
	}
	if at := f.Subject.Source; f.Code == finding.DriftManifest && at.File != "" {
		return strings.Contains(cause.Remedy, at.File)
	}
	return f.Code.FixedBy(cause.Code) && !cause.DeclarationOutdated()
}
