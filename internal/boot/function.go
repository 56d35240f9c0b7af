package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"certdrift/internal/event"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
)

// Function answers a Lambda function's invocations. It is made once per cold start.
type Function struct {
	runner *round.Runner
	// load gives the configuration, read again when it may have changed.
	load func(ctx context.Context) (loaded, error)
	// depth is how far a scheduled round goes.
	depth round.Depth
	// account and region are where the function runs; what an event says of others is believed only where the
	// configuration names them.
	account, region string
	log             *slog.Logger
	now             func() time.Time
	// again is the distance between the rounds that follow a change until it has settled.
	again time.Duration
}

// Summary is what an invocation answers.
type Summary struct {
	Verdict   string         `json:"verdict"` // pass, fail, incomplete; ignored for an event that asks for no round
	Reason    string         `json:"reason,omitempty"`
	Endpoints int            `json:"endpoints"`
	Listeners int            `json:"listeners"`
	Findings  map[string]int `json:"findings,omitempty"` // by severity
}

// Handle does what an event asks for. Broken endpoints are a good answer; an error means that certdrift itself failed
// and that Lambda's retry may help.
func (f *Function) Handle(ctx context.Context, raw json.RawMessage) (Summary, error) {
	e, err := event.Decode(raw)
	if err != nil {
		// Retrying won't make it readable; it is said and counted, and the schedule finds what it may have told of.
		f.log.WarnContext(ctx, "event ignored", "error", err)
		return Summary{Verdict: "ignored", Reason: err.Error()}, nil
	}
	have, err := f.load(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("loading the configuration: %w", err)
	}
	q := round.Request{
		Config: have.Config, Faults: have.Faults, Manifests: have.Manifests, Troubles: have.Troubles, Depth: f.depth,
	}
	if reason := f.ignores(e, have); reason != "" {
		f.log.InfoContext(ctx, "event ignored", "event", e.Name, "id", e.ID, "reason", reason)
		return Summary{Verdict: "ignored", Reason: reason}, nil
	}
	if e.Change != nil {
		q.Depth = round.Listeners
		q.Changes = []observation.Change{*e.Change}
		f.log.InfoContext(ctx, "change told of", "event", e.Name, "id", e.ID, "load_balancer", e.Change.LoadBalancer)
	}
	res, err := f.runner.Run(ctx, q)
	if e.Kind == event.Change {
		res, err = f.settle(ctx, q, res, err)
	}
	return f.summarise(ctx, res), err
}

// ignores says why an event asks for no round; empty where it does.
func (f *Function) ignores(e event.Event, have loaded) string {
	switch {
	case e.Failed != "":
		return "the call was refused (" + e.Failed + "): it changed nothing"
	case e.Kind == event.Alarm || e.Kind == event.Other:
		return "nothing to look at in an event of this kind"
	case e.Change == nil:
		return ""
	case !slices.Contains(f.accounts(have), e.Account):
		return "account " + e.Account + " is neither certdrift's own nor named by the configuration"
	case !slices.Contains(f.regions(have), e.Region) && !strings.HasPrefix(e.Name, "UploadServer") && !strings.Contains(e.Name, "ServerCertificate"):
		return "region " + e.Region + " is neither certdrift's own nor named by the configuration"
	}
	return ""
}

// accounts are certdrift's own and those whose roles the configuration names.
func (f *Function) accounts(have loaded) []string {
	accounts := []string{f.account}
	for _, r := range have.Config.Scope.Roles {
		if parts := strings.SplitN(r.ARN, ":", 6); len(parts) == 6 {
			accounts = append(accounts, parts[4])
		}
	}
	return accounts
}

// regions are certdrift's own and those that the configuration names. IAM's events come from us-east-1 whatever it
// says, and are told apart by their names.
func (f *Function) regions(have loaded) []string {
	regions := append([]string{f.region}, have.Config.Scope.Regions...)
	for _, e := range have.Config.Endpoints {
		if e.LoadBalancer != nil && e.LoadBalancer.Region != "" {
			regions = append(regions, e.LoadBalancer.Region)
		}
	}
	return regions
}

// settle repeats the round until the policy's settle time after the change is over, or the function's own time: the
// nodes of a load balancer catch up one by one, and only then is a difference between served and attached a finding.
// Each round tracks and alerts for itself. CloudTrail mostly tells of a change later than that, and one round is enough.
func (f *Function) settle(ctx context.Context, q round.Request, res round.Result, err error) (round.Result, error) {
	end := q.Changes[0].At.Add(q.Config.Policy.Settle + f.again)
	if latest := f.now().Add(q.Config.Policy.Settle + f.again); end.After(latest) {
		end = latest // an event may claim any time
	}
	for f.now().Before(end) {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(f.now()) < 3*f.again {
			break
		}
		select {
		case <-ctx.Done():
			return res, err
		case <-time.After(f.again):
		}
		next, nextErr := f.runner.Run(ctx, q)
		res, err = next, errors.Join(err, nextErr)
	}
	return res, err
}

func (f *Function) summarise(ctx context.Context, res round.Result) Summary {
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
	f.log.InfoContext(ctx, "round done", "verdict", s.Verdict, "endpoints", s.Endpoints, "listeners", s.Listeners, "findings", s.Findings)
	for _, e := range res.Round.Endpoints {
		f.logEndpoint(ctx, e, res.Conclusion.Findings)
	}
	return s
}

// logEndpoint writes one line per endpoint and round, for Logs Insights.
func (f *Function) logEndpoint(ctx context.Context, e observation.Endpoint, all []finding.Finding) {
	var codes []string
	worst := finding.None
	for _, found := range all {
		if found.Environment == e.Target.Environment && found.Endpoint == e.Target.Name {
			codes = append(codes, string(found.Code))
			worst = max(worst, found.Severity)
		}
	}
	var slowest time.Duration
	for _, a := range e.Addresses {
		slowest = max(slowest, a.Phases.Total)
	}
	f.log.InfoContext(ctx, "endpoint", "environment", e.Target.Environment, "endpoint", e.Target.Name,
		"severity", worst.String(), "codes", codes, "addresses", len(e.Addresses), "total_ms", slowest.Milliseconds())
}
