package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/source"
	"certdrift/internal/config"
	"certdrift/internal/event"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// quiet answers for endpoints that nobody configured, and for an empty account, and counts the rounds.
type quiet struct {
	rounds int
	only   []string
}

func (q *quiet) Probe(context.Context, []target.Endpoint) []observation.Endpoint {
	q.rounds++
	return nil
}

func (*quiet) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

func (q *quiet) Inspect(_ context.Context, w target.Wanted) observation.Attached {
	q.only = w.Only
	return observation.Attached{}
}

// Users answers that one load balancer uses each certificate.
func (*quiet) Users(context.Context, target.Scope, string) ([]string, bool, error) {
	return []string{"arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a22e1d63f8ea522f9ac4b17d603e9f82"}, true, nil
}

// newFunction is a function in account 111122223333, us-west-2, at now.
func newFunction(now *time.Time, depth round.Depth) (*Function, *quiet) {
	q := &quiet{}
	stores := &trust.Stores{}
	clock := func() time.Time { return *now }
	return New(Parts{
		Runner: func(config.Config) *round.Runner {
			return &round.Runner{Now: clock, Prober: q, Inspector: q, Roots: stores.Get, Publisher: &round.Publisher{
				Now: clock, Store: round.NewMemory(), Function: "test", By: "test",
			}}
		},
		Load: func(context.Context) (Loaded, error) {
			return Loaded{Config: config.Config{
				Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting(),
				Scope: target.Scope{Enabled: true, Walk: true, Regions: []string{"us-west-2"}},
			}}, nil
		},
		Depth: depth, Region: "us-west-2", Log: slog.New(slog.DiscardHandler), Now: clock,
		Account: func(context.Context) (string, error) { return "111122223333", nil },
		Again:   15 * time.Second, Wait: func(_ context.Context, d time.Duration) { *now = now.Add(d) },
	}), q
}

// TestEveryEventIsHandled feeds every sample event to the functions: what asks for a round gets one, what doesn't is
// ignored with a reason, and nothing is an error that Lambda would retry.
func TestEveryEventIsHandled(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d sample events: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := event.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			f, q := newFunction(&now, round.Listeners)
			s, err := f.Handle(context.Background(), raw)
			if err != nil {
				t.Fatal(err)
			}
			wantRound := e.Failed == "" && e.Kind != event.Alarm && e.Kind != event.Other
			if (q.rounds == 1) != wantRound {
				t.Errorf("%d rounds for kind %q (refused: %q), summary %+v", q.rounds, e.Kind, e.Failed, s)
			}
			if !wantRound && (s.Verdict != "ignored" || s.Reason == "") {
				t.Errorf("ignored without a reason: %+v", s)
			}
			if e.Change != nil && wantRound && e.Change.LoadBalancer != "" && len(q.only) != 1 {
				t.Errorf("AWS was asked for %v, want the load balancer of the event alone", q.only)
			}
		})
	}
}

func sample(t *testing.T, name string, edit func(string) string) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	edited := edit(string(raw))
	if edited == string(raw) {
		t.Fatalf("nothing to edit in %s", name)
	}
	return json.RawMessage(edited)
}

func TestWhatTheConfigurationDoesNotNameIsNotBelieved(t *testing.T) {
	for name, edit := range map[string]func(string) string{
		"another account": func(s string) string { return strings.ReplaceAll(s, "111122223333", "999988887777") },
		"another region":  func(s string) string { return strings.ReplaceAll(s, "us-west-2", "eu-north-1") },
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			f, q := newFunction(&now, round.Listeners)
			s, err := f.Handle(context.Background(), sample(t, "v2-modify-listener-terraform.json", edit))
			if err != nil {
				t.Fatal(err)
			}
			if s.Verdict != "ignored" || q.rounds != 0 {
				t.Errorf("%+v after %d rounds, want it ignored", s, q.rounds)
			}
		})
	}
}

func TestAChangeIsFollowedUntilItHasSettled(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 12, 43, 0, time.UTC) // ten seconds after the sample's change
	f, q := newFunction(&now, round.Listeners)
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", "v2-modify-listener-terraform.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Handle(context.Background(), raw); err != nil {
		t.Fatal(err)
	}
	// Two minutes after the change and one round more, every 15 s.
	if q.rounds < 9 || q.rounds > 11 {
		t.Errorf("%d rounds, want about ten", q.rounds)
	}
}

func TestWhatIsNoEventIsCountedAndNotRetried(t *testing.T) {
	now := time.Now()
	f, _ := newFunction(&now, round.Listeners)
	counted := 0
	f.Ignored = func(context.Context) error {
		counted++
		return errors.New("CloudWatch down")
	}
	defer func() {
		if counted != 1 {
			t.Errorf("counted %d times, want once", counted)
		}
	}()
	if s, err := f.Handle(context.Background(), json.RawMessage(`[1,`)); err != nil || s.Verdict != "ignored" {
		t.Errorf("%+v, %v; want it ignored: a retry won't make it readable", s, err)
	}
}

