package round

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/awsio/sns"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	simulated "certdrift/internal/sim/account"
)

// listening is a fixture whose alerts go by SNS's adapter to the topics of a simulated account, and whose endpoint is well.
type listening struct {
	*fixture
	aws         *simulated.Account
	alerts      string
	chat        string
	subscribers []simulated.Subscription
}

func newListening(t *testing.T) *listening {
	t.Helper()
	l := &listening{fixture: newFixture(t), aws: simulated.New(simulated.Options{})}
	l.subscribers = []simulated.Subscription{{Protocol: "email", Endpoint: "ops@example.org"}}
	l.alerts = l.aws.AddTopic("alerts", l.subscribers...)
	l.chat = l.aws.AddTopic("chat", simulated.Subscription{Protocol: "https", Endpoint: "chat"})
	l.probes["production/api"] = l.fit
	l.start()
	return l
}

// start is a cold start: nothing is remembered but what the table holds.
func (l *listening) start() {
	store, p := l.runner.Publisher.Store, l.runner.Publisher
	l.runner.Publisher = &Publisher{Now: p.Now, Store: store, Gauge: p.Gauge, Function: "inspect", By: "test"}
	l.runner.Publisher.Tell(sns.New(l.aws.SNS(), l.alerts))
	l.runner.Publisher.Tell(sns.NewChat(l.aws.SNS(), l.chat))
	l.runner.AlertPath = sns.NewPath(func(string) *simulated.SNS { return l.aws.SNS() },
		sns.Place{ARN: l.alerts}, sns.Place{ARN: l.chat, Chat: true})
}

// rounds runs so many, a minute from each other, and gives the last one's findings of the alert path.
func (l *listening) rounds(n int) []finding.Finding {
	var last Result
	for range n {
		last, _ = l.runner.Run(context.Background(), l.request)
		l.now = l.now.Add(time.Minute)
	}
	return slices.DeleteFunc(last.Conclusion.Findings, func(f finding.Finding) bool { return f.Code != finding.AlertPathBroken })
}

// told are the events that a topic got about a code, in order.
func (l *listening) told(topic string, code finding.Code) []string {
	var out []string
	for _, m := range l.aws.Messages(topic) {
		if m.Attributes["code"] == string(code) {
			out = append(out, m.Attributes["event"]+" "+m.Attributes["severity"])
		}
	}
	return out
}

func (l *listening) expect(t *testing.T, topic string, code finding.Code, want ...string) {
	t.Helper()
	if got := l.told(topic, code); !slices.Equal(got, want) {
		t.Errorf("%s received %q about %s, want %q", topic, got, code, want)
	}
}

func TestAWholeAlertPathSaysNothing(t *testing.T) {
	l := newListening(t)
	if fs := l.rounds(3); len(fs) > 0 {
		t.Errorf("findings %v", fs)
	}
	l.expect(t, l.alerts, finding.AlertPathBroken)
}

// An unconfirmed subscription is reported to the other subscribers once, and resolved when it is confirmed.
func TestAnUnconfirmedSubscriptionIsAnIncident(t *testing.T) {
	l := newListening(t)
	pending := simulated.Subscription{Protocol: "email", Endpoint: "new@example.org", Pending: true}
	l.aws.Subscribe(l.alerts, append(l.subscribers, pending)...)
	if fs := l.rounds(10); len(fs) != 1 || fs[0].Severity != finding.Warning {
		t.Errorf("findings %v", fs)
	}
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened warning")
	counted := false
	for _, d := range l.figures.data {
		counted = counted || d.Name == "Findings" && d.Value == 1 && d.Dimensions[0].Value == "none" && d.Dimensions[1].Value == "warning"
	}
	if !counted {
		t.Error("no figure counts it")
	}
	pending.Pending = false
	l.aws.Subscribe(l.alerts, append(l.subscribers, pending)...)
	l.rounds(5)
	l.expect(t, l.alerts, finding.AlertPathBroken, "opened warning", "recovered warning")
}

