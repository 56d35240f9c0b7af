package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
)

// The incident, in an account: healthy; stale certificates attached in production; who did it and how to undo it; the repair;
// recovery. Then a problem that only a probe sees, a lost permission, and every kind of event.
func TestTheIncident(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	s := deploy(t, f, w)
	in := subscribe(t, cfg, s.Outputs["TopicArn"], "subscriber")
	l := newLedger(cfg)

	t.Run("stack", func(t *testing.T) { theStack(t, s, l) })
	t.Run("healthy", func(t *testing.T) { healthy(t, s, in, l) })
	t.Run("drift", func(t *testing.T) { drift(t, s, w, in, l) })
	t.Run("repair", func(t *testing.T) { repair(t, s, w, in) })
	t.Run("probe", func(t *testing.T) { probeAlone(t, s, w, in) })
	t.Run("events", func(t *testing.T) { events(t, s, w, in) })
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
	t.Run("denied", func(t *testing.T) { denied(t, s, in) })
	if t.Failed() {
		for _, record := range remembered(t, cfg, s.Outputs["TableName"]) {
			t.Logf("remembered: %s", record)
		}
	}
}

// theStack checks what was deployed.
func theStack(t *testing.T, s *stack, l *ledger) {
	if s.Status != "CREATE_COMPLETE" {
		t.Errorf("the stack is %s", s.Status)
	}
	for name, d := range s.Functions {
		if d.Runtime != "provided.al2023" || d.Handler != "bootstrap" || d.Environment["CERTDRIFT_TABLE"] == "" {
			t.Errorf("%s is deployed as %+v", name, d)
		}
	}
	for _, r := range s.bus.rules {
		if len(r.targets) != 1 || !r.complete {
			t.Errorf("rule %s has targets %v; each needs one, with a dead-letter queue", r.name, r.targets)
		}
	}
	l.holdDashboard(t, "certdrift")
	if alarms := l.alarms(t); len(alarms) < 10 {
		t.Errorf("only %d alarms", len(alarms))
	}
}

func healthy(t *testing.T, s *stack, in *inbox, l *ledger) {
	for i := range 3 {
		if i == 2 { // what is confirmed by a second round would come now
			time.Sleep(policy.DefaultAlerting().Apart + time.Second)
		}
		probe, inspect := s.round(t)
		if probe.Verdict != "pass" || probe.Endpoints != 5 {
			t.Errorf("probe: %+v", probe)
		}
		if inspect.Verdict != "pass" || inspect.Listeners != 4 {
			t.Errorf("inspect: %+v", inspect)
		}
	}
	for _, m := range in.take(t) {
		t.Errorf("an alert though all is well: %v", m)
	}
	if up := l.latest(t, "EndpointsUp", "Environment=production"); up != 2 {
		t.Errorf("EndpointsUp in production: %v, want 2", up)
	}
	if down := l.latest(t, "EndpointsDown", "Environment=production"); down != 0 {
		t.Errorf("EndpointsDown in production: %v, want 0", down)
	}
	if left := l.latest(t, "LifetimeLeft", "Environment=production"); left < 60 || left > 70 { // 60 days of 90
		t.Errorf("LifetimeLeft in production: %v, want 67", left)
	}
	l.holdAlarms(t)
	if !s.front.guard.made(s.inspect.name, "elasticloadbalancing:DescribeLoadBalancers") || !s.front.guard.made(s.probe.name, "cloudwatch:PutMetricData") {
		t.Error("the guard saw no calls of the functions: are they signed with the functions' own keys?")
	}
}

// drift replays the redeployment: the cluster's cloud provider attaches the stale certificate to production's api.
func drift(t *testing.T, s *stack, w *world, in *inbox, l *ledger) {
	const balancer = "a22e1d63f8ea522f9ac4b17d603e9f82"
	w.attach(t, balancer, w.stale["production"])
	event := sample(t, "classic-set-certificate-kubernetes-production-api.json", w)
	answers := s.send(t, event)
	if a := answers[s.inspect.name]; a.Verdict != "fail" {
		t.Fatalf("inspect answered %+v to the event", answers)
	}
	alerts := in.take(t)
	if len(alerts) != 1 {
		t.Fatalf("%d alerts, want one: %v", len(alerts), alerts)
	}
	m := alerts[0]
	if want := about(alerts, "environment=production", "severity=critical", "code=drift-attached", "event=opened"); len(want) != 1 {
		t.Errorf("the alert is %v", m)
	}
	for _, want := range []string{
		balancer, "web-monitoring-2017", w.right["production"], // where, now, meant
		"masters.cluster.example.org",                        // who
		"aws elb set-load-balancer-listener-ssl-certificate", // how to undo it
	} {
		if !strings.Contains(m.body, want) {
			t.Errorf("the alert does not say %q: %s", want, m.body)
		}
	}
	// EventBridge delivers at least once, and rounds go on: still one alert.
	s.send(t, event)
	s.send(t, event)
	for range 3 {
		if probe, inspect := s.round(t); probe.Verdict != "fail" || inspect.Verdict != "fail" {
			t.Errorf("verdicts while it lasts: probe %+v, inspect %+v", probe, inspect)
		}
	}
	for _, m := range in.take(t) {
		t.Errorf("one more alert for the same cause: %v", m)
	}
	if down := l.latest(t, "EndpointsDown", "Environment=production"); down != 1 {
		t.Errorf("EndpointsDown in production: %v, want 1", down)
	}
	if n := l.latest(t, "Findings", "Environment=production", "Severity=critical"); n < 1 {
		t.Errorf("critical findings in production: %v, want at least 1", n)
	}
}

