// Package round runs the flow: observe, judge, track, publish. It owns the small interfaces that the observers and the
// sinks meet, and nothing of what they do. What goes wrong on the way is itself data of the round (an ObserveError); an
// error means that certdrift could not do its own job, and that running again may help.
package round

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// prober dials endpoints; what it could not get to has Probed false.
type prober interface {
	Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint
	Resolve(ctx context.Context, host string) observation.DNS
}

// inspector reads load balancers and certificates; what it could not read is an ObserveError. Users are the load balancers
// (ARNs) that have an ACM certificate attached; known is false where there is no such certificate.
type inspector interface {
	Inspect(ctx context.Context, wanted target.Wanted) observation.Attached
	Users(ctx context.Context, scope target.Scope, arn string) (users []string, known bool, err error)
}

// historian looks up who last changed load balancers. A failed look-up leaves the author unknown.
type historian interface {
	LastChanges(ctx context.Context, balancers []observation.LoadBalancer) ([]observation.Change, error)
}

// pathReader reads whom alerts reach; what it could not read is an ObserveError.
type pathReader interface {
	Observe(ctx context.Context) ([]observation.Topic, []observation.ObserveError)
}

// stackReader reads certdrift's own stack; nil where it did not.
type stackReader interface {
	Observe(ctx context.Context) (*observation.OwnStack, []observation.ObserveError)
}

// Runner runs rounds. It is made once per process; a nil part is left out of the flow.
type Runner struct {
	Now       func() time.Time
	Prober    prober
	Inspector inspector
	History   historian
	// AlertPath and Stack are read in every round that follows no event.
	AlertPath pathReader
	Stack     stackReader
	Roots     func(target.Roots) *chain.Store
	Publisher *Publisher
	Log       *slog.Logger
	// Heartbeat calls the configuration's heartbeat_url after each good round; nil for no call.
	Heartbeat func(ctx context.Context, url string) error
	// OnSchedule reports whether no deployment waits for the rounds' verdicts (see judge.Input).
	OnSchedule bool
	// Done is called with each round before it is published; may be nil.
	Done func(Result)
}

// Depth is when a round reads the load balancers.
type Depth int

// The depths: never; when an endpoint's certificate has a problem, so that the alert names the cause; in every round.
const (
	EndpointsOnly Depth = iota
	ListenersOnProblem
	Listeners
)

// Request is one round's question.
type Request struct {
	Config config.Config
	// Diagnostics are the configuration's and the manifests'.
	Diagnostics []observation.Diagnostic
	// Manifests are what Kubernetes manifests and Terraform declare.
	Manifests []observation.Declaration
	// WholeGroups: see observation.Round.
	WholeGroups bool
	// PassedOver are the objects beside them that were not understood.
	PassedOver []observation.PassedOver
	Depth      Depth
	// Changes are what an event reported. They narrow the round to the load balancers that they name; Only, names or
	// ARNs, are those that they concern as well (see Runner.Concern).
	Changes []observation.Change
	Only    []string
	// Whole undoes the narrowing: one of the changes may concern any load balancer.
	Whole bool
	// ObserveErrors are what went wrong before the round began (a manifest source that could not be read).
	ObserveErrors []observation.ObserveError
	// ConfigOf is when the configuration was read, where it is the last good one in place of one that is not; zero otherwise.
	ConfigOf time.Time
	// Environments are all of the configuration, where Config is narrowed to some: alerts go out about each.
	Environments []string
}

// Result is what a round saw and concluded.
type Result struct {
	Round      observation.Round
	Conclusion finding.Conclusion
}

// Reserve is kept of the round's time for judging and publishing what was seen. The alarm on slow rounds is to come
// before that.
const Reserve = 8 * time.Second

// Run observes, judges and, where there is a Publisher, tracks and publishes. The Result holds whatever was reached;
// the error joins certdrift's own failures.
func (r *Runner) Run(ctx context.Context, q Request) (Result, error) {
	res, t := r.look(ctx, q)
	if r.Done != nil {
		r.Done(res)
	}
	if r.Publisher == nil {
		return res, nil
	}
	// What was seen is published even where the round's time is over: the context's end must not silence an alert.
	publishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTime(ctx))
	defer cancel()
	again := func(seen observation.Round) finding.Conclusion { return r.judge(q, seen) }
	if err := r.Publisher.publish(publishing, q, &res, t, again); err != nil {
		return res, fmt.Errorf("publishing the round: %w", err)
	}
	r.beat(publishing, q, res.Conclusion)
	return res, nil
}

// beat sends the heartbeat: every check ran, and the alerts can be delivered. If alerts reach nobody, no heartbeat
// is sent, so that the external monitor fires. A monitor that is down is not a problem of the endpoints.
func (r *Runner) beat(ctx context.Context, q Request, c finding.Conclusion) {
	url := q.Config.HeartbeatURL.Reveal()
	if url == "" || r.Heartbeat == nil || !c.Ran || unheard(c.Findings) {
		return
	}
	if err := r.Heartbeat(ctx, url); err != nil {
		r.warn(ctx, "heartbeat failed", err)
	}
}

// unheard reports whether critical alerts reach nobody.
func unheard(fs []finding.Finding) bool {
	return slices.ContainsFunc(fs, func(f finding.Finding) bool {
		return f.Code == finding.AlertPathBroken && f.Severity == finding.Critical
	})
}

// look observes, reads the state meanwhile, and judges, deeper where the first judgement gives reason to.
func (r *Runner) look(ctx context.Context, q Request) (Result, *tracking) {
	ctx, cancel := keepBack(ctx, Reserve)
	defer cancel()
	var group sync.WaitGroup
	var t *tracking
	if r.Publisher != nil {
		group.Go(func() { t = r.Publisher.begin(ctx) })
	}
	res := Result{Round: r.observe(ctx, q)}
	if group.Wait(); t != nil && t.failure != nil {
		res.Round.ObserveErrors = append(res.Round.ObserveErrors, *t.failure)
	}
	res.Conclusion = r.judge(q, res.Round)
	if q.Depth == ListenersOnProblem && r.Inspector != nil && NeedsAWS(q.Config) && looksBehind(res.Conclusion.Findings) {
		r.attach(ctx, q, &res.Round)
		res.Conclusion = r.judge(q, res.Round)
	}
	if r.history(ctx, &res) {
		res.Conclusion = r.judge(q, res.Round)
	}
	res.Round.Finished = r.Now()
	return res, t
}

// keepBack ends a context before its own end, so that something comes after: by the time wanted, or a quarter of what is
// left where that is less.
func keepBack(ctx context.Context, wanted time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(wanted, time.Until(deadline)/4)))
}

func (r *Runner) judge(q Request, seen observation.Round) finding.Conclusion {
	return judge.Judge(judge.Input{Policy: q.Config.Policy, Roots: r.Roots, Now: r.Now(), Round: seen, OnSchedule: r.OnSchedule})
}

// publishTime is what is left until the deadline, less a moment to answer; at least a second.
func publishTime(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Minute
	}
	return max(time.Until(deadline)-500*time.Millisecond, time.Second)
}

// Fatal reports whether a diagnostic is outside any single endpoint, so that the file must be fixed before anything runs.
func Fatal(faults []observation.Diagnostic) bool {
	for _, f := range faults {
		if f.Endpoint == "" {
			return true
		}
	}
	return false
}

// join is errors.Join with each error named.
func join(errs map[string]error, order ...string) error {
	var all []error
	for _, name := range order {
		if err := errs[name]; err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(all...)
}
