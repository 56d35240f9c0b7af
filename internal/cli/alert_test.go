package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"certdrift/internal/alert"
	"certdrift/internal/alertpath"
	"certdrift/internal/observation"
)

// fakeTopic delivers to its subscriptions as SNS does.
type fakeTopic struct {
	all       []observation.Subscription
	missing   bool
	refuses   bool
	denied    bool
	sent      []alert.Message
	delivered map[string]int
}

func (f *fakeTopic) Observe(context.Context) ([]observation.Topic, []observation.ObserveError) {
	t := observation.Topic{ARN: topicARN, Read: !f.missing && !f.denied, Missing: f.missing, Subscriptions: f.all}
	if f.denied {
		return []observation.Topic{t}, []observation.ObserveError{{Operation: "sns:ListSubscriptionsByTopic", Detail: "AuthorizationError"}}
	}
	return []observation.Topic{t}, nil
}

func (f *fakeTopic) Send(_ context.Context, m alert.Message) error {
	if f.refuses {
		return errors.New("publishing: KMSAccessDenied")
	}
	f.sent = append(f.sent, m)
	for _, s := range f.all {
		if policy, err := alertpath.ParseFilter(s.FilterPolicy); err == nil && !s.Pending && policy.Passes(m.Attributes) {
			f.delivered[s.Endpoint]++
		}
	}
	return nil
}

const topicARN = "arn:aws:sns:us-west-2:111122223333:alerts"

// alerting runs `certdrift alert` against a topic.
func alerting(t *testing.T, f *fakeTopic, args ...string) (int, string, string) {
	t.Helper()
	f.delivered = map[string]int{}
	return run(t, func(a *App) {
		a.Parts.Cloud.Topic = func(context.Context, string, bool) (alertTopic, error) { return f, nil }
	}, nil, append([]string{"alert", "--topic", topicARN}, args...)...)
}

func TestAlertReachesEveryPath(t *testing.T) {
	f := &fakeTopic{all: []observation.Subscription{
		{Protocol: "email", Endpoint: "ops@example.org"},
		{Protocol: "sms", Endpoint: "+12065550100", FilterPolicy: `{"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`},
		{Protocol: "email", Endpoint: "team@example.org", FilterPolicy: `{"environment":["staging"]}`},
		{Protocol: "https", Endpoint: "https://hooks.example.org/…", FilterPolicy: `{"environment":["production"],"severity":["warning"]}`},
	}}
	status, out, errs := alerting(t, f, "--test")
	if status != 0 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	for _, s := range f.all {
		if f.delivered[s.Endpoint] == 0 {
			t.Errorf("%s got no test alert", s.Endpoint)
		}
	}
	if len(f.sent) != 2 {
		t.Errorf("%d test alerts were sent where two reach everyone", len(f.sent))
	}
}

// The event bus is a path too: it gets a test alert where one is named, and what it refuses is a problem.
func TestAlertTriesTheEventBus(t *testing.T) {
	well := []observation.Subscription{{Protocol: "email", Endpoint: "ops@example.org"}}
	for _, c := range []struct {
		name    string
		refuses bool
		args    []string
		status  int
		events  int
		says    string
	}{
		{"tried", false, []string{"--test", "--event-bus", "default"}, 0, 1, "event bus default"},
		{"refused", true, []string{"--test", "--event-bus", "default"}, 1, 0, "event bus default"},
		{"not asked for", false, []string{"--event-bus", "default"}, 0, 0, "✓ email"},
		{"none is named", false, []string{"--test"}, 0, 0, "✓ email"},
	} {
		f, bus := &fakeTopic{all: well, delivered: map[string]int{}}, &fakeTopic{refuses: c.refuses}
		opened := ""
		status, out, errs := run(t, func(a *App) {
			a.Parts.Cloud.Topic = func(context.Context, string, bool) (alertTopic, error) { return f, nil }
			a.Parts.Cloud.Bus = func(_ context.Context, name, topic string) (alertBus, error) {
				opened = name + " " + topic
				return bus, nil
			}
		}, nil, append([]string{"alert", "--topic", topicARN, "-e", "production"}, c.args...)...)
		if status != c.status || len(bus.sent) != c.events || !strings.Contains(out, c.says) {
			t.Errorf("%s: status %d, %d events: %s%s", c.name, status, len(bus.sent), out, errs)
		}
		if c.events > 0 && (opened != "default "+topicARN || bus.sent[0].Attributes["environment"] != "production") {
			t.Errorf("%s: opened %q, sent %v", c.name, opened, bus.sent[0].Attributes)
		}
	}
}

