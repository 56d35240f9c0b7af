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
		return "more data before its response than clients accept"
	case limit > 0:
		return "a body larger than max_size (" + strconv.FormatInt(limit, 10) + " bytes)"
	}
	return "a body larger than certdrift's own limit"
}

func tooLargeRemedy(p observation.Phase) string {
	if p != observation.PhaseBody { // max_size applies to the body only
		return "Find out what makes the headers so large: a cookie that grows with every response, endless interim responses, or empty HTTP/2 frames."
	}
	return "Find out what makes the response so large; if it is intended, raise expect.max_size or probe a smaller path."
}
