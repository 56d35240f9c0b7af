package judge

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/alertpath"
	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func alertPathBroken() rule {
	return rule{
		Code: finding.AlertPathBroken,
		round: func(j *judgment) []finding.Finding {
			path := j.Round.AlertPath
			if path == nil {
				return nil
			}
			var found []finding.Finding
			for _, p := range Alerts(path.Environments).Problems(path.Topics) {
				found = append(found, pathFinding(p))
			}
			return found
		},
	}
}

// Alerts are all that may be sent about some environments: every code of the catalogue.
func Alerts(environments []string) alertpath.Alerts {
	a := alertpath.Alerts{Environments: environments}
	for _, e := range catalogue.Entries() {
		a.Codes = append(a.Codes, e.Code)
		if strings.Contains(e.Severity, "critical") {
			a.Critical = append(a.Critical, e.Code)
		}
	}
	return a
}

// pathFinding tells one problem. Each topic is one cause: whoever mends it looks at all of it at once.
func pathFinding(p alertpath.Problem) finding.Finding {
	evidence := finding.Evidence{"topic": finding.Clean(p.Topic, finding.QuoteLimit), "problem": string(p.Kind)}
	if len(p.Subscribers) > 0 {
		evidence["state"] = string(p.State)
		evidence["subscriptions"] = subscriberNames(p.Subscribers)
		evidence["subscriptions_in_all"] = len(p.Subscribers)
	}
	if len(p.Codes) > 0 {
		evidence["codes"] = p.Codes
	}
	return finding.Finding{
		Code: finding.AlertPathBroken, Severity: p.Severity, Environment: p.Environment,
		Subject: finding.Subject{Refused: p.Kind == alertpath.TopicRefuses},
		Summary: p.Text, Evidence: evidence, Remedy: pathRemedy(p), Cause: "alerts:" + finding.Clean(p.Topic, finding.QuoteLimit),
	}
}

func subscriberNames(all []alertpath.Subscriber) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name())
	}
	slices.Sort(names)
	return names[:min(len(names), topology.MaxNames)]
}

// pathRemedy says what to do about one problem; a command stands on a line of its own.
func pathRemedy(p alertpath.Problem) string {
	topic := finding.Clean(p.Topic, finding.QuoteLimit)
	subscribe := "\naws sns subscribe --topic-arn " + topic + " --protocol email --notification-endpoint ADDRESS"
	switch p.Kind {
	case alertpath.TopicMissing:
		return "Deploy certdrift's stack again: it makes the topic. If another topic is meant, fix what names it."
	case alertpath.TopicRefuses:
		return "See that the role may sns:Publish to the topic and kms:GenerateDataKey and kms:Decrypt with its key, that the key is enabled, and that neither policy denies it."
	case alertpath.Nobody, alertpath.Unheard, alertpath.PartlyHeard:
		return "Subscribe somebody whose filter policy, if there is one, lets these alerts through:" + subscribe
	case alertpath.TooFew:
		return "Where that is as it should be, deploy the stack without the address. Else subscribe again who is missing:" + subscribe
	}
	switch p.State {
	case alertpath.Unconfirmed:
		return "Confirm it with the link in AWS's email (\"AWS Notification - Subscription Confirmation\"). After two days SNS forgets it; then subscribe again:" + subscribe
	case alertpath.Deleted:
		return "SNS lists it for some days only: nothing is to be done, unless somebody unsubscribed by mistake. Then subscribe again:" + subscribe
	}
	return "Fix the filter policy of " + policyOwner(p) + ", or delete the subscription. certdrift's attributes are environment, severity (critical, warning), code, " +
		"event (opened, reminder, recovered) and sms (send, held)."
}

func policyOwner(p alertpath.Problem) string {
	if len(p.Subscribers) != 1 {
		return fmt.Sprintf("these %d subscriptions", len(p.Subscribers))
	}
	return finding.Clean(p.Subscribers[0].ARN, finding.QuoteLimit)
}