func TestAlertFindsWhatIsBroken(t *testing.T) {
	well := observation.Subscription{Protocol: "email", Endpoint: "ops@example.org"}
	for _, tt := range []struct {
		name  string
		topic fakeTopic
		args  []string
		want  int
		says  string
	}{
		{"all is well", fakeTopic{all: []observation.Subscription{well}}, nil, 0, "✓ email"},
		{"nobody confirmed", fakeTopic{all: []observation.Subscription{well, {Protocol: "email", Endpoint: "new@example.org", Pending: true}}}, nil, 1, "not confirmed"},
		{"never", fakeTopic{all: []observation.Subscription{well, {Protocol: "sqs", Endpoint: "queue", FilterPolicy: `{"sevrity":["critical"]}`}}}, nil, 1, "matches nothing certdrift sends"},
		{"only one code", fakeTopic{all: []observation.Subscription{well, {Protocol: "sqs", Endpoint: "queue", FilterPolicy: `{"code":["cert-expired"]}`}}}, []string{"--test"}, 0, "not tested"},
		{"nobody", fakeTopic{}, nil, 1, "nobody is subscribed"},
		{"gone", fakeTopic{missing: true}, nil, 1, "does not exist"},
		{"refused", fakeTopic{all: []observation.Subscription{well}, refuses: true}, []string{"--test"}, 1, "rejects messages"},
		{"an environment without ears", fakeTopic{all: []observation.Subscription{{Protocol: "email", Endpoint: "team@example.org", FilterPolicy: `{"environment":["staging"]}`}}},
			[]string{"-e", "staging,production"}, 1, "critical alert of production reaches nobody"},
		{"denied", fakeTopic{denied: true}, nil, 3, "AuthorizationError"},
		{"body", fakeTopic{all: []observation.Subscription{{Protocol: "sqs", Endpoint: "q", OnBody: true, FilterPolicy: `{"a":["b"]}`}}}, nil, 0, "body"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := alerting(t, &tt.topic, tt.args...)
			if status != tt.want || !strings.Contains(out+errs, tt.says) {
				t.Errorf("status %d, want %d with %q:\n%s%s", status, tt.want, tt.says, out, errs)
			}
			if len(tt.args) == 0 && len(tt.topic.sent) > 0 {
				t.Error("a test alert was sent without --test")
			}
		})
	}
	if status, _, _ := run(t, nil, nil, "alert"); status != 2 {
		t.Error("no topic is named, and yet something is done")
	}
	if status, _, errs := run(t, nil, nil, "alert", "--topic", "alerts"); status != 2 || !strings.Contains(errs, "ARN") {
		t.Errorf("a name in place of an ARN: %d %s", status, errs)
	}
}