// repair attaches the right certificate by hand, as the alert says, and waits for the recovery.
func repair(t *testing.T, s *stack, w *world, in *inbox) {
	w.attach(t, "a22e1d63f8ea522f9ac4b17d603e9f82", w.right["production"])
	s.send(t, sample(t, "classic-set-certificate-console-production-api.json", w))
	messages := settle(t, s, in, 3)
	if len(messages) != 1 || len(about(messages, "environment=production", "event=recovered")) != 1 {
		t.Errorf("after the repair came %v, want one recovery", messages)
	}
	if probe, inspect := s.round(t); probe.Verdict != "pass" || inspect.Verdict != "pass" {
		t.Errorf("after the repair: probe %+v, inspect %+v", probe, inspect)
	}
}

// settle runs rounds, far enough apart that each counts, and collects what they send.
func settle(t *testing.T, s *stack, in *inbox, rounds int) []message {
	t.Helper()
	var all []message
	for i := range rounds {
		if i > 0 {
			time.Sleep(policy.DefaultAlerting().Apart + time.Second)
		}
		s.round(t)
		all = append(all, in.take(t)...)
	}
	return all
}

// probeAlone breaks something that no load balancer setting shows.
func probeAlone(t *testing.T, s *stack, w *world, in *inbox) {
	now := time.Now()
	for code, broken := range map[string]func() (*pki.Pair, error){
		"cert-expired": func() (*pki.Pair, error) {
			return w.ca.Leaf(now, []string{loneHost}, pki.Valid(now.AddDate(0, 0, -91), now.AddDate(0, 0, -1)))
		},
		"cert-name-mismatch": func() (*pki.Pair, error) { return w.ca.Leaf(now, []string{"other.example.org"}) },
	} {
		t.Run(code, func(t *testing.T) {
			pair, err := broken()
			check(t, err)
			right := w.serveAlone(pair)
			messages := settle(t, s, in, 2)
			if len(messages) != 1 || len(about(messages, "environment=public", "severity=critical", "code="+code, "event=opened")) != 1 {
				t.Errorf("while it was broken came %v, want one alert", messages)
			}
			w.serveAlone(right)
			messages = settle(t, s, in, 3)
			if len(messages) != 1 || len(about(messages, "environment=public", "event=recovered")) != 1 {
				t.Errorf("after the repair came %v, want one recovery", messages)
			}
		})
	}
}

// events delivers every sample: the rules route each to the right function, no function fails, and because none of the claims is
// true, no alert is sent.
func events(t *testing.T, s *stack, w *world, in *inbox) {
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	check(t, err)
	if len(files) < 20 {
		t.Fatalf("only %d samples", len(files))
	}
	nobody := map[string]string{
		"classic-set-certificate-denied.json": "a refused call changed nothing",
		"cloudwatch-alarm-state-change.json":  "an alarm goes to people",
		"scheduled-rule.json":                 "the tick of another stack's rule",
		"scheduler.json":                      "the stack uses rules",
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			event, err := os.ReadFile(file)
			check(t, err)
			answers := s.send(t, event)
			if reason, ok := nobody[name]; ok {
				if len(answers) != 0 {
					t.Errorf("reached %v, though %s", answers, reason)
				}
				// sam local invoke delivers them too.
				answers[s.inspect.name] = s.inspect.mustInvoke(t, event)
			}
			if a, ok := answers[s.inspect.name]; !ok || a.Verdict != "pass" && a.Verdict != "ignored" {
				t.Errorf("answers: %+v", answers)
			}
		})
	}
	// An ACM event about a certificate leads to the load balancers that should have it.
	answers := s.send(t, sample(t, "acm-approaching-expiration.json", w))
	if a := answers[s.inspect.name]; a.Verdict != "pass" || a.Listeners != 2 {
		t.Errorf("a certificate of two listeners nears its end, and the answer is %+v", answers)
	}
	for _, m := range in.take(t) {
		t.Errorf("an alert for a claim that is not true: %v", m)
	}
}

// denied removes a permission and expects the finding about it.
func denied(t *testing.T, s *stack, in *inbox) {
	s.front.guard.forbid(s.inspect.name, "elasticloadbalancing:DescribeLoadBalancers")
	_, inspect := s.round(t)
	if inspect.Verdict != "incomplete" {
		t.Errorf("inspect may not read load balancers and answers %+v", inspect)
	}
	messages := settle(t, s, in, 3)
	if len(about(messages, "code=observe-denied", "event=opened")) == 0 {
		t.Errorf("no alert about the missing permission: %v", messages)
	}
	for _, m := range about(messages, "event=recovered") {
		t.Errorf("recovered without evidence: %v", m)
	}
}

// sample is an event of events/ adapted to this account: the certificates' ARNs, which ACM generated, and the time.
func sample(t *testing.T, name string, w *world) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "events", name))
	check(t, err)
	text := w.here().Replace(string(b))
	var event map[string]any
	check(t, json.Unmarshal([]byte(text), &event))
	// CloudTrail reports a change some minutes later, when it has long settled.
	at := time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)
	event["time"] = at
	event["detail"].(map[string]any)["eventTime"] = at
	b, err = json.Marshal(event)
	check(t, err)
	return b
}
