package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpTimeout() rule {
	return rule{
		Code: finding.HTTPTimeout,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.HTTPTimeout)
			if f == nil {
				return nil
			}
			return c.failed(finding.HTTPTimeout, f, c.name()+" did not "+waited(f.Phase)+" "+c.patience(f), "Check the application behind "+c.Address.Address+"; if it is expected to be slow, raise the endpoint's timeout or probe a cheaper path.")
		},
	}
}

func waited(p observation.Phase) string {
	if p == observation.PhaseBody {
		return "finish the response body"
	}
	return "respond to the request"
}