// The topic is gone: the chat is notified, and not in every round.
func TestAMissingTopicIsReportedToTheChat(t *testing.T) {
	l := newListening(t)
	l.request.Config.HeartbeatURL = "https://beat.example.org/token"
	l.runner.Heartbeat = func(context.Context, string) error {
		t.Error("the heartbeat was sent although the alert path is broken")
		return nil
	}
	l.aws.DropTopic(l.alerts)
	if fs := l.rounds(20); len(fs) != 1 || fs[0].Severity != finding.Critical || !strings.Contains(fs[0].Summary, l.alerts) {
		t.Errorf("findings %v", fs)
	}
	if got := len(l.aws.Messages(l.chat)); got != 1 {
		t.Errorf("the chat received %d messages in 20 rounds, want one", got)
	}
}

// The topic refuses messages: only sending shows it, and only sending resolves it, with or without a cold start in between.
func TestATopicThatRefuses(t *testing.T) {
	l := newListening(t)
	l.rounds(2)
	l.aws.Inject(simulated.Failure{Operation: "sns:Publish", Resource: `"TopicArn":"` + l.alerts, Error: l.aws.Refusal("KMSDisabled")})
	if fs := l.rounds(5); len(fs) > 0 {
		t.Errorf("reported before anything was sent: %v", fs)
	}
	l.probes["production/api"] = l.bad
	if fs := l.rounds(5); len(fs) != 1 || fs[0].Severity != finding.Critical || !strings.Contains(fs[0].Summary, "KMSDisabled") {
		t.Errorf("findings %v", fs)
	}
	open := func() bool {
		loaded, err := l.runner.Publisher.Store.Load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range loaded.Incidents {
			if r.Code == finding.AlertPathBroken && r.Open() {
				return true
			}
		}
		return false
	}
	if !open() {
		t.Fatal("no incident is open")
	}
	for range 5 {
		l.start() // it knows of no refusal, which does not prove that it is resolved
		l.rounds(1)
	}
	if !open() {
		t.Error("resolved without a message that the topic accepted")
	}
	chat := len(l.aws.Messages(l.chat))
	l.aws.Heal()
	l.rounds(6)
	if open() {
		t.Error("the topic accepts messages again, and the incident is still open")
	}
	l.expect(t, l.alerts, finding.CertExpired, "opened critical")
	if got := l.told(l.alerts, finding.AlertPathBroken); len(got) == 0 || got[len(got)-1] != "recovered critical" {
		t.Errorf("the topic received %q", got)
	}
	if len(l.aws.Messages(l.chat)) == chat {
		t.Error("the chat received no recovery")
	}
}

// A topic that rejected messages and was replaced by another one has no problem left: no message to it will ever show that.
func TestATopicThatRefusedIsReplaced(t *testing.T) {
	l := newListening(t)
	l.probes["production/api"] = l.bad
	l.refuse("KMSDisabled", 0)
	l.rounds(4)
	l.expect(t, l.chat, finding.AlertPathBroken, "opened critical")
	l.alerts = l.aws.AddTopic("others", l.subscribers...)
	l.start()
	l.aws.Deny("sns:ListSubscriptionsByTopic") // who gets alerts, and by which topic, is not known
	l.rounds(3)
	l.expect(t, l.chat, finding.AlertPathBroken, "opened critical")
	l.aws.Heal()
	l.rounds(4)
	l.expect(t, l.chat, finding.AlertPathBroken, "opened critical", "recovered critical")
}

// What cannot be read, for lack of permission or throttling, is a finding of its own and says nothing about subscribers.
func TestTheAlertPathThatCannotBeRead(t *testing.T) {
	for operation, broken := range map[string]func(*simulated.Account){
		"sns:ListSubscriptionsByTopic": func(a *simulated.Account) { a.Deny("sns:ListSubscriptionsByTopic") },
		"sns:GetSubscriptionAttributes": func(a *simulated.Account) {
			a.Throttle("sns:GetSubscriptionAttributes", 0)
		},
	} {
		l := newListening(t)
		pending := simulated.Subscription{Protocol: "email", Endpoint: "new@example.org", Pending: true}
		l.aws.Subscribe(l.alerts, append(l.subscribers, pending)...)
		l.rounds(3)
		l.aws.Subscribe(l.alerts, l.subscribers...)
		broken(l.aws)
		res, err := l.runner.Run(context.Background(), l.request)
		if err != nil || res.Conclusion.Complete || !slices.ContainsFunc(res.Round.ObserveErrors, func(tr observation.ObserveError) bool { return tr.Operation == operation }) {
			t.Errorf("%s: complete %v, %v, observe errors %+v", operation, res.Conclusion.Complete, err, res.Round.ObserveErrors)
		}
		if fs := l.rounds(5); len(fs) > 0 {
			t.Errorf("%s: a false alarm: %v", operation, fs)
		}
		l.expect(t, l.alerts, finding.AlertPathBroken, "opened warning") // and no recovery without evidence
	}
}

