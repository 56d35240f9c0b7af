package round

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// history looks up who last changed the load balancers whose findings come of a change, of a listener or of a certificate
// itself, whose author is not known or only claimed, and what was there before; true where it found any, or where the
// look-up failed, which a finding says then.
func (r *Runner) history(ctx context.Context, res *Result) bool {
	if r.History == nil {
		return false
	}
	changed := map[string]bool{}
	for _, f := range res.Conclusion.Findings {
		if unexplained(f) {
			name, _, _ := strings.Cut(listenerOf(f), ":")
			changed[name] = true
		}
	}
	var balancers []observation.LoadBalancer
	for _, lb := range res.Round.LoadBalancers {
		if changed[lb.Name] {
			balancers = append(balancers, lb)
		}
	}
	if len(balancers) == 0 {
		return false
	}
	changes, err := r.History.LastChanges(ctx, balancers)
	if err != nil {
		// Who did it is worth knowing, but not knowing it is no fault of the endpoint.
		r.warn(ctx, "looking up the author of a change failed", err)
		res.Round.HistoryUnread = err.Error()
	}
	recorded := map[string]bool{}
	for _, c := range changes {
		recorded[c.EventID] = c.EventID != ""
	}
	// What CloudTrail itself recorded goes before what an event claims of the same change.
	claims := slices.DeleteFunc(res.Round.Changes, func(c observation.Change) bool { return recorded[c.EventID] })
	res.Round.Changes = append(changes, claims...)
	return len(changes) > 0 || err != nil
}

// unexplained reports whether a finding comes of a change, and names its author by no more than an event's claim; or of a drift
// not what was before.
func unexplained(f finding.Finding) bool {
	by := f.Attribution.Change
	confirmed := by != nil && by.Confirmed
	if f.Code.Class() == finding.ClassDrift {
		return !confirmed || f.Attribution.Before == nil
	}
	return by != nil && !confirmed || f.Attribution.Unknown != ""
}

// listenerOf is the listener that a finding is about, or that the endpoint is behind whose certificate it is about.
func listenerOf(f finding.Finding) string {
	return cmp.Or(f.Listener, f.Subject.Behind)
}