// place is one file that may become unreadable.
type place struct {
	data []byte
	err  error
}

func (p *place) Read(context.Context, string) ([]byte, error)         { return p.data, p.err }
func (p *place) Files(context.Context, string) ([]source.File, error) { return nil, p.err }

// bucketOf is a configuration whose manifests AWS keeps back.
type bucketOf struct{ config, refusal string }

func (b bucketOf) Read(context.Context, string) ([]byte, error) { return []byte(b.config), nil }
func (b bucketOf) Files(_ context.Context, place string) ([]source.File, error) {
	err := &smithy.OperationError{ServiceID: "S3", OperationName: "ListObjectsV2", Err: &smithy.GenericAPIError{Code: b.refusal}}
	return nil, &source.Error{Place: place, Err: err}
}

// TestManifestsThatAWSKeepsBack: what is refused or throttled is trouble of certdrift's own, and only a wrong place is a
// mistake of the configuration's.
func TestManifestsThatAWSKeepsBack(t *testing.T) {
	for code, want := range map[string]observation.ObserveErrorKind{
		"AccessDenied": observation.Denied, "SlowDown": observation.Throttled, "NoSuchBucket": "",
	} {
		l := &loader{reader: bucketOf{"version: 1\nload_balancers: {}\nmanifests: [\"s3://b/k8s/\"]\n", code}, location: "certdrift.yaml", now: time.Now}
		have, err := l.load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if len(have.ObserveErrors) != 0 || len(have.Diagnostics) != 1 {
				t.Errorf("%s: troubles %+v, faults %+v; want one fault", code, have.ObserveErrors, have.Diagnostics)
			}
			continue
		}
		if len(have.Diagnostics) != 0 || len(have.ObserveErrors) != 1 || have.ObserveErrors[0].Kind != want || have.ObserveErrors[0].Operation != "s3:ListBucket" {
			t.Errorf("%s: troubles %+v, faults %+v; want one %s", code, have.ObserveErrors, have.Diagnostics, want)
		}
	}
}

func TestTheLastGoodConfigurationStandsIn(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	from := &place{err: errors.New("access denied")}
	l := &loader{reader: from, location: "s3://bucket/certdrift.yaml", now: func() time.Time { return now }}
	if _, err := l.load(context.Background()); err == nil {
		t.Fatal("no error without any configuration")
	}
	from.data, from.err = []byte("version: 1\nenvironments:\n  prod:\n    endpoints:\n      - {name: a, url: https://a.example.org}\n"), nil
	have, err := l.load(context.Background())
	if err != nil || len(have.Endpoints) != 1 || len(have.Diagnostics) != 0 {
		t.Fatalf("%d endpoints, faults %v, error %v", len(have.Endpoints), have.Diagnostics, err)
	}
	from.err = errors.New("access denied")
	if have, err = l.load(context.Background()); err != nil || len(have.ObserveErrors) != 0 {
		t.Fatalf("asked again within a minute: %v, %v", have.ObserveErrors, err)
	}
	now = now.Add(2 * time.Minute)
	for range 2 {
		have, err = l.load(context.Background())
		if err != nil || len(have.Endpoints) != 1 || len(have.ObserveErrors) != 1 {
			t.Fatalf("%d endpoints, troubles %v, error %v; want the last good configuration and one trouble", len(have.Endpoints), have.ObserveErrors, err)
		}
	}
}

func TestTheLastGoodConfigurationStandsInForABrokenOne(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	good := []byte("version: 1\nenvironments:\n  prod:\n    endpoints:\n      - {name: a, url: https://a.example.org}\n")
	from := &place{data: good}
	l := &loader{reader: from, location: "s3://bucket/certdrift.yaml", now: func() time.Time { return now }}
	for _, tt := range []struct {
		data         string
		faults, want int
	}{
		{string(good), 0, 1},
		{"version: 1\nenvironments:\n\tprod:\n", 1, 1},
		{"", 1, 1},
		{string(good) + "      - {name: b, url: https://b.example.org}\n", 0, 2},
	} {
		from.data, now = []byte(tt.data), now.Add(2*time.Minute)
		have, err := l.load(context.Background())
		if err != nil || len(have.Endpoints) != tt.want || len(have.Diagnostics) != tt.faults {
			t.Errorf("%q: %d endpoints, faults %v, error %v; want %d endpoints and %d faults", tt.data, len(have.Endpoints), have.Diagnostics, err, tt.want, tt.faults)
		}
	}
}

// unanswering is a place that nothing leads to, such as S3 from a VPC without a way there.
type unanswering struct{}