// A throttled message is no refusal.
func TestAThrottledMessageIsNoRefusal(t *testing.T) {
	l := newListening(t)
	l.aws.Throttle("sns:Publish", 0)
	l.probes["production/api"] = l.bad
	if fs := l.rounds(4); len(fs) > 0 {
		t.Errorf("findings %v", fs)
	}
	res, _ := l.runner.Run(context.Background(), l.request)
	if !slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveThrottled)) {
		t.Errorf("findings %v, want that it is throttled among them", codes(res.Conclusion.Findings))
	}
}

// Many rounds may follow one change: they leave SNS alone. So does a runner that knows of no topic.
func TestWhoAsksSNS(t *testing.T) {
	l := newListening(t)
	l.request.Changes = []observation.Change{{LoadBalancer: "a1b2c3"}}
	l.rounds(3)
	l.request.Changes = nil
	l.runner.AlertPath = sns.NewPath(func(string) *simulated.SNS { return l.aws.SNS() })
	l.rounds(3)
	for call, n := range l.aws.Calls() {
		if strings.HasPrefix(call, "sns:") && n > 0 {
			t.Errorf("%d × %s", n, call)
		}
	}
}

// A gate for one environment does not take the others' subscribers for silent ones.
func TestANarrowedRoundKnowsAllEnvironments(t *testing.T) {
	l := newListening(t)
	l.aws.Subscribe(l.alerts, simulated.Subscription{Protocol: "email", Endpoint: "ops@example.org"},
		simulated.Subscription{Protocol: "email", Endpoint: "team@example.org", Filter: map[string][]string{"environment": {"staging"}}})
	l.request.Environments = []string{"production", "staging"}
	if fs := l.rounds(1); len(fs) > 0 {
		t.Errorf("findings %v", fs)
	}
	l.request.Environments = nil
	if fs := l.rounds(1); len(fs) != 1 {
		t.Errorf("nobody has an environment staging, and yet: %v", fs)
	}
}

// refuse makes the topic of the operators refuse so many messages, all with 0.
func (l *listening) refuse(code string, times int) {
	l.aws.Inject(simulated.Failure{Operation: "sns:Publish", Resource: `"TopicArn":"` + l.alerts, Times: times, Error: l.aws.Refusal(code)})
}

// TestOneBlipOfTheTopic: the real alert follows in the next round, and nobody reads that alerts are not being delivered. With
// the topic back, the external monitor hears from the very next round.
func TestOneBlipOfTheTopic(t *testing.T) {
	l := newListening(t)
	beats := 0
	l.request.Config.HeartbeatURL = "https://beat.example.org/token"
	l.runner.Heartbeat = func(context.Context, string) error { beats++; return nil }
	l.probes["production/api"] = l.bad
	l.refuse("InternalError", 1)
	res, err := l.runner.Run(context.Background(), l.request)
	if err == nil || beats != 0 {
		t.Errorf("the round that could not send: %v, %d heartbeats", err, beats)
	}
	if !slices.Contains(codes(res.Conclusion.Findings), string(finding.AlertPathBroken)) {
		t.Errorf("findings %v of the round that saw the topic refuse", codes(res.Conclusion.Findings))
	}
	for i := range 5 {
		l.now = l.now.Add(time.Minute)
		res, err = l.runner.Run(context.Background(), l.request)
		if err != nil || slices.Contains(codes(res.Conclusion.Findings), string(finding.AlertPathBroken)) || beats != i+1 {
			t.Errorf("round %d after the blip: %v, findings %v, %d heartbeats", i+1, err, codes(res.Conclusion.Findings), beats)
		}
	}
	l.expect(t, l.alerts, finding.CertExpired, "opened critical")
	for _, topic := range []string{l.alerts, l.chat} {
		l.expect(t, topic, finding.AlertPathBroken)
		l.expect(t, topic, "trial")
	}
}

