package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/boot"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// run runs a command on an App whose rounds are round's.
func run(t *testing.T, edit func(*App), rounds func(context.Context, round.Request, boot.Options) (round.Result, error), args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: wide, Now: time.Now, Parts: Product(),
	}
	app.Parts.Round = rounds
	if edit != nil {
		edit(app)
	}
	return app.Run(t.Context(), args), out.String(), errs.String()
}

// wide is an environment in which no line of text is broken, so that tests find sentences.
func wide(name string) string {
	if name == "COLUMNS" {
		return "100000"
	}
	return ""
}

// seen is a round that probed all of a plan's endpoints and found what is given.
func seen(q round.Request, fs ...finding.Finding) round.Result {
	out := round.Result{Round: observation.Round{Schema: observation.Schema}, Conclusion: finding.Conclusion{Findings: fs, Complete: true}}
	for _, e := range q.Config.Endpoints {
		out.Round.Endpoints = append(out.Round.Endpoints, observation.Endpoint{Target: e, Probed: true})
	}
	return out
}

func TestColourFollowsTheTerminal(t *testing.T) {
	for _, tt := range []struct {
		name     string
		terminal bool
		env      map[string]string
		args     []string
		want     bool
	}{
		{"a pipe", false, nil, nil, false},
		{"a terminal", true, nil, nil, true},
		{"a terminal that can't", true, map[string]string{"TERM": "dumb"}, nil, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, nil, false},
		{"CLICOLOR=0", true, map[string]string{"CLICOLOR": "0"}, nil, false},
		{"CLICOLOR_FORCE", false, map[string]string{"CLICOLOR_FORCE": "1"}, nil, true},
		{"CLICOLOR_FORCE=0", false, map[string]string{"CLICOLOR_FORCE": "0"}, nil, false},
		{"NO_COLOR wins", true, map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, nil, false},
		{"--no-color", true, nil, []string{"--no-color"}, false},
		{"into a file", true, nil, []string{"-o", filepath.Join(t.TempDir(), "report.txt")}, false},
		{"JSON", true, nil, []string{"--format", "json"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edit := func(a *App) {
				a.StdoutTerminal = tt.terminal
				a.Getenv = func(name string) string { return tt.env[name] }
			}
			rounds := func(_ context.Context, q round.Request, o boot.Options) (round.Result, error) { return seen(q), nil }
			_, stdout, stderr := run(t, edit, rounds, append([]string{"check", "https://example.org"}, tt.args...)...)
			if got := strings.Contains(stdout+stderr, "\x1b["); got != tt.want {
				t.Errorf("colour: %v, want %v\n%q", got, tt.want, stdout)
			}
		})
	}
}

// signals starts os/signal's own goroutine, which must not begin within a bubble of synctest.
func signals() {
	_, stop := interruptible(context.Background())
	stop()
}

func TestProgressOfALongRound(t *testing.T) {
	signals()
	slow := func(_ context.Context, q round.Request, o boot.Options) (round.Result, error) {
		for i := range 10 {
			time.Sleep(300 * time.Millisecond)
			if o.Progress != nil {
				o.Progress(i+1, 10)
			}
		}
		return seen(q), nil
	}
	fast := func(_ context.Context, q round.Request, o boot.Options) (round.Result, error) {
		o.Progress(1, 1)
		return seen(q), nil
	}
	terminal := func(a *App) { a.StderrTerminal = true }
	synctest.Test(t, func(t *testing.T) {
		_, stdout, stderr := run(t, terminal, slow, "check", "https://example.org")
		if !strings.Contains(stderr, "checking endpoints") || !strings.Contains(stderr, "9/10") {
			t.Errorf("a long round shows nothing: %q", stderr)
		}
		if strings.Contains(stdout, "checking") {
			t.Errorf("progress among the data: %q", stdout)
		}
		if lines := strings.Split(stderr, "\r"); strings.TrimSpace(lines[len(lines)-1]) != "" {
			t.Errorf("the line stays: %q", stderr)
		}
		if _, _, stderr := run(t, nil, slow, "check", "https://example.org"); stderr != "" {
			t.Errorf("progress without a terminal: %q", stderr)
		}
		if _, _, stderr := run(t, terminal, fast, "check", "https://example.org"); stderr != "" {
			t.Errorf("progress of a short round: %q", stderr)
		}
	})
}

