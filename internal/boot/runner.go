package boot

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/config"
	"certdrift/internal/fanout"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// Historian looks up who changed load balancers. It is an interface so that a function that asks for no history does not link
// CloudTrail's.
type Historian interface {
	LastChanges(ctx context.Context, balancers []observation.LoadBalancer) ([]observation.Change, error)
}

// PathReader reads who receives alerts. It is an interface for the same reason.
type PathReader interface {
	Observe(ctx context.Context) ([]observation.Topic, []observation.ObserveError)
}

// StackReader reads certdrift's own stack. It is an interface for the same reason.
type StackReader interface {
	Observe(ctx context.Context) (*observation.OwnStack, []observation.ObserveError)
}

// Runners builds every round.Runner of the project: for the functions, the command line and the demo. It keeps what rounds
// share: trust stores, the lists that probers have fetched, and the AWS clients. A nil part is left out of the rounds.
type Runners struct {
	Now       func() time.Time
	Stores    *trust.Stores
	Inspector *listener.Inspector
	// History returns what looks up changes in the accounts that a configuration names.
	History   func(config.Config) Historian
	AlertPath PathReader
	Stack     StackReader
	Publisher *round.Publisher
	Heartbeat func(ctx context.Context, url string) error
	// OnSchedule reports whether no deployment waits for the rounds' verdicts (see judge.Input).
	OnSchedule bool
	// RuntimeAPI is the HOST:PORT of the Lambda Runtime API, which is never dialed; empty outside of Lambda.
	RuntimeAPI string
	// Done is called with each round's result, Progress after each endpoint.
	Done     func(round.Result)
	Progress func(done, total int)
	Log      *slog.Logger
	// Invoke invokes one of Workers functions that probe in place of this process; nil where it probes itself.
	Invoke  func(ctx context.Context, payload []byte) ([]byte, error)
	Workers int

	mu      sync.Mutex
	probers map[policy.RevocationMode]*probe.Prober
	fanouts map[policy.RevocationMode]*fanout.Prober
}

// For returns the runner for a configuration's rounds.
func (r *Runners) For(c config.Config) *round.Runner {
	runner := &round.Runner{
		Now: r.Now, Prober: r.prober(c.Policy.Revocation), Roots: r.Stores.Get, AlertPath: r.AlertPath, Stack: r.Stack, Publisher: r.Publisher, Heartbeat: r.Heartbeat,
		OnSchedule: r.OnSchedule, Done: r.Done, Log: r.Log,
	}
	if r.Invoke != nil {
		runner.Prober = r.fanout(c.Policy.Revocation)
	}
	// A nil pointer in an interface is not nil.
	if r.Inspector != nil {
		runner.Inspector = r.Inspector
	}
	if r.History != nil {
		runner.History = r.History(c)
	}
	return runner
}

// prober returns the prober of a revocation policy: one for each, since a prober keeps the lists that it has fetched.
func (r *Runners) prober(mode policy.RevocationMode) *probe.Prober {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.probers == nil {
		r.probers = map[policy.RevocationMode]*probe.Prober{}
	}
	if r.probers[mode] == nil {
		r.probers[mode] = probe.New(probe.Options{
			Now: r.Now, Revocation: string(mode), RuntimeAPI: r.RuntimeAPI, Progress: r.Progress,
			NeedsIssuer: r.Stores.NeedsIssuer, Anchors: r.Stores.Anchors, Verified: r.Stores.Verified,
		})
	}
	return r.probers[mode]
}

// fanout returns the prober that has workers probe: one for each revocation policy too, since it knows what the last round did not see.
func (r *Runners) fanout(mode policy.RevocationMode) *fanout.Prober {
	local := r.prober(mode)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fanouts == nil {
		r.fanouts = map[policy.RevocationMode]*fanout.Prober{}
	}
	if r.fanouts[mode] == nil {
		r.fanouts[mode] = fanout.New(fanout.Options{Resolver: local, Invoke: r.Invoke, Shards: r.Workers, Revocation: string(mode), Log: r.Log})
	}
	return r.fanouts[mode]
}

// run runs one round that reads load balancers only where the configuration needs them.
func (r *Runners) run(ctx context.Context, q round.Request) (round.Result, error) {
	q.Depth = round.EndpointsOnly
	if round.NeedsAWS(q.Config) {
		q.Depth = round.Listeners
	}
	return r.For(q.Config).Run(ctx, q)
}

// trustErrors names the trust stores that the configuration asks for and that are not available.
func trustErrors(stores *trust.Stores, endpoints []target.Endpoint) []observation.ObserveError {
	var out []observation.ObserveError
	asked := map[target.Roots]bool{}
	for _, e := range endpoints {
		if asked[e.Trust.Roots] {
			continue
		}
		asked[e.Trust.Roots] = true
		if err := stores.Err(e.Trust.Roots); err != nil {
			out = append(out, observation.ObserveError{
				Kind: observation.Incomplete, Operation: "trust",
				Detail: fmt.Sprintf("the trust store %q cannot be read: %v", e.Trust.Roots, err),
			})
		}
	}
	return out
}