// TestTheRealAlertGoesFirst: what is wrong with the alert path is said after everything else, also where it is as severe.
func TestTheRealAlertGoesFirst(t *testing.T) {
	l := newListening(t)
	l.aws.Subscribe(l.alerts, simulated.Subscription{Protocol: "email", Endpoint: "ops@example.org", Filter: map[string][]string{"severity": {"warning"}}})
	l.aws.Subscribe(l.chat)
	l.rounds(1) // the path's problem is seen, and waits to be confirmed
	l.probes["production/api"] = l.bad
	l.rounds(1)
	var got []string
	for _, m := range l.aws.Messages(l.alerts) {
		got = append(got, m.Attributes["code"])
	}
	if want := []string{"cert-expired", "alert-path-broken"}; !slices.Equal(slices.Compact(got), want) {
		t.Errorf("the topic received %q, want %q", got, want)
	}
}

// TestTheReasonIsThisRounds: the chat reads why the topic takes no message now, not why it took none before; and the topic
// itself, once it takes messages again, first what it missed.
func TestTheReasonIsThisRounds(t *testing.T) {
	l := newListening(t)
	l.probes["production/api"] = l.bad
	l.refuse("InternalError", 1)
	l.rounds(1)
	l.refuse("KMSDisabled", 0)
	l.rounds(3)
	var said []string
	for _, m := range l.aws.Messages(l.chat) {
		if m.Attributes["code"] == string(finding.AlertPathBroken) {
			said = append(said, m.Texts["default"])
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "KMSDisabled") || strings.Contains(said[0], "InternalError") {
		t.Errorf("the chat received %q", said)
	}
	loaded, err := l.runner.Publisher.Store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range loaded.Incidents {
		if r.Code == finding.AlertPathBroken && r.Notified != finding.Critical {
			t.Errorf("what the chat accepted about the topic is owed: %+v", r)
		}
	}
	l.aws.Heal()
	l.rounds(4)
	l.expect(t, l.alerts, finding.CertExpired, "opened critical")
	l.expect(t, l.alerts, finding.AlertPathBroken, "recovered critical")
	l.expect(t, l.chat, finding.AlertPathBroken, "opened critical", "recovered critical")
	if first := l.aws.Messages(l.alerts)[0].Attributes["code"]; first != string(finding.CertExpired) {
		t.Errorf("the topic received %s first", first)
	}
}

// TestATopicThatRefusedIsCheckedAgain: the alert that the topic refused is owed no more, and no other comes. A test alert
// shows that it takes messages again, also to a process that remembers nothing.
func TestATopicThatRefusedIsCheckedAgain(t *testing.T) {
	for _, cold := range []bool{false, true} {
		l := newListening(t)
		l.probes["production/api"] = l.bad
		l.refuse("KMSDisabled", 0)
		l.rounds(3)
		l.request.Config.Endpoints[0].Name = "other" // and api is nobody's any more
		l.probes["production/other"] = l.fit
		if fs := l.rounds(2); len(fs) != 1 {
			t.Errorf("cold %v: findings %v while the topic refuses", cold, fs)
		}
		l.aws.Heal()
		for range 4 {
			if cold {
				l.start()
			}
			l.rounds(1)
		}
		loaded, err := l.runner.Publisher.Store.Load(context.Background())
		for _, r := range loaded.Incidents {
			if r.Open() || err != nil {
				t.Errorf("cold %v: still open: %s, %v", cold, r.Key, err)
			}
		}
		l.expect(t, l.alerts, finding.AlertPathBroken, "recovered critical")
		l.expect(t, l.chat, finding.AlertPathBroken, "opened critical", "recovered critical")
		if n := len(l.told(l.alerts, "trial")); n > 2 || !cold && n > 1 {
			t.Errorf("cold %v: %d test alerts", cold, n)
		}
	}
}
