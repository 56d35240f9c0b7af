// Package lambda holds the functions' handlers: what an event asks for, whether it is to be believed, and what an invocation
// answers. It makes no client; package boot puts the handlers over AWS.
package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/event"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
)

// Parts are what a Function is made of.
type Parts struct {
	Runner func(config.Config) *round.Runner
	// Load returns the configuration and what it names as a round's request, read again when it may have changed. With an
	// error the request holds the diagnostics to report.
	Load func(ctx context.Context) (round.Request, error)
	// Depth is how far a scheduled round goes.
	Depth round.Depth
	// Account returns the ID of the account that the function runs in; Region is where. Events of other accounts and
	// regions are trusted only where the configuration names them.
	Account func(ctx context.Context) (string, error)
	Region  string
	Log     *slog.Logger
	// LogHealthy writes a line in each round for healthy endpoints too, not only one for all of them.
	LogHealthy bool
	Now        func() time.Time
	// Ignored counts an event that no round followed; nil for no count.
	Ignored func(ctx context.Context) error
	// Again is the interval between the rounds that follow a change until it has settled.
	Again time.Duration
	// Wait waits, or returns when the context ends.
	Wait func(ctx context.Context, d time.Duration)
}

// Function answers a Lambda function's invocations. It is made once per cold start.
type Function struct{ Parts }

// New returns a Function made of its parts.
func New(p Parts) *Function { return &Function{p} }

// Summary is an invocation's response.
type Summary struct {
	Verdict string `json:"verdict"` // pass, fail, incomplete; ignored for an event that asks for no round
	Reason  string `json:"reason,omitempty"`
	// Configuration says which one is in use where it is not the current one.
	Configuration string         `json:"configuration,omitempty"`
	Endpoints     int            `json:"endpoints"`
	Listeners     int            `json:"listeners"`
	Findings      map[string]int `json:"findings,omitempty"` // by severity
}

// Handle runs the round that an event asks for. Broken endpoints are a result; an error means that certdrift itself failed
// and that Lambda's retry may help.
func (f *Function) Handle(ctx context.Context, raw json.RawMessage) (Summary, error) {
	s, err := f.handle(ctx, raw)
	if err != nil {
		f.Log.ErrorContext(ctx, "round failed", "error", err)
	}
	return s, answered(err)
}

