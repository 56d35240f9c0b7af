package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpRedirectInsecure() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPRedirectInsecure, Group: "HTTP",
			Severity: "warning",
			Title:    "A redirect leads from https to http",
			Meaning: "The server sends clients from an encrypted connection to a plain one, where anybody on the way can read and change " +
				"what follows; browsers may block it. The next hop is still probed.",
			Check:  "curl -sS -o /dev/null -D - -L URL | grep -i '^location: http:'",
			Remedy: "Mend the redirect's target. Often the application builds absolute URLs from the plain connection behind the load balancer: have it trust X-Forwarded-Proto.",
			Source: "RFC 9110 §15.4; W3C Mixed Content",
		},
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil {
				return nil
			}
			var found []finding.Finding
			for _, location := range downgrades(c.HTTP) {
				found = append(found, c.finding(finding.HTTPRedirectInsecure, finding.Warning,
					c.where()+" redirects from https to "+finding.Quote(location), finding.Evidence{"location": finding.Clean(location, finding.QuoteLimit)},
					"Mend the redirect's target; have the application trust X-Forwarded-Proto where a load balancer ends TLS."))
			}
			return found
		},
	}
}

// downgrades are the URLs of plain http that redirects of https lead to, also the one that closes a loop.
func downgrades(h *observation.HTTP) []string {
	var urls []string
	for _, hop := range h.Hops {
		if hop.Insecure {
			urls = append(urls, hop.URL)
		}
	}
	if h.LoopInsecure {
		urls = append(urls, h.Location)
	}
	return urls
}