func TestCost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "certdrift.yaml")
	text := "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: api, url: https://api.example.org/}\n      - {name: ui, url: https://ui.example.org/}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	price := func() (b bill) {
		status, out, errs := run(t, nil, nil, "cost", "-c", path, "--format", "json")
		if err := json.Unmarshal([]byte(out), &b); err != nil || status != 0 {
			t.Fatalf("status %d, %v: %s", status, err, errs)
		}
		return b
	}
	few := price()
	if few.Environments != 1 || few.Endpoints != 2 || few.Series < 8 || few.MonthlyUSD <= 0 || few.EverySeriesUSD <= few.MonthlyUSD {
		t.Errorf("%+v", few)
	}
	lines := 0
	for _, l := range few.Lines {
		lines += l.Series
	}
	if lines != few.Series {
		t.Errorf("the lines add up to %d of %d series", lines, few.Series)
	}
	for i := range 200 {
		text += "      - {name: e" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + ", url: https://e.example.org/}\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if many := price(); many.Endpoints != 202 || many.MonthlyUSD != few.MonthlyUSD {
		t.Errorf("200 endpoints more cost %.2f, not %.2f", many.MonthlyUSD, few.MonthlyUSD)
	}
	if err := os.WriteFile(path, []byte("metrics: {per_certificate: true}\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := price(); got.Certificates != 202 || got.SeriesHourly != 202 || got.Series != few.Series || math.Abs(got.MonthlyUSD-few.MonthlyUSD-202*0.30/24) > 0.0051 {
		t.Errorf("202 certificates: %+v", got)
	}
	if err := os.WriteFile(path, []byte(text+"      - {name: bad, ulr: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run(t, nil, nil, "cost", "-c", path, "--format", "json"); status != 2 || !strings.Contains(errs, "ulr") {
		t.Errorf("a configuration with a fault: status %d, %s", status, errs)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := run(t, nil, nil, "cost", "-c", path); status != 0 || !strings.Contains(out, "\n1 environment, 202 endpoints, ") || !strings.Contains(out, "USD per month") {
		t.Errorf("status %d: %s", status, out)
	}
}

// What the stack costs besides: by its parameters, as a sum of its lines, and next to AWS's own monitors.
func TestCostOfTheStack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "certdrift.yaml")
	var text strings.Builder
	text.WriteString("version: 1\nenvironments:\n  production:\n    endpoints:\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "      - {name: e%d, url: https://e%d.example.org/}\n", i, i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	price := func(flags ...string) (b bill) {
		status, out, errs := run(t, nil, nil, append([]string{"cost", "-c", path, "--format", "json"}, flags...)...)
		if err := json.Unmarshal([]byte(out), &b); err != nil || status != 0 {
			t.Fatalf("status %d, %v: %s", status, err, errs)
		}
		sum := 0.0
		for _, l := range b.Stack {
			sum += l.MonthlyUSD
		}
		if math.Abs(sum-b.StackUSD) > 0.05 || b.Stack[0].MonthlyUSD != b.MonthlyUSD || b.PricesOf == "" || len(b.Others) != 2 || b.Others[0].MonthlyUSD < b.StackUSD {
			t.Errorf("%v: %+v", flags, b)
		}
		return b
	}
	alone, spread := price("--memory", "256"), price("--memory", "1769", "--workers", "5")
	if alone.Fits || !spread.Fits || alone.Seconds.Worker != 0 || spread.Seconds.Worker == 0 || spread.Seconds.Probe >= alone.Seconds.Probe {
		t.Errorf("alone %+v, with workers %+v", alone.Seconds, spread.Seconds)
	}
	if rare, lines := price("--probe-every", "5m"), price("--all-lines"); rare.StackUSD >= alone.StackUSD || lines.StackUSD <= alone.StackUSD+5 {
		t.Errorf("%v, every five minutes %v, with all lines %v", alone.StackUSD, rare.StackUSD, lines.StackUSD)
	}
	if _, out, _ := run(t, nil, nil, "cost", "-c", path); !strings.Contains(out, "That is too long") {
		t.Errorf("nothing says that rounds do not fit:\n%s", out)
	}
	if status, _, errs := run(t, nil, nil, "cost", "-c", path, "--probe-every", "1s"); status != 2 || !strings.Contains(errs, "an interval a minute or more") {
		t.Errorf("status %d: %s", status, errs)
	}
}

// Endpoints that have series while they fail have a price: three series an hour each and one for an hour a day, of at most
// 100 endpoints.
func TestCostWhileFailing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "certdrift.yaml")
	text := "version: 1\nmetrics: {while_failing: true}\nenvironments:\n  production:\n    endpoints:\n"
	for i := range 150 {
		text += fmt.Sprintf("      - {name: e%d, url: https://e%d.example.org/, per_endpoint_metrics: %v}\n", i, i, i < 2)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := run(t, nil, nil, "cost", "-c", path, "--format", "json")
	var b bill
	if err := json.Unmarshal([]byte(out), &b); err != nil || b.Failing == nil {
		t.Fatalf("%v: %s", err, out)
	}
	if *b.Failing != (failing{HourUSD: 0.00125, Endpoints: 100, MonthlyUSD: 91.25}) || b.EachEndpointUSD != 0.91 {
		t.Errorf("%+v, one more endpoint %v", *b.Failing, b.EachEndpointUSD)
	}
	if amounts := regexp.MustCompile(`usd[a-z_]*": *[\d.]{8,}`).FindString(out); amounts != "" {
		t.Errorf("an amount is not rounded: %s", amounts)
	}
	_, out, _ = run(t, nil, nil, "cost", "-c", path)
	if !strings.Contains(out, "0.00125 USD per endpoint and hour, for at most 100 endpoints at a time: 91.25") {
		t.Error(out)
	}
}
