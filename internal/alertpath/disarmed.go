package alertpath

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// The kinds of what was disarmed.
const (
	RulesDisarmed  Kind = "rules-disarmed"
	AlarmsDisarmed Kind = "alarms-disarmed"
)

// Disarmament is all of one kind that somebody disabled, deleted or changed in certdrift's own stack.
type Disarmament struct {
	Kind     Kind
	Severity finding.Severity
	Text     string
	Parts    []DisarmedPart
}

// DisarmedPart is a rule or an alarm that does not do what it was deployed for. Off reports whether it is only switched off.
type DisarmedPart struct {
	Name, Reason string
	Off          bool
}

// Disarmed returns what does not work of a stack. A disabled schedule is critical: the rounds that it starts do not happen.
// Without the rules of changes these are found by the schedule, and without those of tools the topic still has its subscribers.
// Without the alarms nobody is notified when certdrift itself fails.
func Disarmed(s observation.OwnStack) []Disarmament {
	rules := Disarmament{Kind: RulesDisarmed, Severity: finding.Warning}
	for _, r := range s.Rules {
		reason, off := ruleReason(r)
		if reason == "" {
			continue
		}
		rules.Parts = append(rules.Parts, DisarmedPart{r.Name, reason, off})
		if r.ExpectedSchedule != "" {
			rules.Severity = finding.Critical
		}
	}
	alarms := Disarmament{Kind: AlarmsDisarmed, Severity: finding.Warning}
	for _, a := range s.Alarms {
		if reason, off := alarmReason(a); reason != "" {
			alarms.Parts = append(alarms.Parts, DisarmedPart{a.Name, reason, off})
		}
	}
	rules.Text = "EventBridge rules of certdrift's own stack do not work: " + parts(rules.Parts)
	alarms.Text = "alarms about certdrift itself do not work: " + parts(alarms.Parts)
	return slices.DeleteFunc([]Disarmament{rules, alarms}, func(d Disarmament) bool { return len(d.Parts) == 0 })
}

// ruleReason says what keeps a rule from doing what it was deployed for; empty for nothing.
func ruleReason(r observation.EventRule) (reason string, off bool) {
	switch {
	case r.Missing:
		return "it was deleted", false
	case !strings.HasPrefix(r.State, "ENABLED"): // there is also ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
		return "it is disabled", true
	case len(r.Targets) == 0:
		return "it has no target", false
	case r.Schedule != r.ExpectedSchedule:
		return fmt.Sprintf("its schedule is %s instead of %s", finding.Quote(r.Schedule), finding.Quote(r.ExpectedSchedule)), false
	}
	return "", false
}

// alarmReason says what keeps an alarm from notifying anybody; empty for nothing.
func alarmReason(a observation.Alarm) (reason string, off bool) {
	switch {
	case a.Missing:
		return "it was deleted", false
	case a.Expected == "":
		return "", false
	case !a.ActionsEnabled:
		return "its actions are disabled", true
	case !slices.Contains(a.Actions, a.Expected):
		return "it does not notify the topic", false
	}
	return "", false
}

func parts(all []DisarmedPart) string {
	texts := make([]string, 0, len(all))
	for _, p := range all {
		texts = append(texts, finding.Clean(p.Name, finding.QuoteLimit)+" ("+p.Reason+")")
	}
	return some(texts)
}
