package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeThrottled() rule {
	return rule{
		Code: finding.ObserveThrottled,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, g := range j.troubles(observation.Throttled) {
				found = append(found, g.finding(finding.ObserveThrottled,
					"AWS throttles "+finding.Clean(g.Operation, finding.QuoteLimit)+g.where()+g.concerned(),
					"Mostly it passes. If it stays: inspect less often, narrow load_balancers to regions and tags, or ask AWS for a higher rate."))
			}
			return found
		},
	}
}
