package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestAlertPathBroken(t *testing.T) {
	const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	s.none(finding.AlertPathBroken)

	fine := observation.Subscription{ARN: topic + ":1", Protocol: "email", Endpoint: "ops@example.org"}
	path := &observation.AlertPath{Environments: []string{"production"}, Topics: []observation.Topic{{ARN: topic, Read: true, Subscriptions: []observation.Subscription{fine}}}}
	s.Round.AlertPath = path
	s.only()
	if !s.judge().Complete {
		t.Error("a whole alert path makes the round incomplete")
	}

	path.Topics[0].Subscriptions = append(path.Topics[0].Subscriptions, observation.Subscription{Protocol: "email", Endpoint: "new@example.org", Pending: true})
	f := s.one(finding.AlertPathBroken, finding.Warning)
	if f.Cause != "alerts:"+topic || f.Evidence["state"] != "unconfirmed" || !strings.Contains(f.Summary, "email new@example.org") || !strings.Contains(f.Remedy, "Confirm it") {
		t.Errorf("%+v", f)
	}

	path.Topics[0].Subscriptions = []observation.Subscription{{ARN: topic + ":2", Protocol: "sqs", Endpoint: "queue", FilterPolicy: `{"environment":["staging","none"]}`}, fine}
	path.Topics[0].Subscriptions[1].FilterPolicy = `{"environment":["none"]}`
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.Environment != "production" || !strings.Contains(f.Remedy, "aws sns subscribe --topic-arn "+topic) {
		t.Errorf("%+v", f)
	}

	path.Topics[0] = observation.Topic{ARN: topic, Refused: "KMSDisabledException: the key is disabled"}
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.AllEvidence()["refused"] != true || !strings.Contains(f.Summary, "KMSDisabledException") || f.Environment != "" {
		t.Errorf("%+v", f)
	}
	path.Topics[0] = observation.Topic{ARN: topic, Missing: true}
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.AllEvidence()["refused"] != nil || !strings.Contains(f.Summary, "does not exist") {
		t.Errorf("%+v", f)
	}
	path.Topics[0] = observation.Topic{ARN: topic}
	s.none(finding.AlertPathBroken) // it could not be read: that is an observe error, and proves nothing
}

// TestDisarmedStack: what was switched off, with the command that switches it on again; what was deleted has no such command.
func TestDisarmedStack(t *testing.T) {
	const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	tick := observation.EventRule{Name: "certdrift-probe-schedule", State: "ENABLED", Schedule: "rate(1 minute)", ExpectedSchedule: "rate(1 minute)", Targets: []string{"arn:probe"}}
	blind := observation.Alarm{Name: "certdrift-blind", ActionsEnabled: true, Actions: []string{topic}, Expected: topic}
	stack := &observation.OwnStack{Rules: []observation.EventRule{tick}, Alarms: []observation.Alarm{blind}}
	s.Round.AlertPath = &observation.AlertPath{Stack: stack}
	s.none(finding.AlertPathBroken)

	stack.Rules[0].State = "DISABLED"
	f := s.one(finding.AlertPathBroken, finding.Critical)
	if f.Cause != "stack:rules-disarmed" || len(f.RestsOn) != 1 || f.RestsOn[0].Kind != finding.FactStack ||
		!strings.Contains(f.Summary, "certdrift-probe-schedule (it is disabled)") || !strings.Contains(f.Remedy, "aws events enable-rule --name certdrift-probe-schedule\n") ||
		!strings.Contains(f.Remedy, "DisableRule") || strings.Contains(f.Remedy, "detect-stack-drift") {
		t.Errorf("%+v", f)
	}
	stack.Rules[0] = tick
	stack.Alarms[0].ActionsEnabled = false
	if f := s.one(finding.AlertPathBroken, finding.Warning); f.Cause != "stack:alarms-disarmed" || !strings.Contains(f.Remedy, "aws cloudwatch enable-alarm-actions --alarm-names certdrift-blind\n") {
		t.Errorf("%+v", f)
	}
	stack.Alarms[0] = observation.Alarm{Name: "certdrift-blind", Missing: true, Expected: topic}
	if f := s.one(finding.AlertPathBroken, finding.Warning); strings.Contains(f.Remedy, "enable-alarm-actions") || !strings.Contains(f.Remedy, "detect-stack-drift") {
		t.Errorf("%+v", f)
	}
}
