package boot

import (
	"context"
	"io"
	"sync"
	"time"

	"certdrift/internal/judge"
	"certdrift/internal/manifest"
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

// Plan holds the request's manifests against the configuration and, unless offline, against what AWS has attached. No
// endpoint is dialled; names are looked up only where an endpoint's load balancer can't be told otherwise.
func (o Once) Plan(ctx context.Context, q round.Request, offline bool) (Planned, error) {
	runner := &round.Runner{Now: time.Now, Roots: o.Stores.Get, Log: o.Log}
	if offline {
		runner.Prober = lookups{}
		return Preview(ctx, runner, q), nil
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return Planned{}, err
	}
	cloud.reach(regionsOf(q.Config)...)
	probers := probers{stores: o.Stores}
	runner.Prober = lookups{probers.get(q.Config).Resolve}
	runner.Inspector, runner.History = cloud.inspector(), cloud.historian(q.Config)
	return Preview(ctx, runner, q), nil
}

// Preview runs the round behind a plan and judges it as one. A runner without an inspector does not ask AWS.
func Preview(ctx context.Context, r *round.Runner, q round.Request) Planned {
	q.Depth = round.EndpointsOnly
	if r.Inspector != nil {
		q.Depth = round.Listeners
		q.Config.Scope.Enabled, q.Config.Scope.Walk = true, true // the manifests' load balancers are found by their tags
	}
	res, err := r.Run(ctx, q)
	if err != nil { // without a publisher there is none; if there is, it must not pass for a whole round
		res.Round.ObserveErrors = append(res.Round.ObserveErrors, observation.ObserveError{Kind: observation.Incomplete, Operation: "round", Detail: err.Error()})
	}
	out := Planned{Result: res}
	out.Round.Planned = true
	out.Rows, out.Conclusion = judge.Preview(judge.Input{Policy: q.Config.Policy, Roots: r.Roots, Now: r.Now(), Round: out.Round})
	return out
}

// lookups stands where a prober does, and looks names up at the most.
type lookups struct {
	resolve func(ctx context.Context, host string) observation.DNS // nil for nothing at all
}

// resolving is how many names are looked up at once.
const resolving = 16

// Probe gives each endpoint without addresses.
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

// Declared reads the manifests at paths relative to the working directory. namespace is that of objects that name none.
// Offline, what lies in S3 is a fault.
func Declared(ctx context.Context, paths []string, namespace string, offline bool, stdin io.Reader) manifest.Loaded {
	opts := manifest.Options{Stdin: stdin, Namespace: namespace, Plain: true}
	if !offline {
		opts.Remote = remote(ctx, func() (reader, error) {
			cloud, err := newCloud(ctx)
			if err != nil {
				return nil, err
			}
			return cloud.reader(), nil
		})
	}
	return manifest.Load(paths, opts)
}
