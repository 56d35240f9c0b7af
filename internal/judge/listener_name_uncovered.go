package judge

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func judgeUncovered(l *listener) []finding.Finding {
	if !l.Secure() || l.LoadBalancer.Partial {
		return nil
	}
	if slices.ContainsFunc(l.Attached, func(a *topology.Attachment) bool { return !a.Named() }) {
		return nil // its names are unknown: it may cover them
	}
	var found []finding.Finding
	for _, g := range topology.GroupBy(l.Endpoints, l.uncovered) {
		names := topology.Hosts(g.Endpoints)
		var by finding.Attribution
		if len(l.Attached) == 1 { // with several, any may have covered the name before
			by = l.CertificateAttribution(l.judgment.Import(l.Attached[0].ARN, l.Attached[0].Certificate, l.judgment.Recently))
		}
		f := l.Finding(finding.ListenerNameUncovered, finding.Critical, g.Endpoints,
			"no certificate on listener "+l.Label()+" covers "+topology.Some(names)+byline(by.Change), finding.Evidence{"names": topology.CleanAll(names)},
			"Attach a certificate for "+topology.Some(names)+":\n"+l.AttachCommand("ARN", names[0]))
		f.Certificates.Attached, f.Attribution = l.AttachedFacts(), by
		found = append(found, f)
	}
	return found
}

// uncovered skips endpoints that some certificate covers, and those whose drift finding already reports it.
func (l *listener) uncovered(e *topology.Endpoint) (key string, uncovered bool) {
	if !e.Target.Kind.Secured() {
		return "", false
	}
	if d := e.Drift(); d.Breaks(e) || d != nil && d.Attached == nil {
		return "", false
	}
	return "", !slices.ContainsFunc(l.Attached, func(a *topology.Attachment) bool { return a.Covers(e.Target.Host) })
}
