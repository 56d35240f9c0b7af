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

// Alerts returns all alerts that may be sent about the environments: every code of the catalogue.
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

// pathFinding returns the finding for one problem. Each topic is one cause, since its problems are fixed together.
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

// pathRemedy says how to fix one problem; a command is on a line of its own.
func pathRemedy(p alertpath.Problem) string {
	topic := finding.Clean(p.Topic, finding.QuoteLimit)
	subscribe := "\naws sns subscribe --topic-arn " + topic + " --protocol email --notification-endpoint ADDRESS"
	switch p.Kind {
	case alertpath.TopicMissing:
		return "Redeploy certdrift's stack, which creates the topic. If another topic is intended, fix the setting that names it."
	case alertpath.TopicRefuses:
		return "Check that the role may sns:Publish to the topic and kms:GenerateDataKey and kms:Decrypt with its key, that the key is enabled, and that neither policy denies it."
	case alertpath.Nobody, alertpath.EnvironmentUnreached, alertpath.EnvironmentPartlyReached:
		return "Subscribe somebody without a filter policy, or with one that matches these alerts:" + subscribe
	case alertpath.TooFew:
		return "If this is intended, deploy the stack without the address. Otherwise add the missing subscription again:" + subscribe
	}
	switch p.State {
	case alertpath.Unconfirmed:
		return "Confirm it with the link in AWS's email (\"AWS Notification - Subscription Confirmation\"). The link is valid for two days; after that, subscribe again:" + subscribe
	case alertpath.Deleted:
		return "No action needed: SNS removes it from the list after a few days. If somebody unsubscribed by mistake, subscribe again:" + subscribe
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
