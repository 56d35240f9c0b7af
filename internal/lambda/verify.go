package lambda

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/round"
)

// VerifyParts are what a Verifier is made of.
type VerifyParts struct {
	Load func(ctx context.Context) (round.Request, error)
	// Round runs one round, without state and without alerts.
	Round func(ctx context.Context, q round.Request) (round.Result, error)
	// Answer reports to CodeDeploy how a lifecycle hook ended.
	Answer func(ctx context.Context, deployment, execution string, succeeded bool) error
	// Environments are verified where the input names none, as CodeDeploy's cannot; empty for all.
	Environments []string
	Log          *slog.Logger
	Now          func() time.Time
	Pause        func(ctx context.Context, d time.Duration)
}

// Verifier is the gate after a deploy as a function: asked by a pipeline, a state machine, or CodeDeploy. It is made once
// per cold start.
type Verifier struct{ VerifyParts }

// NewVerifier returns a Verifier made of its parts.
func NewVerifier(p VerifyParts) *Verifier { return &Verifier{p} }

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Verification is an invocation's response: a summary of the last round.
type Verification struct {
	Verdict      string    `json:"verdict"` // pass, fail, incomplete
	Reason       string    `json:"reason,omitempty"`
	Environments []string  `json:"environments,omitempty"`
	Started      time.Time `json:"started"`
	Finished     time.Time `json:"finished"`
	Rounds       int       `json:"rounds"`
	Endpoints    int       `json:"endpoints"`
	Listeners    int       `json:"listeners"`
	// Counts are all findings by severity; Findings are the worst of them, no more than fit an answer.
	Counts   map[string]int    `json:"counts"`
	Findings []finding.Finding `json:"findings"`
}

// The bounds of a response: a state machine takes 256 KiB.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	answerBytes    = 200 << 10
	answerFindings = 100
)

// Verification's defaults, and how much of the function's time is reserved for the response.
const (
	verifyWait     = 5 * time.Minute
	verifyInterval = 10 * time.Second
	answerTime     = 10 * time.Second
)

// Handle verifies. A failed verdict is a result; an error means that certdrift itself failed, or did not understand the
// input. CodeDeploy gets an answer either way: what could not be verified has not passed.
func (v *Verifier) Handle(ctx context.Context, raw json.RawMessage) (Verification, error) {
	q, err := readVerify(raw)
	if err != nil {
		v.Log.ErrorContext(ctx, "not verified", "error", err)
		return Verification{}, answered(err)
	}
	working, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		working, cancel = context.WithDeadline(ctx, deadline.Add(-min(answerTime, time.Until(deadline)/4)))
	}
	defer cancel()
	out, err := v.verify(working, q)
	v.Log.InfoContext(ctx, "verified", "verdict", out.Verdict, "rounds", out.Rounds, "environments", out.Environments, "counts", out.Counts)
	if q.hook() {
		err = errors.Join(err, v.Answer(ctx, q.Deployment, q.Execution, err == nil && out.Verdict == "pass"))
	}
	if err != nil {
		v.Log.ErrorContext(ctx, "not verified", "error", err)
	}
	return out, answered(err)
}

func (v *Verifier) verify(ctx context.Context, q verifyRequest) (Verification, error) {
	out := Verification{Started: v.Now().UTC(), Counts: map[string]int{}, Findings: []finding.Finding{}, Environments: q.environments(v.Environments)}
	have, err := v.Load(ctx)
	if err != nil {
		return out, fmt.Errorf("loading the configuration: %w", err)
	}
	known := round.Environments(have.Config, have.Diagnostics)
	for _, e := range out.Environments {
		if !slices.Contains(known, e) {
			return out, fmt.Errorf("the configuration has no environment %q; it has %s", e, strings.Join(known, ", "))
		}
	}
	ask := have
	ask.Environments = known
	ask.Config, ask.Diagnostics = round.In(out.Environments, have.Config, have.Diagnostics)
	if len(ask.Config.Endpoints) == 0 && !ask.Config.Scope.Enabled && len(ask.Diagnostics) == 0 {
		return out, errors.New("nothing to verify: the configuration has no endpoints and no load_balancers")
	}
	ask.Config.Policy.Settle = 0 // a gate waits until what is served is what is attached, and passes over nothing
	steady := round.Steady{Now: v.Now, Pause: v.Pause, For: q.wait, Every: q.interval}
	if len(ask.Diagnostics) > 0 {
		steady.For, out.Reason = 0, "the configuration has errors, which waiting does not fix"
	}
	once := func(ctx context.Context) (round.Result, error) {
		res, err := v.Round(ctx, ask)
		res.Conclusion.Findings = round.About(out.Environments, res.Conclusion.Findings)
		return res, err
	}
	clean := func(r round.Result) bool {
		return r.Conclusion.Complete && finding.Worst(r.Conclusion.Findings) < q.failOn
	}
	last, steadily, err := round.Until(ctx, steady, once, clean, func(n int, r round.Result, next time.Duration) {
		out.Rounds = n
		v.Log.InfoContext(ctx, "round done", "round", n, "clean", clean(r), "again", next > 0)
	})
	out.sumUp(last, q.failOn, steadily)
	out.Finished = v.Now().UTC()
	if err != nil {
		err = fmt.Errorf("running the round: %w", err)
	}
	return out, err
}

