package boot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// probers keeps a prober for each revocation policy, since a prober keeps the lists that it has fetched.
type probers struct {
	stores   *trust.Stores
	progress func(done, total int)

	mu   sync.Mutex
	made map[policy.RevocationMode]*probe.Prober
}

func (p *probers) get(c config.Config) *probe.Prober {
	p.mu.Lock()
	defer p.mu.Unlock()
	mode := c.Policy.Revocation
	if p.made == nil {
		p.made = map[policy.RevocationMode]*probe.Prober{}
	}
	if p.made[mode] == nil {
		p.made[mode] = probe.New(probe.Options{
			Now: time.Now, Revocation: string(mode), Progress: p.progress,
			NeedsIssuer: p.stores.NeedsIssuer, Anchors: p.stores.Anchors, Verified: p.stores.Verified,
		})
	}
	return p.made[mode]
}

// trustTroubles names the trust stores that the configuration asks for and that cannot be had.
func trustTroubles(stores *trust.Stores, endpoints []target.Endpoint) []observation.ObserveError {
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

// Once runs one round for the command line: no state, no alerts. AWS is asked where the configuration needs it only, so
// that plain endpoints are checked without credentials.
type Once struct {
	Stores *trust.Stores
	// Progress is told of each endpoint done; may be nil.
	Progress func(done, total int)
	Log      *slog.Logger
	// Topic and ChatTopic are SNS topic ARNs whose subscriptions are looked at; empty for none, and then SNS is not asked.
	Topic, ChatTopic string
}

// Run runs the round.
func (o Once) Run(ctx context.Context, q round.Request) (round.Result, error) {
	probers := probers{stores: o.Stores, progress: o.Progress}
	runner := &round.Runner{Now: time.Now, Roots: o.Stores.Get, Prober: probers.get(q.Config), Log: o.Log}
	q.ObserveErrors = append(q.ObserveErrors, trustTroubles(o.Stores, q.Config.Endpoints)...)
	q.Depth = round.EndpointsOnly
	listeners, topics := round.NeedsAWS(q.Config), o.Topic != "" || o.ChatTopic != ""
	if !listeners && !topics {
		return runner.Run(ctx, q)
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return round.Result{}, err
	}
	cloud.reach(regionsOf(q.Config)...)
	runner.AlertPath = cloud.alertPath(o.Topic, o.ChatTopic, nil)
	if listeners {
		runner.Inspector, runner.History = cloud.inspector(), cloud.historian(q.Config)
		q.Depth = round.Listeners
	}
	return runner.Run(ctx, q)
}

// Manifests reads the manifests that a configuration on this machine names: files, directories and S3 prefixes. AWS is
// asked where one of them lies there only.
func Manifests(ctx context.Context, file string, c config.Config, stdin io.Reader) manifest.Loaded {
	return manifest.Load(locate(file, c.Manifests), manifest.Options{Stdin: stdin, Places: places(file, c), Remote: remote(ctx, func() (reader, error) {
		cloud, err := newCloud(ctx)
		if err != nil {
			return nil, err
		}
		return cloud.reader(), nil
	})})
}
