package boot

import (
	"context"
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
	"certdrift/internal/lambda"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/trust"
)

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

// TestWhatManifestsPassOver: a function's rounds know what was not understood, as those of the command line do.
func TestWhatManifestsPassOver(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "values.yaml"), []byte("service: {annotations: {alb.ingress.kubernetes.io/certificate-arn: x}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "version: 1\nload_balancers: {}\nmanifests: [" + filepath.Join(dir, "values.yaml") + "]\n"
	l := &loader{reader: &place{data: []byte(text)}, location: "certdrift.yaml", now: time.Now}
	have, err := l.load(t.Context())
	if err != nil || len(have.PassedOver) != 1 || len(have.Diagnostics) > 0 {
		t.Errorf("%+v, diagnostics %+v, %v; want one object that was passed over", have.PassedOver, have.Diagnostics, err)
	}
}

// TestManifestsThatAWSKeepsBack: denied and throttled reads are errors of observation; only a wrong place is an error in
// the configuration.
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
				t.Errorf("%s: observe errors %+v, diagnostics %+v; want one diagnostic", code, have.ObserveErrors, have.Diagnostics)
			}
			continue
		}
		if len(have.Diagnostics) != 0 || len(have.ObserveErrors) != 1 || have.ObserveErrors[0].Kind != want || have.ObserveErrors[0].Operation != "s3:ListBucket" {
			t.Errorf("%s: observe errors %+v, diagnostics %+v; want one %s", code, have.ObserveErrors, have.Diagnostics, want)
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
	if err != nil || len(have.Config.Endpoints) != 1 || len(have.Diagnostics) != 0 {
		t.Fatalf("%d endpoints, faults %v, error %v", len(have.Config.Endpoints), have.Diagnostics, err)
	}
	from.err = errors.New("access denied")
	if have, err = l.load(context.Background()); err != nil || len(have.ObserveErrors) != 0 {
		t.Fatalf("asked again within a minute: %v, %v", have.ObserveErrors, err)
	}
	now = now.Add(2 * time.Minute)
	for range 2 {
		have, err = l.load(context.Background())
		if err != nil || len(have.Config.Endpoints) != 1 || len(have.ObserveErrors) != 1 {
			t.Fatalf("%d endpoints, observe errors %v, error %v; want the last good configuration and one observe error", len(have.Config.Endpoints), have.ObserveErrors, err)
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
		if err != nil || len(have.Config.Endpoints) != tt.want || len(have.Diagnostics) != tt.faults {
			t.Errorf("%q: %d endpoints, faults %v, error %v; want %d endpoints and %d faults", tt.data, len(have.Config.Endpoints), have.Diagnostics, err, tt.want, tt.faults)
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
				l := &loader{reader: tt.from, location: "s3://bucket/certdrift.yaml", now: time.Now}
				told := &inbox{}
				gauge := &gauge{}
				publisher := &round.Publisher{Now: time.Now, Store: round.NewMemory(), Gauge: gauge, Function: "probe", By: "test"}
				publisher.Tell(told)
				f := lambda.New(lambda.Parts{
					Runner: (&Runners{Now: func() time.Time { return now }, Stores: &trust.Stores{}, Publisher: publisher}).For,
					Load:   l.load, Depth: round.ListenersOnProblem, Log: slog.New(slog.DiscardHandler), Now: time.Now,
				})
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
