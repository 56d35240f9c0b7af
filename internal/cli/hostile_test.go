package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"certdrift/internal/boot"
	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/policy"
	"certdrift/internal/report"
	"certdrift/internal/report/text"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// TestHostileIncidents: every text of the table is escaped, in every command that shows an incident.
func TestHostileIncidents(t *testing.T) {
	fresh := func() *keeping {
		store := &keeping{Memory: round.NewMemory(), broken: []string{certtest.Hostile}}
		for i, closed := range []bool{false, true, false, false} {
			var r incident.Record
			certtest.Poison(&r)
			r.Code, r.Codes, r.Ended = certtest.Hostile, []finding.Code{certtest.Hostile}, certtest.Hostile // a table may have anything
			r.Key, r.Version, r.Severity, r.Closed = fmt.Sprint(certtest.Hostile, i), 0, finding.Critical, time.Time{}
			if closed {
				r.Closed = morning.Add(-time.Minute)
			}
			if saved, err := store.SaveIncident(t.Context(), r); err != nil || !saved {
				t.Fatal(saved, err)
			}
		}
		return store
	}
	for _, args := range [][]string{
		{"list"}, {"list", "--all"}, {"list", "--all", "--format", "json"}, {"ack", "y", "--by", certtest.Hostile}, {"ack", certtest.Hostile + "0", "--by", certtest.Hostile},
		{"ack", certtest.Hostile + "0", "--by", certtest.Hostile, "--format", "json"}, {"close", certtest.Hostile + "2", "--by", certtest.Hostile}, {"close", certtest.Hostile + "9", "--by", "x"}, {"ack", "x", "--by", "y", "--until", certtest.Hostile}, {"ack", certtest.Hostile},
	} {
		_, out, errs := run(t, desk(fresh()), nil, append([]string{"incidents", "--table", "t"}, args...)...)
		if out+errs == "" {
			t.Errorf("%q: no output", args)
		}
		certtest.Harmless(t, fmt.Sprintf("%.40q, standard output", args), out, false)
		certtest.Harmless(t, fmt.Sprintf("%.40q, standard error", args), errs, false)
		if strings.Contains(strings.Join(args, " "), "json") {
			var document any
			if err := json.Unmarshal([]byte(out), &document); err != nil || !strings.Contains(fmt.Sprint(document), "\u202eevil") {
				t.Errorf("%.40q: the JSON does not say the same: %v", args, err)
			}
		}
	}
}

