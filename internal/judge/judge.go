// Package judge turns observations into findings. It is pure: policy, trust stores and the time are arguments, and the
// same input gives the same output, so any verdict can be replayed from a saved observation.
//
// One rule stands in one file and owns one code; rules() lists them all. A rule that panics is caught and named, the
// others still judge, and the conclusion is incomplete.
package judge

import (
	"fmt"
	"slices"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// Input is all that a judgement depends on.
type Input struct {
	Policy policy.Thresholds
	// Roots gives the trust store of a name; it is asked once per name and round.
	Roots func(target.Roots) *chain.Store
	// ClientStores are the trust stores of families of clients; nil for those that are known.
	ClientStores []clients.Store
	Now          time.Time
	Round        observation.Round
	// OnSchedule reports whether no deployment waits for the verdict: what a manifest would break is not broken yet.
	OnSchedule bool
}

// shownFailures is how many of certdrift's own failures are reported: the first few are enough to find them.
const shownFailures = 3

// summaryLimit bounds a finding's summary, in characters.
const summaryLimit = 4000

// Judge applies every rule to everything the round saw.
func Judge(in Input) finding.Conclusion { return newJudgment(in).conclude(rules()) }

// conclude applies the rules. They are an argument so that a test can put a broken one among them.
func (j *judgment) conclude(rules []rule) finding.Conclusion {
	out := finding.Conclusion{Ran: len(j.Round.ObserveErrors) == 0 && len(j.Uncompared()) == 0 && len(j.passedOver()) == 0 && !j.Clock().InDoubt() && len(j.failures) == 0 &&
		!slices.ContainsFunc(j.endpoints, (*endpoint).mayServeDeclared)}
	for _, err := range j.failures[:min(len(j.failures), shownFailures)] {
		out.Findings = append(out.Findings, ruleFailed("building chains", err))
	}
	for _, r := range rules {
		found, err := apply(r, j)
		if err != nil {
			out.Ran = false
			found = append(found, ruleFailed("the rule "+string(r.Code), err))
		}
		out.Findings = append(out.Findings, found...)
	}
	out.Complete = out.Ran && len(j.unreadObjects()) == 0
	out.Findings = suppressExplained(namePairs(out.Findings), j)
	sayClients(out.Findings)
	addChangeAuthor(out.Findings, j)
	doubtClock(out.Findings, j.Clock())
	out.Findings = collapse(out.Findings, j)
	for i, f := range out.Findings {
		out.Findings[i].RestsOn = j.restsOn(f)
		// Rules quote what servers send. The rest of a saved round was a configuration's once, but is a file like any other now.
		out.Findings[i].Summary = finding.Clean(f.Summary, summaryLimit)
	}
	finding.Sort(out.Findings)
	out.Changes = j.changeStatuses(out.Findings)
	return out
}

// apply runs one rule over all its subjects. A panic ends the rule for its subject only; the first is the error.
func apply(r rule, j *judgment) (found []finding.Finding, err error) {
	try := func(judge func() []finding.Finding) {
		defer func() {
			if p := recover(); p != nil && err == nil {
				err = fmt.Errorf("rule %s panicked: %v", r.Code, p)
			}
		}()
		found = append(found, judge()...)
	}
	if r.connection != nil {
		for _, c := range j.connections {
			if c.judges(r.Code) {
				try(func() []finding.Finding { return r.connection(c) })
			}
		}
	}
	if r.endpoint != nil {
		for _, e := range j.endpoints {
			try(func() []finding.Finding { return r.endpoint(e) })
		}
	}
	if r.listener != nil {
		for _, l := range j.Listeners {
			if !j.OutOfScope(l.LoadBalancer) {
				try(func() []finding.Finding { return r.listener(&listener{l, j}) })
			}
		}
	}
	if r.round != nil {
		try(func() []finding.Finding { return r.round(j) })
	}
	return found, err
}

func ruleFailed(what string, err error) finding.Finding {
	return finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning,
		Summary:  fmt.Sprintf("certdrift itself failed at %s; everything else was judged", what),
		Evidence: finding.Evidence{"failed": what, "error": finding.Clean(err.Error(), finding.QuoteLimit)},
		Remedy:   "This is a fault in certdrift: save the round with `certdrift check --save observations.json` and report it.",
		Cause:    "certdrift:judge",
	}
}
