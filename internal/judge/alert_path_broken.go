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
			if path.Stack != nil {
				for _, d := range alertpath.Disarmed(*path.Stack) {
					found = append(found, disarmedFinding(d))
				}
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
		Summary: p.Text, Evidence: evidence, Remedy: pathRemedy(p), Cause: alertpath.Cause(p.Topic),
	}
}

// disarmedFinding returns the finding for what was disarmed of one kind. Rules and alarms are causes of their own.
func disarmedFinding(d alertpath.Disarmament) finding.Finding {
	var lines []string
	for _, p := range d.Parts {
		lines = append(lines, finding.Clean(p.Name+": "+p.Reason, finding.QuoteLimit))
	}
	return finding.Finding{
		Code: finding.AlertPathBroken, Severity: d.Severity, Summary: d.Text, Remedy: disarmedRemedy(d), Cause: "stack:" + string(d.Kind),
		Evidence: finding.Evidence{"problem": string(d.Kind), "disarmed": lines[:min(len(lines), topology.MaxNames)], "disarmed_in_all": len(lines)},
		RestsOn:  []finding.Fact{{Kind: finding.FactStack}},
	}
}

// disarmedRemedy says how to arm it again and how to find out who disarmed it; each command is on a line of its own.
func disarmedRemedy(d alertpath.Disarmament) string {
	var off []string
	changed := false
	for _, p := range d.Parts {
		if p.Off {
			off = append(off, finding.Clean(p.Name, finding.QuoteLimit))
		} else {
			changed = true
		}
	}
	shown := off[:min(len(off), topology.MaxNames)]
	text, event := "Enable it again, unless it was disabled on purpose:", "DisableAlarmActions"
	switch {
	case len(off) == 0:
		text = ""
	case d.Kind == alertpath.RulesDisarmed:
		for _, name := range shown {
			text += "\naws events enable-rule --name " + name
		}
	default:
		text += "\naws cloudwatch enable-alarm-actions --alarm-names " + strings.Join(shown, " ")
	}
	if changed {
		if text != "" {
			text += "\n"
		}
		text += "What was deleted or changed comes back only when CloudFormation sees the difference, not with an ordinary deployment. To list it:" +
			"\naws cloudformation detect-stack-drift --stack-name STACK"
	}
	if d.Kind == alertpath.RulesDisarmed {
		event = "DisableRule"
	}
	return text + "\nCloudTrail has who did it:\naws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=" + event
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