func (unanswering) Read(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (unanswering) Files(ctx context.Context, _ string) ([]source.File, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAMissingConfigurationIsAlarmedAndTold: nothing is watched, so it is an error, which Lambda counts and alarms; and
// whoever gets the alerts reads what is missing.
func TestAMissingConfigurationIsAlarmedAndTold(t *testing.T) {
	for name, tt := range map[string]struct {
		from reader
		want string
	}{
		"no such object": {&place{err: &source.Error{Place: "s3://bucket/certdrift.yaml", Err: errors.New("NoSuchKey"), Advice: "check the key"}}, "check the key"},
		"no answer":      {unanswering{}, "ConfigBucket"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				f, _ := newFunction(&now, round.ListenersOnTrouble)
				l := &loader{reader: tt.from, location: "s3://bucket/certdrift.yaml", now: time.Now}
				f.Load = l.load
				told := &inbox{}
				gauge := &gauge{}
				make := f.Runner
				publisher := &round.Publisher{Now: time.Now, Store: round.NewMemory(), Gauge: gauge, Function: "probe", By: "test"}
				publisher.Tell(told)
				f.Runner = func(c config.Config) *round.Runner {
					runner := make(c)
					runner.Publisher = publisher
					return runner
				}
				ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
				defer cancel()
				for range 3 { // Lambda tries again; that is one alert all the same
					if _, err := f.Handle(ctx, nil); err == nil || !strings.Contains(err.Error(), "loading the configuration") {
						t.Errorf("error %v, want that the configuration could not be loaded", err)
					}
				}
				if len(told.messages) != 1 || told.messages[0].Attributes["code"] != "config-invalid" || told.messages[0].Attributes["severity"] != "critical" ||
					!strings.Contains(told.messages[0].Email, tt.want) || !strings.Contains(told.messages[0].Email, "s3://bucket/certdrift.yaml") {
					t.Errorf("told %v, want one critical alert that names the place and says what to do: %q", told.messages, tt.want)
				}
				if !slices.ContainsFunc(gauge.data, func(d metric.Datum) bool {
					return d.Name == metric.Findings && d.Value == 1 && d.Dimensions[len(d.Dimensions)-1].Value == "critical"
				}) {
					t.Errorf("no figure of it among %v", gauge.data)
				}
			})
		})
	}
}

// inbox keeps messages, gauge figures.
type inbox struct{ messages []alert.Message }

func (i *inbox) Send(_ context.Context, m alert.Message) error {
	i.messages = append(i.messages, m)
	return nil
}

type gauge struct{ data []metric.Datum }

func (g *gauge) Put(_ context.Context, data []metric.Datum) error {
	g.data = append(g.data, data...)
	return nil
}

// An error goes to Lambda as a line without a level, which neither the dashboard's list nor a filter by level shows.
func TestAFailureIsLoggedAsAnError(t *testing.T) {
	var text bytes.Buffer
	now := time.Now()
	f, _ := newFunction(&now, round.Listeners)
	f.Log = slog.New(slog.NewJSONHandler(&text, nil))
	f.Load = func(context.Context) (Loaded, error) { return Loaded{}, errors.New("access denied") }
	if _, err := f.Handle(context.Background(), nil); err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(text.String(), `"level":"ERROR"`) || !strings.Contains(text.String(), "access denied") {
		t.Errorf("logged %s", text.String())
	}
}

// TestAnEventIsFollowedThoughSTSHangs: whose the account is cannot be had, from a VPC without a way to STS.
func TestAnEventIsFollowedThoughSTSHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		f, q := newFunction(&now, round.Listeners)
		f.Account = func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 240*time.Second)
		defer cancel()
		raw := sample(t, "v2-modify-listener-terraform.json", func(s string) string { return s + "\n" })
		if _, err := f.Handle(ctx, raw); err != nil || q.rounds != 1 || ctx.Err() != nil {
			t.Errorf("%d rounds, error %v, with the time over: %v", q.rounds, err, ctx.Err())
		}
	})
}

func TestBeside(t *testing.T) {
	for _, tt := range []struct{ location, name, want string }{
		{"certdrift.yaml", "ca.pem", "ca.pem"},
		{"conf/certdrift.yaml", "ca.pem", "conf/ca.pem"},
		{"s3://bucket/conf/certdrift.yaml", "ca.pem", "s3://bucket/conf/ca.pem"},
		{"s3://bucket/certdrift.yaml", "s3://other/k8s/", "s3://other/k8s/"},
		{"ssm:///certdrift", "ca.pem", "ca.pem"},
	} {
		if got := beside(tt.location, tt.name); got != tt.want {
			t.Errorf("beside(%q, %q) = %q, want %q", tt.location, tt.name, got, tt.want)
		}
	}
}

func TestReadEnv(t *testing.T) {
	env, err := ReadEnv(func(string) string { return "" })
	if err != nil || env.Config != "certdrift.yaml" || env.Namespace != "Certdrift" {
		t.Errorf("defaults %+v, %v", env, err)
	}
	_, err = ReadEnv(func(name string) string {
		return map[string]string{"CERTDRIFT_TOPIC_ARN": "alerts", "CERTDRIFT_CHAT_TOPIC_ARN": "chat"}[name]
	})
	if err == nil || !strings.Contains(err.Error(), "CERTDRIFT_TOPIC_ARN") || !strings.Contains(err.Error(), "CERTDRIFT_CHAT_TOPIC_ARN") {
		t.Errorf("error %v, want both topics named", err)
	}
}
