package judge

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/plan"
)

// Preview returns what applying the round's manifests would do, with the findings that matter before a deploy: those of the
// plan, errors in the configuration, and what could not be observed. Problems that exist already and have nothing to do with
// the manifests are left out. The conclusion is incomplete where a row is undecided.
//
// It is here and not in plan because errors in the configuration and what could not be observed are judge's rules, which
// build on plan.
func Preview(in Input) ([]plan.Row, finding.Conclusion) {
	in.Round.Planned = true
	j := newJudgment(in)
	out := j.conclude(slices.DeleteFunc(rules(), func(r rule) bool { return !besideThePlan(r.Code) }))
	rows, found := plan.Preview(j.Topology, in.Policy)
	out.Complete = out.Complete && !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Cause == plan.UndecidedCause })
	out.Findings = append(out.Findings, found...)
	finding.Sort(out.Findings)
	return rows, out
}

// besideThePlan reports whether a code matters before a deploy, whatever the manifests declare.
func besideThePlan(code finding.Code) bool {
	return code.Class() == finding.ClassSelf && code != finding.AlertPathBroken
}
