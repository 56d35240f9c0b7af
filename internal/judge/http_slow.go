package judge

import (
	"time"

	"certdrift/internal/finding"
)

func httpSlow() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPSlow, Group: "HTTP",
			Severity: "warning",
			Title:    "The first byte came later than max_latency",
			Meaning: "The answer came, but later than the endpoint's expect.max_latency: from the request being written to the " +
				"first byte of the answer, interim responses aside, without DNS, connect and TLS, which stand beside it in the report.",
			Check:  "curl -sS -o /dev/null -w '%{time_pretransfer} %{time_starttransfer}\\n' --resolve HOST:PORT:ADDRESS URL",
			Remedy: "Look at the application's latency and its backends; compare the addresses. Raise max_latency if it is too strict for a cold start.",
			Source: "certdrift's own rule: the endpoint's `expect.max_latency`; RFC 9110 §15.2 (interim responses don't count)",
		},
		connection: func(c *connection) []finding.Finding {
			limit := c.endpoint.Target.Expect.MaxLatency
			if c.HTTP == nil || limit <= 0 || c.Phases.FirstByte <= limit {
				return nil
			}
			return []finding.Finding{c.finding(finding.HTTPSlow, finding.Warning,
				c.where()+" answers more slowly than max_latency ("+limit.Round(time.Millisecond).String()+")",
				finding.Evidence{"first_byte_ms": c.Phases.FirstByte.Milliseconds(), "max_latency_ms": limit.Milliseconds()},
				"Look at the application's latency and its backends; raise max_latency if it is too strict.")}
		},
	}
}