// TestHostileRound: every text that a round can hold is escaped, in every format and in what is written beside it.
func TestHostileRound(t *testing.T) {
	var kept saved
	certtest.Poison(&kept.Round)
	p := policy.DefaultThresholds()
	kept.Policy, kept.Schema = &p, observation.Schema
	e := &kept.Endpoints[0]
	e.Target.Kind, e.Target.Trust, e.Probed = target.HTTPS, target.Trust{Roots: target.Mozilla}, true
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(kept); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "saved.json")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range formatNames() {
		status, all := outputs(t, dir, "judge", file, "--format", format)
		if status != 1 && status != 3 || len(all["standard output"]) < 200 {
			t.Fatalf("%s: exit status %d: %s", format, status, all["standard error"])
		}
		for where, text := range all {
			certtest.Harmless(t, format+", "+where, text, format == "github")
		}
	}
	result := round.Result{Round: kept.Round}
	certtest.Poison(&result.Conclusion)
	result.Conclusion.Findings[0].Severity = finding.Critical
	config := filepath.Join(dir, "certdrift.yaml")
	if err := os.WriteFile(config, []byte("version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://example.org/}]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rounds := func(context.Context, round.Request, boot.Options) (round.Result, error) { return result, nil }
	failing := func(context.Context, round.Request, boot.Options) (round.Result, error) {
		return result, errors.Join(errors.New(certtest.Hostile), fmt.Errorf("x: %w", errors.New(strings.Repeat(certtest.Hostile, 10_000))))
	}
	for _, args := range [][]string{{"check", "-c", config}, {"verify", "-c", config, "--wait", "1ns"}, {"check", "-c", config, "--format", "json"}} {
		for name, rounds := range map[string]func(context.Context, round.Request, boot.Options) (round.Result, error){"a round": rounds, "an error": failing} {
			_, out, errs := run(t, nil, rounds, args...)
			certtest.Harmless(t, fmt.Sprintf("%s, %q, standard output", name, args), out, false)
			certtest.Harmless(t, fmt.Sprintf("%s, %q, standard error", name, args), errs, false)
			if len(errs) > 256<<10 {
				t.Errorf("%s: %d bytes of errors", name, len(errs))
			}
		}
	}
}

// TestHostilePlan: so is all that a row of a plan can hold, and wherever a line of its text is broken.
func TestHostilePlan(t *testing.T) {
	rows := make([]plan.Row, 12)
	for i := range rows {
		certtest.Poison(&rows[i])
		states := plan.States()
		rows[i].State = states[i%len(states)]
	}
	r := report.BuildPlan(report.Input{FailOn: finding.Critical}, rows)
	for _, f := range formats() {
		for _, width := range []int{60, 80, 100_000} {
			var out bytes.Buffer
			if err := f.write(&out, r, text.Options{Width: width, Verbose: width == 80}); err != nil || out.Len() < 200 && f.name != "prometheus" && f.name != "github" {
				t.Fatalf("%s: %v: %s", f.name, err, &out)
			}
			certtest.Harmless(t, fmt.Sprint(f.name, " at ", width), out.String(), f.name == "github")
		}
	}
}

// TestHostileAccount: so is what AWS says of subscriptions and load balancers, and what is said of files and arguments.
func TestHostileAccount(t *testing.T) {
	topic := &fakeTopic{all: []observation.Subscription{
		{Protocol: certtest.Hostile, Endpoint: certtest.Hostile}, {Protocol: "email", Endpoint: certtest.Hostile, FilterPolicy: `{"severity": ["` + "\u202e" + `"]}`}, {Protocol: "sms", Endpoint: certtest.Hostile, Pending: true}, {Protocol: "https", Endpoint: certtest.Hostile, FilterPolicy: certtest.Hostile},
	}}
	for _, args := range [][]string{nil, {"--test"}, {"--format", "json"}, {"-e", certtest.Hostile, "--test"}} {
		_, out, errs := alerting(t, topic, args...)
		certtest.Harmless(t, fmt.Sprintf("alert %q, standard output", args), out, false)
		certtest.Harmless(t, fmt.Sprintf("alert %q, standard error", args), errs, false)
	}
	var attached observation.Attached
	certtest.Poison(&attached)
	account := func(a *App) {
		a.Parts.Inventory = func(context.Context, []string) (observation.Attached, error) { return attached, nil }
	}
	dir := t.TempDir()
	odd := filepath.Join(dir, strings.NewReplacer("\x00", "", "/", "").Replace(certtest.Hostile)+".yaml")
	if err := os.WriteFile(odd, []byte("version: 1\n"+certtest.Hostile+": x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init"}, {"init", "--region", "us-west-2"}, {"validate", "-c", odd}, {"validate", odd, "--format", "json"}, {"check", "-c", odd}, {"check", certtest.Hostile}, {"check", "https://" + certtest.Hostile}, {"plan", odd},
		{"plan", "--offline", odd, "--format", "json"}, {certtest.Hostile}, {"explain", certtest.Hostile}, {"judge", odd}, {"judge", certtest.Hostile}, {"check", "-c", odd, "--format", certtest.Hostile}, {"--" + certtest.Hostile}, {"cost", "-c", odd}, {"verify", "-c", odd, "-e", certtest.Hostile},
	} {
		_, out, errs := run(t, account, nil, args...)
		if out+errs == "" {
			t.Errorf("%q: no output", args)
		}
		certtest.Harmless(t, fmt.Sprintf("%.60q, standard output", args), out, false)
		certtest.Harmless(t, fmt.Sprintf("%.60q, standard error", args), errs, false)
	}
}
