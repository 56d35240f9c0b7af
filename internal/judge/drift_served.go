package judge

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func judgeServed(e *endpoint) []finding.Finding {
	l := e.listener()
	if l == nil || !e.Target.Kind.Secured() || !l.Secure() || l.Settling(e.judgment.policy.Settle) {
		return nil
	}
	got, known := l.Select(e.Target.Host)
	if !known || got.Body() == nil {
		return nil
	}
	found := e.othersUnattached()
	for _, c := range e.connections {
		leaf := c.leaf()
		if leaf == nil || l.CouldServe(e.Target.Host, leaf) != nil {
			continue
		}
		served := &topology.Certificate{Leaf: leaf}
		severity, note := finding.Critical, ""
		if topology.AreEquivalent(got.Leaf, leaf) {
			severity, note = finding.Warning, ": another certificate, but the same key and names"
		}
		f := l.Finding(finding.DriftServed, severity, []*topology.Endpoint{e.Endpoint},
			finding.Clean(e.Target.Host, finding.QuoteLimit)+" serves "+served.Label("")+" though listener "+l.Label()+" has "+got.Label(got.ARN)+" attached"+note,
			nil, servedRemedy(c, got))
		f.Certificates = finding.Certificates{Attached: []finding.Certificate{got.Fact(got.ARN)}, Served: []finding.Certificate{served.Fact("")}}
		if d := e.Declared(); d != nil {
			f.Certificates.Declared = []finding.Certificate{e.judgment.DeclaredFact(*d)}
		}
		f.Attribution = l.Attribution(got.ARN, e.judgment.Import(got.ARN, got.Certificate, topology.Always))
		f.Address = c.Address.Address
		c.addKeyType(&f)
		found = append(found, f)
	}
	return found
}

func servedRemedy(c *connection, got *topology.Attachment) string {
	return "See where the name leads (dig " + topology.Shell(c.host) + "), and whether the address is the load balancer's. If it is, attach the certificate once more:\n" +
		c.endpoint.Listener.AttachAgain(got)
}

// othersUnattached returns a finding for each address whose other certificate, for clients of the other type of key, the listener does not
// have. Which of those that it has a load balancer gives to such clients is not documented.
func (e *endpoint) othersUnattached() []finding.Finding {
	l := e.listener()
	if !l.Readable() {
		return nil
	}
	var found []finding.Finding
	for _, c := range e.connections {
		if c.pair == nil || c.pair.leaf() == nil || l.Holding(c.pair.leaf()) != nil {
			continue
		}
		served := &topology.Certificate{Leaf: c.pair.leaf()}
		severity, note := finding.Critical, ""
		if slices.ContainsFunc(l.Attached, func(a *topology.Attachment) bool {
			return a.Body() != nil && topology.AreEquivalent(a.Body(), served.Leaf)
		}) {
			severity, note = finding.Warning, ": another certificate, but the same key and names"
		}
		f := l.Finding(finding.DriftServed, severity, []*topology.Endpoint{e.Endpoint},
			finding.Clean(e.Target.Host, finding.QuoteLimit)+" serves "+served.Label("")+", which listener "+l.Label()+" does not have attached"+note,
			nil, "See where the name leads (dig "+topology.Shell(c.host)+"), and whether the address is the load balancer's.")
		f.Certificates = finding.Certificates{Attached: l.AttachedFacts(), Served: []finding.Certificate{served.Fact("")}}
		f.Address = c.Address.Address
		c.pair.addKeyType(&f)
		found = append(found, f)
	}
	return found
}
