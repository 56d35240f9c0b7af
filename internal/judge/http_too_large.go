package judge

import (
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpTooLarge() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPTooLarge, Group: "HTTP",
			Severity: "critical",
			Title:    "The answer is larger than allowed",
			Meaning: "Headers or decoded body passed the bound: the endpoint's max_size, or certdrift's own, which " +
				"protects it from endless bodies, compression bombs and floods of frames. The rest was not read, so nothing is said " +
				"about its content.",
			Check: "curl -s --compressed --max-time 20 https://HOST/PATH | wc -c; curl -sI https://HOST/PATH | wc -c",
			Remedy: "If the size is right, raise expect.max_size or probe a smaller path. If not, look for a dump, a log " +
				"or a looping template in the answer, or a cookie that grows with every response.",
			Source: "RFC 9110 §5.4 (field limits), §15.5.14",
		},
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
