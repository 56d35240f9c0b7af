package judge

import (
	"certdrift/internal/finding"
)

func judgeUncovered(l *listener) []finding.Finding {
	if !l.Secure() || l.loadBalancer.Partial {
		return nil
	}
	attached := make([]map[string]any, 0, len(l.attached))
	for _, a := range l.attached {
		if !a.named() {
			return nil // it may be the one
		}
		attached = append(attached, a.evidence(a.ARN))
	}
	var found []finding.Finding
	for _, g := range grouped(l.endpoints, l.uncoveredKey) {
		names := hosts(g.endpoints)
		evidence := finding.Evidence{"names": cleanAll(names), "attached": side(attached)}
		var byline string
		if len(l.attached) == 1 { // of several, any may have covered it before
			byline = l.accuse(evidence, l.world.origin(l.attached[0].ARN, l.attached[0].held, l.world.brought))
		}
		found = append(found, l.finding(finding.ListenerNameUncovered, finding.Critical, g.endpoints,
			"no certificate of listener "+l.label()+" covers "+some(names)+byline, evidence,
			"Attach a certificate for "+some(names)+":\n"+l.attachCommand("ARN", names[0])))
	}
	return found
}

// uncoveredKey leaves out the endpoints that some certificate covers, and those whose drift finding tells of it.
func (l *listener) uncoveredKey(e *endpoint) string {
	if !e.Target.Kind.Secured() {
		return "-"
	}
	if d := e.drifted(); d.broken(e) || d != nil && d.got == nil {
		return "-"
	}
	for _, a := range l.attached {
		if a.covers(e.Target.Host) {
			return "-"
		}
	}
	return ""
}
