package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpTimeout() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPTimeout, Group: "HTTP",
			Severity: "critical",
			Title:    "The answer did not come in time",
			Meaning: "The connection and, with https, the handshake were fine, but headers or body of the answer did not " +
				"come within the endpoint's timeout; the evidence names the phase. Before the headers it is mostly " +
				"the application or its database; in the body a stalled or endless response.",
			Check: "curl -v --max-time 10 --resolve HOST:PORT:ADDRESS https://HOST/PATH",
			Remedy: "Look at the application's latency and its backends at that time. If it is meant to be slow, raise " +
				"`timeout`, or probe a cheaper path.",
			Source: "certdrift's own rule: the endpoint's `timeout`",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.HTTPTimeout)
			if f == nil {
				return nil
			}
			return c.failed(finding.HTTPTimeout, f, c.name()+" did not "+waited(f.Phase)+" "+c.patience(f), "Look at the application behind "+c.Address.Address+"; if it is meant to be slow, raise the endpoint's timeout or probe a cheaper path.")
		},
	}
}

func waited(p observation.Phase) string {
	if p == observation.PhaseBody {
		return "finish the body of its answer"
	}
	return "answer the request"
}
