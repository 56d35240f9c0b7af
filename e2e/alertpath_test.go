package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/policy"
)

// The alert path is checked like an endpoint: a subscription that no alert can pass is reported once to the other recipients,
// fails the gate, and is resolved once it is fixed; a missing topic is reported on the event bus.
func TestTheAlertPath(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	s := deploy(t, f, w)
	topic := s.Outputs["TopicArn"]
	in, api, c := subscribe(t, cfg, topic, "subscriber"), sns.NewFromConfig(cfg), openTerminal(t, w, f.url)

	if v := ask(t, s, `{"wait": "0s", "interval": "1s", "fail_on": "warning"}`); v.Verdict != "pass" {
		t.Fatalf("as deployed, the gate answers %+v", v)
	}
	deaf, err := api.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("email"), Endpoint: aws.String("deaf@example.org"), ReturnSubscriptionArn: true,
		Attributes: map[string]string{"FilterPolicy": `{"sevrity": ["critical"]}`},
	})
	check(t, err)
	if v := ask(t, s, `{"wait": "0s", "interval": "1s", "fail_on": "warning"}`); v.Verdict != "fail" || v.Counts["warning"] != 1 {
		t.Errorf("with a filter policy that nothing passes the gate answers %+v", v)
	}
	said, status := c.certdrift(t, "verify", "-c", "certdrift.yaml", "--wait", "0", "--interval", "1s", "--fail-on", "warning", "--topic", topic)
	if status != 1 || !strings.Contains(said, "email deaf@example.org") {
		t.Errorf("verify ends with %d:\n%s", status, said)
	}
	if got := about(pathRounds(s, t, in, 3), "code=alert-path-broken"); len(got) != 1 || got[0].attributes["event"] != "opened" {
		t.Errorf("three rounds reported it with %v", got)
	}
	_, err = api.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: deaf.SubscriptionArn})
	check(t, err)
	if got := about(pathRounds(s, t, in, 2), "code=alert-path-broken"); len(got) != 1 || got[0].attributes["event"] != "recovered" {
		t.Errorf("after the fix, got %v", got)
	}

	f.put.take()
	_, err = api.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &topic})
	check(t, err)
	pathRounds(s, t, in, 3)
	sent := 0
	for _, e := range f.put.take() {
		if strings.Contains(e.Detail, "alert-path-broken") {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("the topic is missing: %d messages on the event bus, want one", sent)
	}
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
}

// pathRounds runs rounds and returns what a subscriber received. If the topic is missing, inspect fails.
func pathRounds(s *stack, t *testing.T, in *inbox, n int) []message {
	t.Helper()
	for range n {
		_, _ = s.inspect.invoke(s.bus.tick(t, "inspect-schedule"))
		time.Sleep(policy.DefaultAlerting().Apart + time.Second)
	}
	return in.take(t)
}

// The stack's own rules and alarms are checked too: who disables them is reported once, and the report is resolved once they are enabled again.
func TestTheMonitorIsDisarmed(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	s := deploy(t, f, w, "Chat=true")
	in, rules, alarms := subscribe(t, cfg, s.Outputs["TopicArn"], "subscriber"), eventbridge.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	subscribe(t, cfg, s.Outputs["ChatTopicArn"], "chat")

	if got := about(pathRounds(s, t, in, 2), "code=alert-path-broken"); len(got) != 0 {
		t.Fatalf("as deployed, got %v", got)
	}
	schedule := aws.String("certdrift-probe-schedule")
	_, err := rules.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: schedule})
	check(t, err)
	if got := about(pathRounds(s, t, in, 3), "code=alert-path-broken"); len(got) != 1 || got[0].attributes["event"] != "opened" || got[0].attributes["severity"] != "critical" {
		t.Errorf("with a disabled schedule, got %v", got)
	}
	_, err = rules.EnableRule(t.Context(), &eventbridge.EnableRuleInput{Name: schedule})
	check(t, err)
	if got := about(pathRounds(s, t, in, 2), "code=alert-path-broken"); len(got) != 1 || got[0].attributes["event"] != "recovered" {
		t.Errorf("after it was enabled, got %v", got)
	}
	_, err = alarms.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"certdrift-probe-silent", "certdrift-blind"}})
	check(t, err)
	if got := about(pathRounds(s, t, in, 3), "code=alert-path-broken"); len(got) != 1 || got[0].attributes["event"] != "opened" || got[0].attributes["severity"] != "warning" {
		t.Errorf("without two alarms, got %v", got)
	}
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
}
