package judge

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpBody() rule {
	return rule{
		Code: finding.HTTPBody,
		connection: func(c *connection) []finding.Finding {
			h := c.answer()
			if h == nil || !expected(c.endpoint.Target.Expect, h.Status) {
				return nil
			}
			unmet, kinds := unmetOf(h, c.Failure == nil)
			if len(unmet) == 0 {
				return nil
			}
			evidence := answerEvidence(h)
			evidence["unmet"] = unmet
			evidence["size"] = h.Size
			return []finding.Finding{c.finding(finding.HTTPBody, finding.Critical,
				c.where()+" answers with the expected status, but not as expected: "+strings.Join(kinds, ", "), evidence,
				"See what answers instead (the evidence shows the start of it), and mend the application or the expectation.")}
		},
	}
}

// unmetOf lists the expectations that do not hold, those of the body only where it came whole.
func unmetOf(h *observation.HTTP, whole bool) (unmet []any, kinds []string) {
	for _, u := range h.Unmet {
		if u.Expectation != "header" && !whole {
			continue
		}
		fact := map[string]any{"expectation": u.Expectation, "want": finding.Clean(u.Want, finding.QuoteLimit)}
		if u.Got != "" {
			fact["got"] = finding.Clean(u.Got, finding.QuoteLimit)
		}
		unmet = append(unmet, fact)
		kinds = append(kinds, u.Expectation+" "+finding.Quote(u.Want))
	}
	return unmet, kinds
}