// TestProgressWhereNothingEnds holds that a round in which no endpoint ends shows that it runs, and for how long.
func TestProgressWhereNothingEnds(t *testing.T) {
	signals()
	hangs := func(_ context.Context, q round.Request, o boot.Options) (round.Result, error) {
		time.Sleep(3500 * time.Millisecond)
		return seen(q), nil
	}
	synctest.Test(t, func(t *testing.T) {
		_, _, stderr := run(t, func(a *App) { a.StderrTerminal = true }, hangs, "check", "https://example.org", "https://example.net")
		for _, want := range []string{"checking endpoints 0/2", "[1s]", "[2s]", "[3s]"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("no %q in %q", want, stderr)
			}
		}
		if _, _, stderr := run(t, nil, hangs, "check", "https://example.org"); stderr != "" {
			t.Errorf("progress without a terminal: %q", stderr)
		}
	})
}

func TestRoundThatFails(t *testing.T) {
	broken := func(context.Context, round.Request, boot.Options) (round.Result, error) {
		return round.Result{}, errors.New("no route to AWS")
	}
	status, stdout, stderr := run(t, nil, broken, "check", "https://example.org")
	if status != 3 || stdout != "" || stderr != "certdrift: running the round: no route to AWS\n" {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

// TestURLs holds what happens to URLs: checked like a configuration's, in no environment, called by what they are.
func TestURLs(t *testing.T) {
	var got []target.Endpoint
	rounds := func(_ context.Context, q round.Request, o boot.Options) (round.Result, error) {
		got = q.Config.Endpoints
		return seen(q), nil
	}
	status, _, stderr := run(t, nil, rounds, "check", "--timeout", "3s", "--connect-to", "127.0.0.1:8443",
		"Example.org", "https://user:hunter2@example.org/a?token=x", "https://example.org/a", "smtp://mail.example.org")
	if status != 0 || len(got) != 4 {
		t.Fatalf("status %d, %d endpoints: %s", status, len(got), stderr)
	}
	want := []struct {
		name, host string
		port       int
	}{
		{"https://Example.org", "example.org", 443}, {"https://example.org/a", "example.org", 443},
		{"https://example.org/a (2)", "example.org", 443}, {"smtp://mail.example.org", "mail.example.org", 25},
	}
	for i, w := range want {
		e := got[i]
		if e.Name != w.name || e.Host != w.host || e.Port != w.port || e.Environment != "" || e.Source != (target.Position{}) {
			t.Errorf("%q is called %q: host %q, port %d, environment %q, from %v", w.name, e.Name, e.Host, e.Port, e.Environment, e.Source)
		}
		if e.Timeout != 3*time.Second || len(e.ConnectTo) != 1 {
			t.Errorf("%q: timeout %s, connect to %v", w.name, e.Timeout, e.ConnectTo)
		}
	}
	if got[1].Request.Password.Reveal() != "hunter2" {
		t.Error("the password got lost")
	}
}

// FuzzURL holds that a password in a URL shows neither in the endpoint's name nor in an error, and that what a name is
// made of is a URL again.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://user:%s@example.org/", "user:%s@example.org", "https://a:%s@[::1]:8443/x?y#z", "://%s@", "https://u:%s@exa mple.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		const password = "hunter2secret"
		full, name, err := withScheme(strings.Replace(pattern, ":%s@", ":"+password+"@", 1))
		if err != nil {
			if strings.Contains(err.Error(), password) && strings.Count(pattern, "@") <= 1 && strings.Contains(pattern, ":%s@") {
				t.Errorf("the error shows the password: %v", err)
			}
			return
		}
		if u, err := url.Parse(full); err == nil && u.User != nil && strings.Contains(u.User.String(), password) && strings.Contains(name, password) {
			t.Errorf("the name shows the password: %q", name)
		}
		if _, err := url.Parse(name); err != nil {
			t.Errorf("the name %q is no URL: %v", name, err)
		}
	})
}

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken pipe")
	err := replaceFile(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	if have, _ := os.ReadFile(path); !errors.Is(err, broken) || string(have) != "old" {
		t.Errorf("after a failure (%v) the file holds %q", err, have)
	}
	if err := replaceFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	have, _ := os.ReadFile(path)
	if left, _ := os.ReadDir(dir); string(have) != "new" || len(left) != 1 {
		t.Errorf("the file holds %q, beside %d others", have, len(left)-1)
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{
		"jsn": "json", "Markdwon": "markdown", "prom": "prometheus", "htm": "html", "pdf": "", "xyzzy": "", "": "",
	} {
		if got := nearest(word, formatNames()); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	got := fold("one two three four", 9)
	if strings.Join(got, "|") != "one two|three|four" {
		t.Errorf("%q", got)
	}
	if got := fold("  a command that is longer than the width", 9); len(got) != 1 {
		t.Errorf("a command is folded: %q", got)
	}
}
