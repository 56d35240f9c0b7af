package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"certdrift/internal/boot"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// hostile is what a terminal, a log viewer or a build server would act on: escape sequences of two kinds, a new line, a command,
// bidirectional controls, what is invisible, and what is not UTF-8.
const hostile = "::error::x \x1b]0;title\a\x1b[31m\r\n::set-output name=a::b\n##[error]y\u202eevil\u202c \u009b1m\u200b\u2028\x00\xff\x7f"

// poison puts hostile text into every text below a value, and one element into every list and mapping. Types of text of their own
// are closed sets, which no server chooses.
func poison(v reflect.Value, depth int) {
	if depth > 12 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(hostile)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(morning))
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if depth < 10 {
			v.Set(reflect.New(v.Type().Elem()))
			poison(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		poison(v.Index(0), depth+1)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		poison(key, depth+1)
		poison(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(hostile))
		}
	}
}

// harmlessOutput checks that nothing in an output is acted on. commands are a build server's own, which certdrift wrote.
func harmlessOutput(t *testing.T, what, text string, commands bool) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) && r != '\t' }); i >= 0 || !utf8.ValidString(line) {
			t.Errorf("%s: an invisible character: %.120q", what, line[max(0, i-40):])
			return
		}
		if begin := strings.TrimSpace(line); !commands && strings.HasPrefix(begin, "::") || strings.Contains(begin, "##[") {
			t.Errorf("%s: a command to a build server: %.120q", what, line)
			return
		}
	}
}

// TestHostileIncidents: every text of the table is escaped, in every command that shows an incident.
func TestHostileIncidents(t *testing.T) {
	fresh := func() *keeping {
		store := &keeping{Memory: round.NewMemory(), broken: []string{hostile}}
		for i, closed := range []bool{false, true, false, false} {
			var r incident.Record
			poison(reflect.ValueOf(&r).Elem(), 0)
			r.Code, r.Codes, r.Ended = hostile, []finding.Code{hostile}, hostile // a table may have anything
			r.Key, r.Version, r.Severity, r.Counter, r.Closed = fmt.Sprint(hostile, i), 0, finding.Critical, nil, time.Time{}
			if closed {
				r.Closed = morning.Add(-time.Minute)
			}
			if saved, err := store.Save(t.Context(), r); err != nil || !saved {
				t.Fatal(saved, err)
			}
		}
		return store
	}
	for _, args := range [][]string{
		{"list"}, {"list", "--all"}, {"list", "--all", "--format", "json"}, {"ack", "y", "--by", hostile}, {"ack", hostile + "0", "--by", hostile},
		{"ack", hostile + "0", "--by", hostile, "--format", "json"}, {"close", hostile + "2", "--by", hostile}, {"close", hostile + "9", "--by", "x"}, {"ack", "x", "--by", "y", "--until", hostile}, {"ack", hostile},
	} {
		_, out, errs := run(t, desk(fresh()), nil, append([]string{"incidents", "--table", "t"}, args...)...)
		if out+errs == "" {
			t.Errorf("%q: no output", args)
		}
		harmlessOutput(t, fmt.Sprintf("%.40q, standard output", args), out, false)
		harmlessOutput(t, fmt.Sprintf("%.40q, standard error", args), errs, false)
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
	poison(reflect.ValueOf(&kept.Round).Elem(), 0)
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
			harmlessOutput(t, format+", "+where, text, format == "github")
		}
	}
	result := round.Result{Round: kept.Round}
	poison(reflect.ValueOf(&result.Conclusion).Elem(), 0)
	result.Conclusion.Findings[0].Severity = finding.Critical
	config := filepath.Join(dir, "certdrift.yaml")
	if err := os.WriteFile(config, []byte("version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://example.org/}]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rounds := func(context.Context, round.Request, boot.Options) (round.Result, error) { return result, nil }
	failing := func(context.Context, round.Request, boot.Options) (round.Result, error) {
		return result, errors.Join(errors.New(hostile), fmt.Errorf("x: %w", errors.New(strings.Repeat(hostile, 10_000))))
	}
	for _, args := range [][]string{{"check", "-c", config}, {"verify", "-c", config, "--wait", "1ns"}, {"check", "-c", config, "--format", "json"}} {
		for name, rounds := range map[string]func(context.Context, round.Request, boot.Options) (round.Result, error){"a round": rounds, "an error": failing} {
			_, out, errs := run(t, nil, rounds, args...)
			harmlessOutput(t, fmt.Sprintf("%s, %q, standard output", name, args), out, false)
			harmlessOutput(t, fmt.Sprintf("%s, %q, standard error", name, args), errs, false)
			if len(errs) > 256<<10 {
				t.Errorf("%s: %d bytes of errors", name, len(errs))
			}
		}
	}
}

// TestHostileAccount: so is what AWS says of subscriptions and load balancers, and what is said of files and arguments.
func TestHostileAccount(t *testing.T) {
	topic := &fakeTopic{all: []observation.Subscription{
		{Protocol: hostile, Endpoint: hostile}, {Protocol: "email", Endpoint: hostile, FilterPolicy: `{"severity": ["` + "\u202e" + `"]}`}, {Protocol: "sms", Endpoint: hostile, Pending: true}, {Protocol: "https", Endpoint: hostile, FilterPolicy: hostile},
	}}
	for _, args := range [][]string{nil, {"--test"}, {"--format", "json"}, {"-e", hostile, "--test"}} {
		_, out, errs := alerting(t, topic, args...)
		harmlessOutput(t, fmt.Sprintf("alert %q, standard output", args), out, false)
		harmlessOutput(t, fmt.Sprintf("alert %q, standard error", args), errs, false)
	}
	var attached observation.Attached
	poison(reflect.ValueOf(&attached).Elem(), 0)
	account := func(a *App) {
		a.Parts.Inventory = func(context.Context, []string) (observation.Attached, error) { return attached, nil }
	}
	dir := t.TempDir()
	odd := filepath.Join(dir, strings.NewReplacer("\x00", "", "/", "").Replace(hostile)+".yaml")
	if err := os.WriteFile(odd, []byte("version: 1\n"+hostile+": x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init"}, {"init", "--region", "us-west-2"}, {"validate", "-c", odd}, {"validate", odd, "--format", "json"}, {"check", "-c", odd}, {"check", hostile}, {"check", "https://" + hostile}, {"plan", odd},
		{"plan", "--offline", odd, "--format", "json"}, {hostile}, {"explain", hostile}, {"judge", odd}, {"judge", hostile}, {"check", "-c", odd, "--format", hostile}, {"--" + hostile}, {"cost", "-c", odd}, {"verify", "-c", odd, "-e", hostile},
	} {
		_, out, errs := run(t, account, nil, args...)
		if out+errs == "" {
			t.Errorf("%q: no output", args)
		}
		harmlessOutput(t, fmt.Sprintf("%.60q, standard output", args), out, false)
		harmlessOutput(t, fmt.Sprintf("%.60q, standard error", args), errs, false)
	}
}
