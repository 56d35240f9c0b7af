package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpRedirectInsecure() rule {
	return rule{
		Code: finding.HTTPRedirectInsecure,
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil {
				return nil
			}
			var found []finding.Finding
			for _, location := range downgrades(c.HTTP) {
				found = append(found, c.finding(finding.HTTPRedirectInsecure, finding.Warning,
					c.where()+" redirects from https to "+finding.Quote(location), finding.Evidence{"location": finding.Clean(location, finding.QuoteLimit)},
					"Fix the redirect's target. If a proxy or load balancer terminates TLS, configure the application to trust X-Forwarded-Proto."))
			}
			return found
		},
	}
}

// downgrades returns the http URLs that https URLs redirect to, including the one that closes a loop.
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
