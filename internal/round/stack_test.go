package round

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"certdrift/internal/awsio/stack"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	simulated "certdrift/internal/sim/account"
)

// ownStack is a stack as it is read, with what went wrong.
type ownStack struct {
	seen     *observation.OwnStack
	failures []observation.ObserveError
	reads    int
}

func (s *ownStack) Observe(context.Context) (*observation.OwnStack, []observation.ObserveError) {
	s.reads++
	return s.seen, s.failures
}

// TestTheMonitorIsDisarmed: a disabled schedule is reported once. It recovers when the schedule is seen to be enabled, and not because the stack
// was not read: denied, in part, or not at all.
func TestTheMonitorIsDisarmed(t *testing.T) {
	l := newListening(t)
	const schedule = "rate(5 minutes)"
	armed := func() *observation.OwnStack {
		return &observation.OwnStack{Rules: []observation.EventRule{
			{Name: "s-inspect-schedule", State: "ENABLED", Schedule: schedule, ExpectedSchedule: schedule, Targets: []string{"arn:inspect"}},
		}}
	}
	stack := &ownStack{seen: armed()}
	l.runner.Stack = stack
	if fs := l.rounds(3); len(fs) > 0 {
		t.Fatalf("as deployed: %v", fs)
	}
	stack.seen.Rules[0].State = "DISABLED"
	if fs := l.rounds(5); len(fs) != 1 || fs[0].Severity != finding.Critical {
		t.Errorf("findings %v", fs)
	}
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened critical")
	for name, unread := range map[string]*ownStack{
		"not yet due": {},
		"denied":      {seen: &observation.OwnStack{}, failures: []observation.ObserveError{{Kind: observation.Denied, Operation: "events:DescribeRule", Resource: "s-inspect-schedule"}}},
		"throttled":   {seen: &observation.OwnStack{}, failures: []observation.ObserveError{{Kind: observation.Throttled, Operation: "cloudwatch:DescribeAlarms"}}},
		"half":        {seen: &observation.OwnStack{}, failures: []observation.ObserveError{{Kind: observation.Incomplete, Operation: "events:ListTargetsByRule"}}},
		"no credentials": {
			seen: &observation.OwnStack{}, failures: []observation.ObserveError{{Kind: observation.Denied, Operation: observation.Credentials}},
		},
	} {
		l.runner.Stack = unread
		l.rounds(4)
		if got := l.told(l.alerts, finding.AlertPathBroken); len(got) != 1 {
			t.Fatalf("%s: reported %q", name, got)
		}
	}
	l.runner.Stack = nil // another function's round
	l.rounds(4)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened critical")
	l.runner.Stack = &ownStack{seen: armed()}
	l.rounds(3)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened critical", "recovered critical")
}

// TestOnlyScheduledRoundsReadTheStack: a burst of changes must not use up the account's calls.
func TestOnlyScheduledRoundsReadTheStack(t *testing.T) {
	l := newListening(t)
	stack := &ownStack{seen: &observation.OwnStack{}}
	l.runner.Stack = stack
	l.request.Changes = []observation.Change{{LoadBalancer: "a1b2c3"}}
	l.rounds(3)
	l.request.Changes = nil
	if l.rounds(2); stack.reads != 2 {
		t.Errorf("the stack was read %d times in three rounds of changes and two scheduled ones", stack.reads)
	}
}

// TestAnUnreadStackHidesNoSubscription: whether somebody is subscribed is known although the stack cannot be read, and the other way round.
func TestAnUnreadStackHidesNoSubscription(t *testing.T) {
	l := newListening(t)
	l.runner.Stack = &ownStack{failures: []observation.ObserveError{{Kind: observation.Denied, Operation: "cloudwatch:DescribeAlarms"}}}
	l.aws.Subscribe(l.alerts, append(l.subscribers, simulated.Subscription{Protocol: "email", Endpoint: "new@example.org", Pending: true})...)
	l.rounds(3)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened warning")
	l.aws.Subscribe(l.alerts, l.subscribers...)
	l.rounds(5)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened warning", "recovered warning")
}

// TestACallThatNobodyMadeIsNotAnswered: that certdrift lacks the permission to read its own stack, or who is subscribed, is over when it
// has read them, and not in rounds that do not try: probe reads the stack every hour, and inspect alone the subscriptions.
func TestACallThatNobodyMadeIsNotAnswered(t *testing.T) {
	t.Run("stack", func(t *testing.T) {
		l := newListening(t)
		l.runner.Stack = &ownStack{seen: &observation.OwnStack{}, failures: []observation.ObserveError{{Kind: observation.Denied, Operation: "events:DescribeRule"}}}
		l.rounds(3)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning")
		l.runner.Stack = &ownStack{} // not yet due
		l.rounds(4)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning")
		l.runner.Stack = &ownStack{seen: &observation.OwnStack{}}
		l.rounds(3)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning", "recovered warning")
	})
	t.Run("subscriptions", func(t *testing.T) {
		l := newListening(t)
		l.aws.Deny("sns:ListSubscriptionsByTopic")
		l.rounds(3)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning")
		inspect := l.runner.AlertPath
		l.runner.AlertPath = nil
		l.rounds(4)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning")
		l.aws.Heal()
		l.runner.AlertPath = inspect
		l.rounds(3)
		l.expect(t, l.alerts, finding.ObserveDenied, "opened warning", "recovered warning")
	})
}

// schedules is EventBridge with the schedule of inspect, in a state.
type schedules struct{ state types.RuleState }

func (s *schedules) DescribeRule(_ context.Context, in *eventbridge.DescribeRuleInput, _ ...func(*eventbridge.Options)) (*eventbridge.DescribeRuleOutput, error) {
	return &eventbridge.DescribeRuleOutput{Name: in.Name, State: s.state, ScheduleExpression: aws.String("rate(5 minutes)")}, nil
}

func (*schedules) ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput, ...func(*eventbridge.Options)) (*eventbridge.ListTargetsByRuleOutput, error) {
	return &eventbridge.ListTargetsByRuleOutput{Targets: []types.Target{{Arn: aws.String("arn:inspect")}}}, nil
}

// TestProbeNoticesWithinAnHour: probe reads the stack every hour only. What it finds is confirmed in the next round, not an hour later,
// and so is its end.
func TestProbeNoticesWithinAnHour(t *testing.T) {
	l := newListening(t)
	rules := &schedules{state: types.RuleStateEnabled}
	deployed := stack.Deployed{Rules: []stack.Rule{{Name: "s-inspect-schedule", Schedule: "rate(5 minutes)"}}}
	l.runner.Stack = stack.New(rules, nil, deployed, time.Hour, l.runner.Now)
	l.rounds(10)
	rules.state = types.RuleStateDisabled
	l.rounds(62)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened critical")
	rules.state = types.RuleStateEnabled
	l.rounds(62)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened critical", "recovered critical")
}
