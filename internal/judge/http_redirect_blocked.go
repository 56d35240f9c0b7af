package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpRedirectBlocked() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPRedirectBlocked, Group: "HTTP",
			Severity: "critical",
			Title:    "A redirect leads to an address that certdrift does not dial",
			Meaning: "The server redirects to loopback, a private or link-local network, a metadata service or another special-purpose " +
				"address, or to a scheme that is not http. Public clients can't follow it, and certdrift must not: a server " +
				"could make it knock at the inside of your network.",
			Check:  "curl -sS -o /dev/null -D - URL | grep -i '^location:'",
			Remedy: "Mend the redirect: an internal host name or address has leaked into it. If the place is right, probe it as an endpoint of its own, with its address in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
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
