package judge

import (
	"maps"
	"slices"

	"certdrift/internal/finding"
)

// use is a certificate that some listener has attached, with the listeners and the endpoints that get it.
type use struct {
	held      *held
	listeners []*listener
	endpoints []*endpoint
}

// used lists the attached certificates by ARN, each once however many listeners share it.
func (w *world) used() []use {
	byARN := map[string]*use{}
	for _, l := range w.listeners {
		for _, a := range l.attached {
			if a.held == nil {
				continue
			}
			u := byARN[a.ARN]
			if u == nil {
				u = &use{held: a.held}
				byARN[a.ARN] = u
			}
			u.listeners = append(u.listeners, l)
			u.endpoints = append(u.endpoints, l.wanted(a.ARN)...)
		}
	}
	var out []use
	for _, arn := range slices.Sorted(maps.Keys(byARN)) {
		out = append(out, *byARN[arn])
	}
	return out
}

// findings makes one finding for each environment whose endpoints get the certificate.
func (u use) findings(code finding.Code, severity finding.Severity, summary, remedy string, facts finding.Evidence) []finding.Finding {
	groups := byEnvironment(u.endpoints)
	if len(groups) == 0 {
		groups, severity = []group{{}}, min(severity, finding.Warning)
	}
	var labels []string
	for _, l := range u.listeners {
		labels = append(labels, l.label())
	}
	slices.Sort(labels)
	var found []finding.Finding
	for _, g := range groups {
		evidence := maps.Clone(facts)
		evidence["certificate"] = u.held.evidence(u.held.record.ARN)
		evidence["listeners"] = labels
		u.listeners[0].world.announce(evidence, u.held.record.ARN)
		f := finding.Finding{Code: code, Severity: severity, Summary: summary, Evidence: evidence, Remedy: remedy}
		if len(u.listeners) == 1 {
			f = u.listeners[0].finding(code, severity, nil, summary, evidence, remedy)
		}
		f.Cause = certificateCause(u.held.record.ARN, u.held)
		suffer(&f, g.endpoints)
		found = append(found, f)
	}
	return found
}
