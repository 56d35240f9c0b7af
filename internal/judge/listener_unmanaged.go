package judge

import (
	"certdrift/internal/finding"
)

func listenerUnmanaged() rule {
	return rule{
		Code: finding.ListenerUnmanaged,
		listener: func(l *listener) []finding.Finding {
			if !l.Secure() || len(l.Endpoints) > 0 || len(l.Declarations) > 0 || l.MayHaveUnseenEndpoint() {
				return nil
			}
			f := l.Finding(finding.ListenerUnmanaged, finding.Info, nil,
				"undeclared TLS listener "+l.Label(),
				finding.Evidence{"protocol": finding.Clean(l.Protocol, finding.QuoteLimit), "dns_name": finding.Clean(l.LoadBalancer.DNSName, finding.QuoteLimit)},
				"Add an endpoint for it (certdrift init --from-aws generates one), narrow load_balancers.tags, or delete the listener.")
			f.Certificates.Attached = l.AttachedFacts()
			return []finding.Finding{f}
		},
	}
}
