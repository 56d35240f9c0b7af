package alertpath

import (
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// TestDisarmed: each way to disable certdrift without touching it, and what is none.
func TestDisarmed(t *testing.T) {
	const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"
	schedule := observation.EventRule{Name: "s-probe-schedule", State: "ENABLED", Schedule: "rate(1 minute)", ExpectedSchedule: "rate(1 minute)", Targets: []string{"arn:probe"}}
	changes := observation.EventRule{Name: "s-changes", State: "ENABLED", Targets: []string{"arn:inspect"}}
	blind := observation.Alarm{Name: "s-blind", ActionsEnabled: true, Actions: []string{topic}, Expected: topic}
	input := observation.Alarm{Name: "s-probe-silent"}
	rule := func(of observation.EventRule, change func(*observation.EventRule)) observation.OwnStack {
		change(&of)
		return observation.OwnStack{Rules: []observation.EventRule{of}}
	}
	alarm := func(of observation.Alarm, change func(*observation.Alarm)) observation.OwnStack {
		change(&of)
		return observation.OwnStack{Alarms: []observation.Alarm{of}}
	}
	for name, c := range map[string]struct {
		stack observation.OwnStack
		want  string
	}{
		"armed":                   {observation.OwnStack{Rules: []observation.EventRule{schedule, changes}, Alarms: []observation.Alarm{blind, input}}, ""},
		"nothing":                 {observation.OwnStack{}, ""},
		"a state of its own kind": {rule(changes, func(r *observation.EventRule) { r.State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" }), ""},
		"DisableRule, a schedule": {rule(schedule, func(r *observation.EventRule) { r.State = "DISABLED" }), "rules-disarmed critical s-probe-schedule: it is disabled"},
		"DisableRule, changes":    {rule(changes, func(r *observation.EventRule) { r.State = "DISABLED" }), "rules-disarmed warning s-changes: it is disabled"},
		"DeleteRule": {rule(schedule, func(r *observation.EventRule) {
			*r = observation.EventRule{Name: r.Name, Missing: true, ExpectedSchedule: r.ExpectedSchedule}
		}), "rules-disarmed critical s-probe-schedule: it was deleted"},
		"RemoveTargets": {rule(schedule, func(r *observation.EventRule) { r.Targets = nil }), "rules-disarmed critical s-probe-schedule: it has no target"},
		"PutRule, another schedule": {
			rule(schedule, func(r *observation.EventRule) { r.Schedule = "rate(30 days)" }),
			`rules-disarmed critical s-probe-schedule: its schedule is "rate(30 days)" instead of "rate(1 minute)"`,
		},
		"DeleteAlarms":              {alarm(blind, func(a *observation.Alarm) { *a = observation.Alarm{Name: a.Name, Missing: true, Expected: topic} }), "alarms-disarmed warning s-blind: it was deleted"},
		"DeleteAlarms, an input":    {alarm(input, func(a *observation.Alarm) { a.Missing = true }), "alarms-disarmed warning s-probe-silent: it was deleted"},
		"DisableAlarmActions":       {alarm(blind, func(a *observation.Alarm) { a.ActionsEnabled = false }), "alarms-disarmed warning s-blind: its actions are disabled"},
		"PutMetricAlarm, no action": {alarm(blind, func(a *observation.Alarm) { a.Actions = []string{"arn:elsewhere"} }), "alarms-disarmed warning s-blind: it does not notify the topic"},
	} {
		var got []string
		for _, d := range Disarmed(c.stack) {
			for _, p := range d.Parts {
				got = append(got, fmt.Sprintf("%s %s %s: %s", d.Kind, d.Severity, p.Name, p.Reason))
				if !strings.Contains(d.Text, p.Name) || p.Off != strings.Contains(p.Reason, "disabled") {
					t.Errorf("%s: %+v", name, d)
				}
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	both := Disarmed(observation.OwnStack{
		Rules:  []observation.EventRule{{Name: "a", Missing: true}, {Name: "b", Missing: true, ExpectedSchedule: "rate(1 minute)"}},
		Alarms: []observation.Alarm{{Name: "c", Missing: true}},
	})
	if len(both) != 2 || both[0].Severity != finding.Critical || len(both[0].Parts) != 2 || both[1].Kind != AlarmsDisarmed {
		t.Errorf("everything at once: %+v", both)
	}
}