func (f *Function) handle(ctx context.Context, raw json.RawMessage) (s Summary, err error) {
	var events []event.Event
	var answer Summary
	for _, one := range event.Batch(raw) {
		e, err := event.Decode(one)
		if err != nil {
			// Retrying won't make it readable; it is logged and counted, and the schedule finds what it may have reported.
			answer = f.ignored(ctx, slog.LevelWarn, event.Event{}, err.Error())
			continue
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return answer, nil
	}
	have, err := f.Load(ctx)
	if err != nil {
		return f.unconfigured(ctx, have, fmt.Errorf("loading the configuration: %w", err))
	}
	if !have.ConfigOf.IsZero() {
		f.Log.ErrorContext(ctx, "the last good configuration is in use", "of", have.ConfigOf)
		defer func() { s.Configuration = "the last good one, of " + have.ConfigOf.UTC().Format(time.RFC3339) }()
	}
	a := f.ask(ctx, have, events)
	if !a.wanted {
		return a.ignored, nil
	}
	res, err := f.Runner(a.Config).Run(ctx, a.Request)
	if !a.settled.IsZero() {
		res, err = f.settle(ctx, a, res, err)
	}
	for _, c := range a.Changes {
		f.logChange(ctx, c.EventID, res.Conclusion.Changes)
	}
	return f.summarize(ctx, res), err
}

// asked is the one round that the events of an invocation ask for.
type asked struct {
	round.Request
	wanted  bool
	ignored Summary   // of the last event that asks for no round
	settled time.Time // when the last of the changes has settled; zero if none has to
}

// askTime bounds asking what changes concern. After that, everything is checked.
const askTime = time.Minute

// ask returns the round that events ask for. Changes that were reported together are checked together.
func (f *Function) ask(ctx context.Context, have round.Request, events []event.Event) asked {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a := asked{Request: have}
	a.Depth = f.Depth
	seen := map[string]bool{}
	for _, e := range events {
		if reason := f.ignores(ctx, e, have); reason != "" {
			a.ignored = f.ignored(ctx, slog.LevelWarn, e, reason)
			continue
		}
		if e.Change == nil { // the schedule asks for everything
			a.wanted, a.Whole = true, true
			continue
		}
		if e.ID != "" && seen[e.ID] { // EventBridge delivers at least once
			continue
		}
		seen[e.ID] = true
		one := have
		one.Changes = []observation.Change{*e.Change}
		only, nothing := f.unconcerned(ctx, one)
		if nothing != "" {
			a.ignored = f.ignored(ctx, slog.LevelInfo, e, nothing)
			continue
		}
		a.add(e, only, have.Config.Policy.Settle+f.Again)
		f.Log.InfoContext(ctx, "change reported", "event", e.Name, "id", e.ID, "load_balancer", e.Change.LoadBalancer, "certificates", e.Change.Certificates)
	}
	slices.Sort(a.Only)
	a.Only = slices.Compact(a.Only)
	return a
}

// add adds a change that concerns some load balancers, or, if none are known, any of them.
func (a *asked) add(e event.Event, only []string, settle time.Duration) {
	a.wanted, a.Depth = true, round.Listeners
	a.Changes, a.Only = append(a.Changes, *e.Change), append(a.Only, only...)
	a.Whole = a.Whole || len(only) == 0 && e.Change.LoadBalancer == ""
	if end := e.Change.At.Add(settle); e.Kind == event.Change && end.After(a.settled) {
		a.settled = end
	}
}

// unconfigured alerts that nothing is monitored, and fails all the same: Lambda's retry may help, and its error metric fires
// the alarm where the alert cannot be sent.
func (f *Function) unconfigured(ctx context.Context, have round.Request, why error) (Summary, error) {
	res, err := f.Runner(have.Config).Run(ctx, have)
	return f.summarize(ctx, res), errors.Join(why, err)
}

// ignored logs and counts an event that asks for no round.
func (f *Function) ignored(ctx context.Context, level slog.Level, e event.Event, reason string) Summary {
	f.Log.Log(ctx, level, "event ignored", "event", e.Name, "id", e.ID, "reason", reason)
	if f.Ignored != nil {
		if err := f.Ignored(ctx); err != nil {
			f.Log.WarnContext(ctx, "counting an ignored event failed", "error", err)
		}
	}
	return Summary{Verdict: "ignored", Reason: oneLine(reason, maxError)}
}

// settle repeats the round until the policy's settle time after the last change is over, or the function's own time: the
// nodes of a load balancer catch up one by one, and only then is a difference between served and attached a finding.
// Each round tracks and alerts for itself. CloudTrail mostly reports changes later than that, and one round is enough.
func (f *Function) settle(ctx context.Context, a asked, res round.Result, err error) (round.Result, error) {
	end := a.settled
	if latest := f.Now().Add(a.Config.Policy.Settle + f.Again); end.After(latest) {
		end = latest // an event may claim any time
	}
	for f.Now().Before(end) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < 3*f.Again {
			break
		}
		if f.Wait(ctx, f.Again); ctx.Err() != nil {
			break
		}
		next, nextErr := f.Runner(a.Config).Run(ctx, a.Request)
		res, err = next, errors.Join(err, nextErr)
	}
	return res, err
}

func (f *Function) summarize(ctx context.Context, res round.Result) Summary {
	s := Summary{Verdict: "pass", Endpoints: len(res.Round.Endpoints), Findings: map[string]int{}}
	for _, lb := range res.Round.LoadBalancers {
		s.Listeners += len(lb.Listeners)
	}
	for _, found := range res.Conclusion.Findings {
		s.Findings[found.Severity.String()]++
	}
	switch {
	case finding.Worst(res.Conclusion.Findings) == finding.Critical:
		s.Verdict = "fail"
	case !res.Conclusion.Complete:
		s.Verdict = "incomplete"
	}
	f.Log.InfoContext(ctx, "round done", "verdict", s.Verdict, "endpoints", s.Endpoints, "listeners", s.Listeners, "findings", s.Findings,
		"goroutines", runtime.NumGoroutine()) // a leak shows in them first
	f.logEndpoints(ctx, res.Round.Endpoints, res.Conclusion.Findings)
	return s
}

// logChange writes one line for the change that an event reported: it is the only record of changes that agree with what is
// declared, which cause no alert. The round may have CloudTrail's own record of it instead of the event's.
func (f *Function) logChange(ctx context.Context, id string, all []finding.ChangeStatus) {
	for _, c := range all {
		if c.EventID != id {
			continue
		}
		by := observation.Author{Name: "ACM"}
		if c.Author != nil {
			by = *c.Author
		}
		f.Log.InfoContext(ctx, "change", "standing", c.Agreement, "event", c.Event, "event_id", c.EventID, "at", c.At, "region", c.Region,
			"account", c.Account, "load_balancer", c.LoadBalancer, "listeners", c.Listeners, "certificates", c.Certificates, "codes", c.Codes,
			"by", by.Name, "session", by.Session, "tool", by.Tool, "principal", by.Principal, "confirmed", c.Confirmed)
		return
	}
}
