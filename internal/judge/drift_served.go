package judge

import (
	"certdrift/internal/finding"
)

func driftServed() rule {
	return rule{
		Entry: Entry{
			Code: finding.DriftServed, Group: "drift",
			Severity: "critical; a warning where the served certificate has the same key and names",
			Title:    "An address serves another certificate than the one attached",
			Meaning: "The listener's record and the handshake disagree: a node that did not take the change, DNS that leads elsewhere (another " +
				"load balancer, a CDN, a proxy in between), or connect_to at the wrong place. For a short while after a change both " +
				"are served: the finding waits for policy's settle time after a change that an event or CloudTrail told of.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -subject -enddate; dig +trace HOST",
			Remedy: "Follow the name to where it really leads. If the address is the load balancer's, wait a minute, attach the certificate once more, and open a case with AWS if it stays.",
			Source: "certdrift's own rule: attached against served",
		},
		endpoint: judgeServed,
	}
}

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
