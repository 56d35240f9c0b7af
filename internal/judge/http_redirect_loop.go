package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func httpRedirectLoop() rule {
	return rule{
		Code: finding.HTTPRedirectLoop,
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil || !c.HTTP.Loop {
				return nil
			}
			evidence := answerEvidence(c.HTTP)
			var path []string
			for _, hop := range c.HTTP.Hops {
				path = append(path, hop.URL)
			}
			evidence["redirects"] = topology.CleanAll(path)
			return []finding.Finding{c.finding(finding.HTTPRedirectLoop, finding.Critical, c.where()+" redirects endlessly", evidence,
				"If a load balancer terminates TLS, configure the application to trust X-Forwarded-Proto, or fix the rule that redirects the client back.")}
		},
	}
}
