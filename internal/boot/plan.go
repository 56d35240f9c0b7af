package boot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// Planned is what applying manifests would do.
type Planned struct {
	round.Result
	Rows []plan.Row
}

// Plan compares the request's manifests with the configuration and, unless offline, with what AWS has attached. No endpoint
// is dialed; names are looked up only where an endpoint's load balancer is not known from anything else.
func (l Local) Plan(ctx context.Context, q round.Request, offline bool, log *slog.Logger) (Planned, error) {
	runners := &Runners{Now: time.Now, Stores: l.Stores, Log: log}
	if offline {
		runner := runners.For(q.Config)
		runner.Prober = lookups{}
		return Preview(ctx, runner, q), nil
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return Planned{}, err
	}
	cloud.reach(regionsOf(q.Config)...)
	runners.Inspector, runners.History = cloud.inspector(), cloud.historian
	runner := runners.For(q.Config)
	runner.Prober = lookups{runner.Prober.Resolve}
	return Preview(ctx, runner, q), nil
}

// Preview runs the round behind a plan and judges it as a plan. A runner without an inspector does not ask AWS.
func Preview(ctx context.Context, r *round.Runner, q round.Request) Planned {
	q.Depth = round.EndpointsOnly
	if r.Inspector != nil {
		q.Depth = round.Listeners
		q.Config.Scope.Enabled, q.Config.Scope.Walk = true, true // the manifests' load balancers are found by their tags
	}
	res, err := r.Run(ctx, q)
	if err != nil { // none without a publisher; if there is one, the round must not pass for complete
		res.Round.ObserveErrors = append(res.Round.ObserveErrors, observation.ObserveError{Kind: observation.Incomplete, Operation: "round", Detail: err.Error()})
	}
	out := Planned{Result: res}
	out.Round.Planned, out.Round.WholeGroups = true, q.WholeGroups
	out.Rows, out.Conclusion = judge.Preview(judge.Input{Policy: q.Config.Policy, Roots: r.Roots, Now: r.Now(), Round: out.Round})
	return out
}

// lookups takes a prober's place and does no more than look up names.
type lookups struct {
	resolve func(ctx context.Context, host string) observation.DNS // nil for nothing at all
}

// resolving is how many names are looked up at once.
const resolving = 16

// Probe returns each endpoint without addresses.
func (l lookups) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	out := make([]observation.Endpoint, len(endpoints))
	slots := make(chan struct{}, resolving)
	var group sync.WaitGroup
	for i, e := range endpoints {
		out[i] = observation.Endpoint{Target: e, Probed: true, DNS: observation.DNS{Skipped: true}}
		if e.LoadBalancer != nil || e.Service != "" || len(e.ConnectTo) > 0 || l.resolve == nil {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if found := l.resolve(ctx, e.Host); found.Failure == nil {
				found.Omitted = 0
				out[i].DNS = found
			}
		})
	}
	group.Wait()
	return out
}

// Resolve looks up a load balancer's name.
func (l lookups) Resolve(ctx context.Context, host string) observation.DNS {
	if l.resolve == nil {
		return observation.DNS{Skipped: true}
	}
	return l.resolve(ctx, host)
}
