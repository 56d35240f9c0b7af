package judge

import (
	"maps"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// use is a certificate that some listener has attached, with the listeners and the endpoints that get it.
type use struct {
	certificate *topology.Certificate
	listeners   []*topology.Listener
	endpoints   []*topology.Endpoint
}

// used lists the attached certificates by ARN, each once however many listeners share it.
func (j *judgment) used() []use {
	byARN := map[string]*use{}
	for _, l := range j.Listeners {
		for _, a := range l.Attached {
			if a.Certificate == nil {
				continue
			}
			u := byARN[a.ARN]
			if u == nil {
				u = &use{certificate: a.Certificate}
				byARN[a.ARN] = u
			}
			u.listeners = append(u.listeners, l)
			u.endpoints = append(u.endpoints, l.Receivers(a.ARN)...)
		}
	}
	var out []use
	for _, arn := range slices.Sorted(maps.Keys(byARN)) {
		out = append(out, *byARN[arn])
	}
	return out
}

// findings makes one finding for each environment whose endpoints get the certificate.
func (u use) findings(j *judgment, code finding.Code, severity finding.Severity, summary, remedy string, facts finding.Evidence) []finding.Finding {
	groups := topology.ByEnvironment(u.endpoints)
	if len(groups) == 0 {
		severity = min(severity, finding.Warning)
	}
	var labels []string
	for _, l := range u.listeners {
		labels = append(labels, l.Label())
	}
	slices.Sort(labels)
	arn := u.certificate.Record.ARN
	var found []finding.Finding
	for _, g := range topology.OrNone(groups) {
		evidence := maps.Clone(facts)
		evidence["certificate"] = u.certificate.Fact(arn).Evidence()
		evidence["listeners"] = labels
		j.announce(evidence, arn)
		f := finding.Finding{Code: code, Severity: severity, Summary: summary, Evidence: evidence, Remedy: remedy}
		if len(u.listeners) == 1 {
			f = u.listeners[0].Finding(code, severity, nil, summary, evidence, remedy)
		}
		f.Cause, f.RestsOn = certificateCause(arn, u.certificate), u.facts()
		topology.Affect(&f, g.Endpoints)
		found = append(found, f)
	}
	return found
}
