package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/event"
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
		Load: func(context.Context) (round.Request, error) {
			return round.Request{Config: config.Config{
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

// An error goes to Lambda as a line without a level, which neither the dashboard's list nor a filter by level shows.
func TestAFailureIsLoggedAsAnError(t *testing.T) {
	var text bytes.Buffer
	now := time.Now()
	f, _ := newFunction(&now, round.Listeners)
	f.Log = slog.New(slog.NewJSONHandler(&text, nil))
	f.Load = func(context.Context) (round.Request, error) { return round.Request{}, errors.New("access denied") }
	if _, err := f.Handle(context.Background(), nil); err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(text.String(), `"level":"ERROR"`) || !strings.Contains(text.String(), "access denied") {
		t.Errorf("logged %s", text.String())
	}
}

// TestAnEventIsFollowedThoughSTSHangs: the account cannot be identified from a VPC without a route to STS.
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
