package judge

import "certdrift/internal/finding"

func httpRedirectLoop() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPRedirectLoop, Group: "HTTP",
			Severity: "critical",
			Title:    "The redirects never end",
			Meaning: "The redirects came back to a URL already seen, or were more than a client follows. Browsers say " +
				"ERR_TOO_MANY_REDIRECTS. Typical where the load balancer ends TLS and the application, seeing plain HTTP, " +
				"redirects to https again and again.",
			Check:  "curl -sS -o /dev/null -D - -L --max-redirs 10 URL | grep -i '^location:'",
			Remedy: "Have the application trust X-Forwarded-Proto, or mend the rule that sends the client back.",
			Source: "RFC 9110 §15.4 (a client should detect cyclical redirections)",
		},
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil || !c.HTTP.Loop {
				return nil
			}
			evidence := answerEvidence(c.HTTP)
			var path []string
			for _, hop := range c.HTTP.Hops {
				path = append(path, hop.URL)
			}
			evidence["redirects"] = cleanAll(path)
			return []finding.Finding{c.finding(finding.HTTPRedirectLoop, finding.Critical, c.where()+" redirects without end", evidence,
				"Have the application trust X-Forwarded-Proto where a load balancer ends TLS, or mend the rule that sends the client back.")}
		},
	}
}
