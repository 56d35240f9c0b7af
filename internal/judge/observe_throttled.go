package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeThrottled() rule {
	return rule{
		Entry: Entry{
			Code: finding.ObserveThrottled, Group: "certdrift itself",
			Severity: "warning; the conclusion is incomplete",
			Title:    "AWS throttled certdrift's calls",
			Meaning: "The API went on refusing calls for their rate until the round's retries were used up. Others share the account's rate: " +
				"controllers, Terraform, other monitors. What the call would have shown is not judged in this round.",
			Check:  "aws cloudtrail lookup-events --region REGION --lookup-attributes AttributeKey=EventName,AttributeValue=OPERATION",
			Remedy: "Mostly it passes. If it stays: inspect less often, narrow load_balancers to regions and tags, or ask AWS for a higher rate.",
			Source: "Elastic Load Balancing, ACM, CloudTrail: API throttling",
		},
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for _, g := range w.troubles(observation.Throttled) {
				found = append(found, g.finding(finding.ObserveThrottled,
					"AWS throttles "+finding.Clean(g.Operation, finding.QuoteLimit)+g.where()+g.concerned(),
					"Mostly it passes. If it stays: inspect less often, narrow load_balancers to regions and tags, or ask AWS for a higher rate."))
			}
			return found
		},
	}
}
