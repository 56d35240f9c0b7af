package judge

import (
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpTooLarge() rule {
	return rule{
		Code: finding.HTTPTooLarge,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.HTTPTooLarge)
			if f == nil {
				return nil
			}
			return c.failed(finding.HTTPTooLarge, f, c.name()+" sent "+tooLargeWords(f.Phase, c.endpoint.Target.Expect.MaxSize), tooLargeRemedy(f.Phase))
		},
	}
}

func tooLargeWords(p observation.Phase, limit int64) string {
	switch {
	case p != observation.PhaseBody:
		return "more before its answer than a client takes"
	case limit > 0:
		return "a body larger than max_size (" + strconv.FormatInt(limit, 10) + " bytes)"
	}
	return "a body larger than certdrift reads"
}

func tooLargeRemedy(p observation.Phase) string {
	if p != observation.PhaseBody { // max_size is the body's
		return "Find out what makes the header so large: a cookie that grows with every response, interim responses without end, or frames of HTTP/2 that carry nothing."
	}
	return "Find out what makes the answer so large; if it is meant to be, raise expect.max_size or probe a smaller path."
}
