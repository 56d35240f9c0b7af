package judge

import (
	"time"

	"certdrift/internal/finding"
)

func httpSlow() rule {
	return rule{
		Code: finding.HTTPSlow,
		connection: func(c *connection) []finding.Finding {
			limit := c.endpoint.Target.Expect.MaxLatency
			if c.HTTP == nil || limit <= 0 || c.Phases.FirstByte <= limit {
				return nil
			}
			return []finding.Finding{c.finding(finding.HTTPSlow, finding.Warning,
				c.where()+" responds more slowly than max_latency ("+limit.Round(time.Millisecond).String()+")",
				finding.Evidence{"first_byte_ms": c.Phases.FirstByte.Milliseconds(), "max_latency_ms": limit.Milliseconds()},
				"Check the latency of the application and its backends; raise max_latency if it is too strict.")}
		},
	}
}
