package lambda

import (
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
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// gate is a world behind a Verifier: its endpoints are critical until so many rounds are over.
type gate struct {
	bad, rounds int
	severity    finding.Severity
	asked       round.Request
	// answers are CodeDeploy's hooks, by execution.
	answers map[string]bool
	broken  error
	refused error // by CodeDeploy
}

func (g *gate) put(_ context.Context, _, execution string, ok bool) error {
	if g.refused == nil {
		g.answers[execution] = ok
	}
	return g.refused
}

func (g *gate) round(_ context.Context, q round.Request) (round.Result, error) {
	g.rounds++
	g.asked = q
	res := round.Result{Conclusion: finding.Conclusion{Complete: true}}
	for _, e := range q.Config.Endpoints {
		res.Round.Endpoints = append(res.Round.Endpoints, observation.Endpoint{Target: e, Probed: true})
		if g.rounds <= g.bad {
			res.Conclusion.Findings = append(res.Conclusion.Findings, finding.Finding{
				Code: finding.CertExpired, Severity: max(g.severity, finding.Warning), Environment: e.Environment, Endpoint: e.Name,
				Evidence: finding.Evidence{"text": strings.Repeat("x", 10_000)},
			})
		}
	}
	return res, nil
}

func (g *gate) verifier(environments ...string) *Verifier {
	have := round.Request{Config: config.Config{Policy: policy.DefaultThresholds()}}
	for _, env := range []string{"production", "staging"} {
		for _, name := range []string{"api", "ui"} {
			have.Config.Endpoints = append(have.Config.Endpoints, target.Endpoint{Environment: env, Name: name})
		}
	}
	g.answers = map[string]bool{}
	return NewVerifier(VerifyParts{
		Load: func(context.Context) (round.Request, error) { return have, g.broken }, Round: g.round, Answer: g.put, Environments: environments,
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Pause: pause,
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name, input string
		gate        gate
		verdict     string
		rounds      int
		endpoints   int
	}{
		{"clean", `{}`, gate{}, "pass", 2, 4},
		{"one environment", `{"environment": "staging"}`, gate{}, "pass", 2, 2},
		{"two", `{"environment": ["staging", "production"]}`, gate{}, "pass", 2, 4},
		{"repaired midway", `{"environment": "staging", "wait": "2m"}`, gate{bad: 3, severity: finding.Critical}, "pass", 5, 2},
		{"not repaired", `{"wait": "1m", "interval": "20s"}`, gate{bad: 99, severity: finding.Critical}, "fail", 4, 4}, // after 0, 20 and 40 s, and at the end
		{"warnings pass", `{"wait": "1m"}`, gate{bad: 99}, "pass", 2, 4},
		{"warnings do not, where they are asked for", `{"wait": "0s", "fail_on": "warning"}`, gate{bad: 99}, "fail", 1, 4},
		{"no payload", `null`, gate{}, "pass", 2, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, err := c.gate.verifier().Handle(t.Context(), json.RawMessage(c.input))
				if err != nil || out.Verdict != c.verdict || out.Rounds != c.rounds || out.Endpoints != c.endpoints {
					t.Errorf("%v, %+v", err, out)
				}
				if s := c.gate.asked.Config.Policy; s.Settle != 0 || s.ExpiryWarning.Share == 0 {
					t.Errorf("the policy is not the configuration's without its settle time: %+v", s)
				}
				if c.verdict == "fail" && len(out.Findings) == 0 {
					t.Error("no finding says why")
				}
			})
		})
	}
}

// TestVerifyEndsBeforeLambda holds that the answer comes before the function's time is over, and is bounded in size.
func TestVerifyEndsBeforeLambda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		g := gate{bad: 99, severity: finding.Critical}
		v := g.verifier()
		load := v.Load
		v.Load = func(ctx context.Context) (round.Request, error) {
			have, err := load(ctx)
			for range 100 {
				have.Config.Endpoints = append(have.Config.Endpoints, have.Config.Endpoints[0])
			}
			return have, err
		}
		began := time.Now()
		out, err := v.Handle(ctx, json.RawMessage(`{"wait": "1h"}`))
		if err != nil || out.Verdict != "fail" || ctx.Err() != nil || time.Since(began) < time.Minute {
			t.Errorf("%v: %s after %s", err, out.Verdict, time.Since(began))
		}
		answer, err := json.Marshal(out)
		if err != nil || len(answer) > 256<<10 || out.Counts["critical"] != 104 {
			t.Errorf("%v: %d bytes, %v", err, len(answer), out.Counts)
		}
	})
}

