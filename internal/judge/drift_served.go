package judge

import (
	"certdrift/internal/finding"
)

func judgeServed(e *endpoint) []finding.Finding {
	l := e.listener
	if l == nil || !e.Target.Kind.Secured() || !l.Secure() || l.settling() {
		return nil
	}
	got, known := l.offer(e.Target.Host)
	if !known || got.leafOf() == nil {
		return nil
	}
	var found []finding.Finding
	for _, c := range e.connections {
		if len(c.certs) == 0 || l.couldServe(e.Target.Host, c) {
			continue
		}
		served := &held{leaf: c.certs[0]}
		severity, note := finding.Critical, ""
		if twins(got.leaf, served.leaf) {
			severity, note = finding.Warning, ": another certificate, but the same key and names"
		}
		evidence := finding.Evidence{"attached": got.evidence(got.ARN), "served": served.evidence("")}
		if d := e.declared(); d != nil {
			evidence["declared"] = e.world.declaredEvidence(*d)
		}
		l.blame(evidence, got.ARN, l.world.origin(got.ARN, got.held, always))
		f := l.finding(finding.DriftServed, severity, []*endpoint{e},
			finding.Clean(e.Target.Host, finding.QuoteLimit)+" serves "+served.label("")+" though listener "+l.label()+" has "+got.label(got.ARN)+" attached"+note,
			evidence, servedRemedy(c, got))
		f.Address = c.Address.Address
		found = append(found, f)
	}
	return found
}

func servedRemedy(c *connection, got *attachment) string {
	l := c.endpoint.listener
	return "See where the name leads (dig " + shell(c.host) + "), and whether the address is the load balancer's. If it is, attach the certificate once more:\n" +
		l.attachAgain(got)
}
