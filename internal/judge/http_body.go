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
				c.where()+" returns the expected status, but these expectations fail: "+strings.Join(kinds, ", "), evidence,
				"Check what is served instead (the evidence shows the start of it), and fix the application or the expectation.")}
		},
	}
}

// unmetOf returns the expectations that fail, those of the body only where it arrived completely.
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
