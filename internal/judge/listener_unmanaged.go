package judge

import (
	"certdrift/internal/finding"
)

func listenerUnmanaged() rule {
	return rule{
		Code: finding.ListenerUnmanaged,
		listener: func(l *listener) []finding.Finding {
			if !l.Secure() || len(l.endpoints) > 0 || len(l.declarations) > 0 || l.world.mayBeBehind(l) {
				return nil
			}
			attached := make([]map[string]any, 0, len(l.attached))
			for _, a := range l.attached {
				attached = append(attached, a.evidence(a.ARN))
			}
			return []finding.Finding{l.finding(finding.ListenerUnmanaged, finding.Info, nil,
				"nothing declares the TLS listener "+l.label(),
				finding.Evidence{"attached": side(attached), "protocol": finding.Clean(l.Protocol, finding.QuoteLimit), "dns_name": finding.Clean(l.loadBalancer.DNSName, finding.QuoteLimit)},
				"Add an endpoint for it (certdrift init --from-aws writes one), narrow load_balancers.tags, or delete the listener.")}
		},
	}
}

// mayBeBehind reports whether some endpoint might yet sit behind the listener: its load balancer's name fits several, or
// its own name could not be looked up in this round.
func (w *world) mayBeBehind(l *listener) bool {
	for _, p := range w.ambiguous {
		for _, lb := range p.candidates {
			if lb == l.loadBalancer {
				return true
			}
		}
	}
	for _, e := range w.endpoints {
		t := e.Target
		if e.listener == nil && t.LoadBalancer == nil && len(t.ConnectTo) == 0 && t.Port == l.Port && (!e.Probed || e.DNS.Failure != nil) {
			return true
		}
	}
	return false
}
