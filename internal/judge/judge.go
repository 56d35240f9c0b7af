// Package judge turns observations into findings. It is pure: policy, trust stores and the time are arguments, and the
// same input gives the same output, so any verdict can be replayed from a saved observation.
//
// One rule stands in one file and owns one code; rules() lists them all. A rule that panics is caught and named, the
// others still judge, and the conclusion is incomplete.
package judge

import (
	"fmt"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Input is all that a judgement depends on.
type Input struct {
	Policy Policy
	// Roots gives the trust store of a name; it is asked once per name and round.
	Roots func(target.Roots) *chain.Store
	Now   time.Time
	Round observation.Round
}

// Conclusion is what a round comes to.
type Conclusion struct {
	// Findings are in finding.Sort's order.
	Findings []finding.Finding
	// Complete is false where certdrift could not see or judge all it should.
	Complete bool
}

// Judge applies every rule to everything the round saw.
func Judge(in Input) Conclusion {
	w := newWorld(in)
	var out Conclusion
	out.Complete = len(in.Round.Troubles) == 0
	for _, r := range rules() {
		found, err := apply(r, w)
		if err != nil {
			out.Complete = false
			found = append(found, ruleFailed(r.Code, err))
		}
		out.Findings = append(out.Findings, found...)
	}
	out.Findings = collapse(out.Findings, w)
	finding.Sort(out.Findings)
	return out
}

// apply runs one rule over all its subjects. What it found before a panic is kept.
func apply(r rule, w *world) (found []finding.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("rule %s panicked: %v", r.Code, p)
		}
	}()
	if r.connection != nil {
		for _, c := range w.connections {
			found = append(found, r.connection(c)...)
		}
	}
	if r.endpoint != nil {
		for _, e := range w.endpoints {
			found = append(found, r.endpoint(e)...)
		}
	}
	if r.listener != nil {
		for _, l := range w.listeners {
			found = append(found, r.listener(l)...)
		}
	}
	if r.round != nil {
		found = append(found, r.round(w)...)
	}
	return found, nil
}

func ruleFailed(code finding.Code, err error) finding.Finding {
	return finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning,
		Summary:  fmt.Sprintf("the rule %s could not judge this round; the other rules did", code),
		Evidence: finding.Evidence{"rule": string(code), "error": finding.Clean(err.Error(), finding.QuoteLimit)},
		Remedy:   "This is a fault in certdrift: save the round with `certdrift check --save observations.json` and report it.",
		Cause:    "certdrift:judge",
	}
}