// TestVerifyThatMayNotAnswer: without its permission the function fails and names it, though all is clean; CodeDeploy then waits in vain,
// and fails the deployment.
func TestVerifyThatMayNotAnswer(t *testing.T) {
	const denied = "not authorized to perform: codedeploy:PutLifecycleEventHookExecutionStatus"
	synctest.Test(t, func(t *testing.T) {
		g := gate{refused: errors.New(denied)}
		_, err := g.verifier().Handle(t.Context(), json.RawMessage(`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}`))
		if err == nil || !strings.Contains(err.Error(), denied) {
			t.Errorf("error %v", err)
		}
	})
}

// TestVerifyAsHook checks that CodeDeploy gets a result in every case.
func TestVerifyAsHook(t *testing.T) {
	hook := json.RawMessage(`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1", "Later": "something new"}`)
	for name, c := range map[string]struct {
		gate         gate
		environments []string
		ok, err      bool
	}{
		"clean":                            {gate{}, nil, true, false},
		"clean in one environment":         {gate{}, []string{"staging"}, true, false},
		"not clean":                        {gate{bad: 99, severity: finding.Critical}, nil, false, false},
		"an environment that is not there": {gate{}, []string{"stagin"}, false, true},
		"no configuration":                 {gate{broken: errors.New("no such key")}, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := c.gate.verifier(c.environments...).Handle(t.Context(), hook)
				if (err != nil) != c.err {
					t.Errorf("error %v", err)
				}
				if ok, answered := c.gate.answers["e-1"]; !answered || ok != c.ok {
					t.Errorf("CodeDeploy got %v (at all: %v)", ok, answered)
				}
				if c.environments != nil && !c.err && len(c.gate.asked.Config.Endpoints) != 2 {
					t.Errorf("%d endpoints were verified", len(c.gate.asked.Config.Endpoints))
				}
			})
		})
	}
}

func TestVerifyRefusesWhatItDoesNotKnow(t *testing.T) {
	for input, want := range map[string]string{
		`{"environ": "staging"}`:             `unknown field "environ"`,
		`{"environment": 7}`:                 "a name, or a list",
		`{"wait": "soon"}`:                   `wait is "soon"`,
		`{"wait": "-5m"}`:                    `wait is "-5m"`,
		`{"interval": "1ms"}`:                `interval is "1ms"`,
		`{"fail_on": "never"}`:               "neither critical nor warning",
		`{"DeploymentId": "d-1"}`:            "LifecycleEventHookExecutionId",
		`[]`:                                 "cannot unmarshal",
		`{} {}`:                              "something follows",
		`{"environment": "stagin"}`:          `no environment "stagin"; it has production, staging`,
		`{"detail-type": "Scheduled Event"}`: "detail-type",
	} {
		g := gate{}
		_, err := g.verifier().Handle(t.Context(), json.RawMessage(input))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", input, err, want)
		}
		if g.rounds > 0 || len(g.answers) > 0 {
			t.Errorf("%s: something was done", input)
		}
	}
}

// TestVerifyWithFaults checks that verify does not wait for what waiting cannot fix.
func TestVerifyWithFaults(t *testing.T) {
	g := gate{bad: 99, severity: finding.Critical}
	v := g.verifier()
	v.Load = func(context.Context) (round.Request, error) {
		return round.Request{Config: config.Config{Endpoints: []target.Endpoint{{Environment: "a", Name: "b"}}}, Diagnostics: []observation.Diagnostic{{Message: "no"}}}, nil
	}
	out, err := v.Handle(t.Context(), json.RawMessage(`{}`))
	if err != nil || out.Rounds != 1 || out.Verdict != "fail" || out.Reason == "" {
		t.Errorf("%v, %+v", err, out)
	}
}

// TestVerifyOfNothing checks that a gate does not pass when there is nothing to check.
func TestVerifyOfNothing(t *testing.T) {
	g := gate{}
	v := g.verifier()
	v.Load = func(context.Context) (round.Request, error) {
		return round.Request{Config: config.Config{Manifests: []string{"k8s"}}}, nil
	}
	out, err := v.Handle(t.Context(), json.RawMessage(`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}`))
	if err == nil || out.Verdict == "pass" || g.rounds > 0 || g.answers["e-1"] {
		t.Errorf("%v, %+v, told CodeDeploy %v", err, out, g.answers)
	}
}

// TestVerifySamples reads the samples for `sam local invoke`.
func TestVerifySamples(t *testing.T) {
	files, err := filepath.Glob("../../events/verify/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	hooks := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		q, err := readVerify(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if q.hook() {
			hooks++
		} else if len(q.named) == 0 {
			t.Errorf("%s names no environment", file)
		}
	}
	if hooks == 0 {
		t.Error("no sample is a hook's")
	}
}
