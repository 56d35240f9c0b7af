package topology

import (
	"cmp"
	"slices"

	"certdrift/internal/finding"
)

// Finding returns a finding about the listener. es are the endpoints affected, of one environment; the finding is one
// endpoint's own where there is just one.
func (l *Listener) Finding(code finding.Code, severity finding.Severity, es []*Endpoint, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	if evidence == nil {
		evidence = finding.Evidence{}
	}
	f := finding.Finding{
		Code: code, Severity: severity, Listener: l.Label(), Subject: finding.Subject{Listener: l.Subject()},
		Summary: summary, Evidence: evidence, Remedy: remedy, Cause: l.Cause(),
	}
	Affect(&f, es)
	return f
}

// Subject identifies the listener in a finding.
func (l *Listener) Subject() finding.Listener {
	lb, clean := l.LoadBalancer, func(text string) string { return finding.Clean(text, finding.QuoteLimit) }
	return finding.Listener{
		Region: clean(lb.Region), Account: clean(lb.Account), ARN: clean(cmp.Or(l.ARN, lb.ARN)), LoadBalancerARN: clean(lb.ARN), Kind: clean(string(lb.Kind)),
	}
}

// AttachedFacts are the listener's certificates as a finding shows them.
func (l *Listener) AttachedFacts() []finding.Certificate {
	out := make([]finding.Certificate, 0, len(l.Attached))
	for _, a := range l.Attached {
		out = append(out, a.Fact(a.ARN))
	}
	return out
}

// Affect names in a finding the endpoints that are affected, which are of one environment.
func Affect(f *finding.Finding, es []*Endpoint) {
	if len(es) == 0 {
		return
	}
	f.Environment = es[0].Target.Environment
	if len(es) == 1 {
		f.Endpoint = es[0].Target.Name
		return
	}
	for _, e := range es {
		f.Affects = append(f.Affects, e.Target.Key())
	}
	slices.Sort(f.Affects)
	f.Affects = slices.Compact(f.Affects)
}
