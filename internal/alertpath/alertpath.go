// Package alertpath determines who receives alerts: it compares the subscriptions of topics with the alerts that certdrift
// sends. It does no I/O; the rule alert-path-broken and `certdrift alert` both use it.
package alertpath

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// NoEnvironment is the attribute's value of an alert about certdrift itself, which belongs to no environment.
const NoEnvironment = "none"

// Cause names what is wrong with a topic: its problems are fixed together.
func Cause(topicARN string) string { return "alerts:" + finding.Clean(topicARN, finding.QuoteLimit) }

// Alerts are those that may be sent (see judge.Alerts).
type Alerts struct {
	// Environments are the configuration's; empty where they are not known.
	Environments []string
	// Codes are all that a finding may have, Critical those of them that may be critical.
	Codes, Critical []finding.Code
}

// State is whether a subscription can receive alerts.
type State string

// The states. Unknown counts as working: a filter policy that could not be read may match everything.
const (
	OK          State = "ok"
	Unconfirmed State = "unconfirmed"
	Deleted     State = "deleted"
	Never       State = "never"
	Unknown     State = "unknown"
)

// Subscriber is a subscription with its state, and the reason if it does not work.
type Subscriber struct {
	observation.Subscription
	Filter Filter
	State  State
	Note   string
}

// Hears reports whether some alert may reach it.
func (s Subscriber) Hears() bool { return s.State == OK || s.State == Unknown }

// Gets reports whether a message with these attributes reaches it; what is unknown may.
func (s Subscriber) Gets(attributes map[string]string) bool {
	return s.State == Unknown || s.State == OK && s.Filter.Passes(attributes)
}

// Judge says of subscriptions whether any alert can reach them.
func (a Alerts) Judge(all []observation.Subscription) []Subscriber {
	out := make([]Subscriber, 0, len(all))
	for _, s := range all {
		out = append(out, a.judge(s))
	}
	return out
}

func (a Alerts) judge(s observation.Subscription) Subscriber {
	out := Subscriber{Subscription: s, State: OK}
	var err error
	out.Filter, err = ParseFilter(s.FilterPolicy)
	switch {
	case s.Deleted:
		out.State, out.Note = Deleted, "unsubscribed: nothing is delivered"
	case s.Pending:
		out.State, out.Note = Unconfirmed, "not confirmed: nothing is delivered"
	case s.Unread != "":
		out.State, out.Note = Unknown, finding.Clean(s.Unread, finding.QuoteLimit)
	case err != nil:
		out.State, out.Note = Unknown, finding.Clean(err.Error(), finding.QuoteLimit)
	case s.OnBody && !out.Filter.Empty():
		out.State, out.Note = Unknown, "its filter policy matches on the message body, which differs by protocol; use attributes"
	case out.Filter.Unclear():
		out.State, out.Note = Unknown, "its filter policy has a condition that certdrift does not support, so whether alerts pass it is unknown"
	case !a.reach(out):
		out.State, out.Note = Never, "its filter policy matches nothing certdrift sends"
	}
	return out
}

// reach reports whether some alert passes a subscriber's filter. Only what the filter looks at is tried in all its values.
func (a Alerts) reach(s Subscriber) bool {
	severities := []finding.Severity{finding.Critical, finding.Warning}
	for _, environment := range few(s, "environment", a.environments(s)) {
		for _, severity := range few(s, "severity", severities) {
			for _, event := range few(s, "event", []string{"opened", "reminder", "recovered"}) {
				for _, sms := range few(s, "sms", []string{"send", "held"}) {
					if slices.ContainsFunc(few(s, "code", a.Codes), func(code finding.Code) bool {
						return s.Filter.Passes(attributes(environment, severity, code, event, sms))
					}) {
						return true
					}
				}
			}
		}
	}
	return false
}

// few are an attribute's values, or the first alone where the filter does not look at it.
func few[T any](s Subscriber, attribute string, values []T) []T {
	if s.Filter.Mentions(attribute) {
		return values
	}
	return values[:min(1, len(values))]
}

// environments are what the attribute may say: the configuration's environments, or, where they are not known, whatever
// the filter names.
func (a Alerts) environments(s Subscriber) []string {
	if len(a.Environments) > 0 {
		return append([]string{NoEnvironment}, a.Environments...)
	}
	return append([]string{NoEnvironment, "trial"}, s.Filter.Values("environment")...)
}

// attributes are those that package alert gives its messages.
func attributes(environment string, severity finding.Severity, code finding.Code, event, sms string) map[string]string {
	return map[string]string{
		"environment": finding.Clean(environment, 100), "severity": severity.String(), "code": string(code), "event": event, "sms": sms,
	}
}

// critical are the attributes of a critical alert as it opens.
func critical(environment string, code finding.Code) map[string]string {
	return attributes(environment, finding.Critical, code, "opened", "send")
}
