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
					c.where()+" redirects to "+finding.Quote(hop.URL)+", which is not dialled",
					finding.Evidence{"location": finding.Clean(hop.URL, finding.QuoteLimit), "reason": finding.Clean(why, finding.QuoteLimit)},
					"Mend the redirect: an internal name or address has leaked into it. If the place is right, make it an endpoint of its own with connect_to."))
			}
			return found
		},
	}
}

// blocked says why a hop was not dialled: before its name was looked up, or at one of its addresses.
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
