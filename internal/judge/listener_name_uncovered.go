package judge

import (
	"certdrift/internal/finding"
)

func listenerNameUncovered() rule {
	return rule{
		Entry: Entry{
			Code: finding.ListenerNameUncovered, Group: "listener",
			Severity: "critical",
			Title:    "No attached certificate covers an endpoint's name",
			Meaning: "The endpoint's clients reach this listener, and whichever of its certificates they get, the name does not match. " +
				"Seen from AWS's side, so it shows even where the endpoint itself can't be reached. Where a wrong certificate " +
				"was attached in place of a declared one, drift-attached says so instead.",
			Check: "aws elbv2 describe-listener-certificates --region REGION --listener-arn ARN; " +
				"aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.SubjectAlternativeNames",
			Remedy: "Attach a certificate for the name: in place of the one there (classic), or beside it (`aws elbv2 add-listener-certificates`).",
			Source: "RFC 9525 §6 (verifying service identity)",
		},
		listener: judgeUncovered,
	}
}

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
