package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/sns"
)

// fakeTopic delivers to its subscriptions as SNS does.
type fakeTopic struct {
	all       []sns.Subscription
	missing   bool
	refuses   bool
	denied    bool
	sent      []alert.Message
	delivered map[string]int
}

func (f *fakeTopic) Subscriptions(context.Context) ([]sns.Subscription, bool, error) {
	if f.denied {
		return nil, false, errors.New("listing the subscriptions: AuthorizationError")
	}
	return f.all, f.missing, nil
}

func (f *fakeTopic) Send(_ context.Context, m alert.Message) error {
	if f.refuses {
		return errors.New("publishing: KMSAccessDenied")
	}
	f.sent = append(f.sent, m)
	for _, s := range f.all {
		if !s.Pending && s.Filter.Passes(m.Attributes) {
			f.delivered[s.Endpoint]++
		}
	}
	return nil
}

func filter(t *testing.T, text string) sns.Filter {
	t.Helper()
	f, err := sns.ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// alerting runs `certdrift alert` against a topic.
func alerting(t *testing.T, f *fakeTopic, args ...string) (int, string, string) {
	t.Helper()
	f.delivered = map[string]int{}
	return run(t, func(a *App) {
		a.Parts.Cloud.Topic = func(context.Context, string, bool) (alertTopic, error) { return f, nil }
	}, nil, append([]string{"alert", "--topic", "arn:aws:sns:us-west-2:111122223333:alerts"}, args...)...)
}

func TestAlertReachesEveryPath(t *testing.T) {
	f := &fakeTopic{all: []sns.Subscription{
		{Protocol: "email", Endpoint: "ops@example.org"},
		{Protocol: "sms", Endpoint: "+12065550100", Filter: filter(t, `{"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`)},
		{Protocol: "email", Endpoint: "team@example.org", Filter: filter(t, `{"environment":["staging"]}`)},
		{Protocol: "https", Endpoint: "https://hooks.example.org/s3cr3t", Filter: filter(t, `{"environment":["production"],"severity":["warning"]}`)},
	}}
	status, out, errs := alerting(t, f, "--test")
	if status != 0 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	for _, s := range f.all {
		if f.delivered[s.Endpoint] == 0 {
			t.Errorf("%s got no trial", s.Endpoint)
		}
	}
	if len(f.sent) != 2 {
		t.Errorf("%d trials were sent where two reach everybody", len(f.sent))
	}
	if strings.Contains(out, "s3cr3t") {
		t.Error("a hook's secret is shown")
	}
}

func TestAlertFindsWhatIsBroken(t *testing.T) {
	well := sns.Subscription{Protocol: "email", Endpoint: "ops@example.org"}
	for _, tt := range []struct {
		name  string
		topic fakeTopic
		args  []string
		want  int
		says  string
	}{
		{"all is well", fakeTopic{all: []sns.Subscription{well}}, nil, 0, "✓ email"},
		{"nobody confirmed", fakeTopic{all: []sns.Subscription{well, {Protocol: "email", Endpoint: "new@example.org", Pending: true}}}, nil, 1, "nobody has confirmed"},
		{"never", fakeTopic{all: []sns.Subscription{well, {Protocol: "sqs", Endpoint: "queue", Filter: filter(t, `{"sevrity":["critical"]}`)}}}, nil, 1, "lets no alert through"},
		{"only one code", fakeTopic{all: []sns.Subscription{well, {Protocol: "sqs", Endpoint: "queue", Filter: filter(t, `{"code":["cert-expired"]}`)}}}, []string{"--test"}, 0, "not tried"},
		{"nobody", fakeTopic{}, nil, 1, "nobody is subscribed"},
		{"gone", fakeTopic{missing: true}, nil, 1, "does not exist"},
		{"refused", fakeTopic{all: []sns.Subscription{well}, refuses: true}, []string{"--test"}, 1, "takes no message"},
		{"an environment without ears", fakeTopic{all: []sns.Subscription{{Protocol: "email", Endpoint: "team@example.org", Filter: filter(t, `{"environment":["staging"]}`)}}},
			[]string{"-e", "staging,production"}, 1, "critical alert of production reaches nobody"},
		{"denied", fakeTopic{denied: true}, nil, 3, "AuthorizationError"},
		{"body", fakeTopic{all: []sns.Subscription{{Protocol: "sqs", Endpoint: "q", OnBody: true, Filter: filter(t, `{"a":["b"]}`)}}}, nil, 0, "body"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := alerting(t, &tt.topic, tt.args...)
			if status != tt.want || !strings.Contains(out+errs, tt.says) {
				t.Errorf("status %d, want %d with %q:\n%s%s", status, tt.want, tt.says, out, errs)
			}
			if len(tt.args) == 0 && len(tt.topic.sent) > 0 {
				t.Error("a trial was sent that nobody asked for")
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
	if err := os.WriteFile(path, []byte(text+"      - {name: bad, ulr: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run(t, nil, nil, "cost", "-c", path, "--format", "json"); status != 2 || !strings.Contains(errs, "ulr") {
		t.Errorf("a configuration with a fault: status %d, %s", status, errs)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := run(t, nil, nil, "cost", "-c", path); status != 0 || !strings.Contains(out, "USD a month") {
		t.Errorf("status %d: %s", status, out)
	}
}
