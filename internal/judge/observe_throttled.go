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
			for _, g := range j.errorGroups(observation.Throttled) {
				found = append(found, g.finding(finding.ObserveThrottled,
					"AWS is throttling "+finding.Clean(g.Operation, finding.QuoteLimit)+g.where()+g.concerned(),
					"Throttling usually passes. If it persists, inspect less often, limit load_balancers to regions and tags, or request a higher quota from AWS."))
			}
			return found
		},
	}
}