// sumUp summarizes the last round.
func (out *Verification) sumUp(last round.Result, failOn finding.Severity, steadily bool) {
	out.Endpoints = len(last.Round.Endpoints)
	for _, lb := range last.Round.LoadBalancers {
		out.Listeners += len(lb.Listeners)
	}
	size := 0
	for _, f := range last.Conclusion.Findings {
		out.Counts[f.Severity.String()]++
		text, err := json.Marshal(f)
		if size += len(text); err == nil && size <= answerBytes && len(out.Findings) < answerFindings {
			out.Findings = append(out.Findings, f)
		}
	}
	switch {
	case finding.Worst(last.Conclusion.Findings) >= failOn:
		out.Verdict = "fail"
	case !last.Conclusion.Complete:
		out.Verdict, out.Reason = "incomplete", cmp.Or(out.Reason, "some checks could not be run")
	case !steadily:
		out.Verdict, out.Reason = "incomplete", "the function ran out of time before a second clean round"
	default:
		out.Verdict = "pass"
	}
}

// verifyRequest is the function's input: from a person, a pipeline, or a CodeDeploy hook.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
type verifyRequest struct {
	Environment json.RawMessage `json:"environment"`
	Wait        *string         `json:"wait"`
	Interval    *string         `json:"interval"`
	FailOn      *string         `json:"fail_on"`
	Deployment  string          `json:"DeploymentId"`
	Execution   string          `json:"LifecycleEventHookExecutionId"`

	named          []string
	wait, interval time.Duration
	failOn         finding.Severity
}

func (q verifyRequest) hook() bool { return q.Deployment != "" }

func (q verifyRequest) environments(byDefault []string) []string {
	if len(q.named) > 0 {
		return q.named
	}
	return byDefault
}

// readVerify reads an invocation's input. It is strict: an input that is not understood must not pass.
func readVerify(raw json.RawMessage) (verifyRequest, error) {
	q := verifyRequest{wait: verifyWait, interval: verifyInterval, failOn: finding.Critical}
	if err := q.decode(raw); err != nil {
		return q, fmt.Errorf(`reading the input: %w; it takes {"environment": "staging", "wait": "5m"}, each optional, or what CodeDeploy sends to a hook`, err)
	}
	return q, nil
}

func (q *verifyRequest) decode(raw json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if !strings.Contains(string(raw), "LifecycleEventHookExecutionId") { // what AWS sends may grow
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(q); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	if (q.Deployment == "") != (q.Execution == "") {
		return errors.New("a hook has a DeploymentId and a LifecycleEventHookExecutionId")
	}
	var one string
	switch {
	case len(q.Environment) == 0:
	case json.Unmarshal(q.Environment, &one) == nil:
		q.named = split(one)
	case json.Unmarshal(q.Environment, &q.named) != nil:
		return errors.New("environment is a name, or a list of names")
	}
	if err := errors.Join(span("wait", q.Wait, 0, &q.wait), span("interval", q.Interval, time.Second, &q.interval)); err != nil {
		return err
	}
	if q.FailOn != nil {
		if q.failOn = finding.ParseSeverity(*q.FailOn); q.failOn < finding.Warning {
			return fmt.Errorf("fail_on is %q, neither critical nor warning", *q.FailOn)
		}
	}
	return nil
}

// span reads a duration of at least the least allowed, where one is given.
func span(name string, text *string, least time.Duration, to *time.Duration) error {
	if text == nil {
		return nil
	}
	d, err := time.ParseDuration(*text)
	if err != nil || d < least {
		return fmt.Errorf("%s is %q, not a duration such as 5m or 30s", name, *text)
	}
	*to = d
	return nil
}
