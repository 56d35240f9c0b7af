package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpRedirectBlocked() rule {
	return rule{
		Code: finding.HTTPRedirectBlocked,
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil {
				return nil
			}
			var found []finding.Finding
			for i := range c.HTTP.Hops {
				hop := &c.HTTP.Hops[i]
				why := blocked(hop)
				if why == "" {
					continue
				}
				found = append(found, c.finding(finding.HTTPRedirectBlocked, finding.Critical,
					c.where()+" redirects to "+finding.Quote(hop.URL)+", which certdrift does not connect to",
					finding.Evidence{"location": finding.Clean(hop.URL, finding.QuoteLimit), "reason": finding.Clean(why, finding.QuoteLimit)},
					"Fix the redirect: it exposes an internal hostname or address. If the target is right and on a private network, add the network to networks.allow."))
			}
			return found
		},
	}
}

// blocked says why certdrift did not connect to a hop: before resolving its name, or at one of its addresses.
func blocked(hop *observation.Hop) string {
	if hop.Blocked != "" {
		return hop.Blocked
	}
	failures := []*observation.Failure{hop.DNS.Failure}
	for _, a := range hop.Addresses {
		failures = append(failures, a.Failure)
	}
	for _, f := range failures {
		if f != nil && f.Kind == observation.Blocked {
			if f.Detail != "" {
				return f.Detail
			}
			return "the address guard refused it"
		}
	}
	return ""
}
