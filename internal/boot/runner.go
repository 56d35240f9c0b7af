package boot

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/observation"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// prober makes a prober that follows the configuration's policy.
func prober(stores *trust.Stores, c config.Config, progress func(done, total int)) *probe.Prober {
	return probe.New(probe.Options{
		Now: time.Now, Revocation: string(c.Policy.Revocation), Progress: progress,
		NeedsIssuer: stores.NeedsIssuer, Anchors: anchors(stores),
	})
}

// anchors gives the roots that may have issued a certificate, so that its revocation can be checked although servers
// send no roots.
func anchors(stores *trust.Stores) func(target.Endpoint, *x509.Certificate) []*x509.Certificate {
	return func(e target.Endpoint, child *x509.Certificate) []*x509.Certificate {
		store := stores.Get(e.Trust.Roots)
		if store == nil {
			return nil
		}
		return store.Issuers(child)
	}
}

// trustTroubles names the trust stores that the configuration asks for and that cannot be had.
func trustTroubles(stores *trust.Stores, endpoints []target.Endpoint) []observation.Trouble {
	var out []observation.Trouble
	asked := map[target.Roots]bool{}
	for _, e := range endpoints {
		if asked[e.Trust.Roots] {
			continue
		}
		asked[e.Trust.Roots] = true
		if err := stores.Err(e.Trust.Roots); err != nil {
			out = append(out, observation.Trouble{
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
}

// Run runs the round. Manifests that the configuration names are read from this machine and from S3.
func (o Once) Run(ctx context.Context, q round.Request) (round.Result, error) {
	runner := &round.Runner{
		Now: time.Now, Roots: o.Stores.Get, Prober: prober(o.Stores, q.Config, o.Progress), Log: o.Log,
	}
	q.Troubles = append(q.Troubles, trustTroubles(o.Stores, q.Config.Endpoints)...)
	q.Depth = round.EndpointsOnly
	if round.NeedsAWS(q.Config) {
		cloud, err := newCloud(ctx)
		if err != nil {
			return round.Result{}, err
		}
		runner.Inspector, runner.History = cloud.inspector(), cloud.historian()
		q.Depth = round.Listeners
	}
	return runner.Run(ctx, q)
}
