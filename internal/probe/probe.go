// Package probe looks at endpoints from outside, as a client does: every address of a name gets a fresh connection, a
// full handshake and, where the endpoint is a web one, a request. It is the only package that dials.
//
// A probe gathers facts and judges nothing: the handshake runs without trusting the chain, so that a broken one can be
// seen. Whatever a server does is an observation, never an error. Servers are taken for hostile: each phase, the whole,
// every byte count and every list is bounded, and no address is dialled that the guard does not permit (see guard).
package probe

import (
	"context"
	"crypto/x509"
	"net"
	"slices"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

const (
	defaultConcurrency = 64
	defaultTimeout     = 10 * time.Second
)

// Options are what a Prober needs from outside. Only Now is required.
type Options struct {
	// Now stamps observations and ages cached lists; phases are timed by the monotonic clock.
	Now func() time.Time
	// Resolver answers for names; nil: net.DefaultResolver.
	Resolver resolver
	// Dialer opens connections, to addresses that the guard has permitted; nil: the network.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Concurrency bounds the connections to endpoints in flight; 0: 64, far below Lambda's 1,024 descriptors. Questions about
	// revocation come on top, for each certificate on the way up.
	Concurrency int
	// NeedsIssuer reports whether a chain does not lead to a root, so that its AIA is worth following; nil: it never is.
	NeedsIssuer func(e target.Endpoint, chain []*x509.Certificate) bool
	// Anchors gives the trust anchors that may have issued a certificate. Revocation of a certificate whose issuer is a
	// root can be checked with it only, since servers do not send roots. May be nil: the endpoint's own CAs are known.
	Anchors func(e target.Endpoint, child *x509.Certificate) []*x509.Certificate
	// Verified reports whether a client would take what is served at the endpoint's own origin, name and chain. Credentials
	// and secret headers are sent where it does and nowhere else; nil: they are never sent over TLS.
	Verified func(e target.Endpoint, chain []*x509.Certificate, at time.Time) bool
	// Revocation is how far revocation is asked after: "staple" (the default), "full" (CRL and OCSP too), "off".
	Revocation string
	// Progress, if not nil, is told of each endpoint done, from one goroutine at a time.
	Progress func(done, total int)
}

// Prober probes endpoints. It keeps nothing between rounds but the lists that certificates point at, and whose turn it is.
type Prober struct {
	now         func() time.Time
	resolver    resolver
	dialer      dialer
	concurrency int
	needsIssuer func(target.Endpoint, []*x509.Certificate) bool
	anchors     func(target.Endpoint, *x509.Certificate) []*x509.Certificate
	verified    func(target.Endpoint, []*x509.Certificate, time.Time) bool
	revocation  string
	progress    func(done, total int)
	documents   *documents
	turn        turn
}

// New makes a Prober.
func New(o Options) *Prober {
	p := &Prober{
		now: o.Now, resolver: o.Resolver, dialer: o.Dialer, concurrency: o.Concurrency,
		needsIssuer: o.NeedsIssuer, anchors: o.Anchors, verified: o.Verified, revocation: o.Revocation, progress: o.Progress,
		documents: newDocuments(),
	}
	if p.resolver == nil {
		p.resolver = net.DefaultResolver
	}
	if p.concurrency <= 0 {
		p.concurrency = defaultConcurrency
	}
	return p
}

// round is what the endpoints of one call of Probe share.
type round struct {
	*Prober
	slots chan struct{} // one per connection in flight
	names names
	// lookup resolves within the round's time: what one endpoint asks for, others may be waiting for too.
	lookup func(host string, timeout time.Duration) observation.DNS
}

// Probe looks at all endpoints and returns one observation for each, in their order. When ctx ends it returns at once
// with what was done: an endpoint that was not finished by then has Probed false, and the addresses that were.
func (p *Prober) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	r := &round{
		Prober: p, slots: make(chan struct{}, p.concurrency),
		names: names{known: map[question]func() observation.DNS{}},
		lookup: func(host string, timeout time.Duration) observation.DNS {
			return p.resolve(ctx, host, timeout)
		},
	}
	out := make([]observation.Endpoint, len(endpoints))
	indices := make(chan int)
	tell := p.teller(len(endpoints))
	var workers sync.WaitGroup
	for range min(p.concurrency, len(endpoints)) {
		workers.Go(func() {
			for i := range indices {
				out[i] = r.endpoint(ctx, endpoints[i])
				tell()
			}
		})
	}
	first := p.turn.first(endpoints)
	for i := range endpoints {
		indices <- (first + i) % len(endpoints)
	}
	close(indices)
	workers.Wait()
	p.turn.over(out, first, min(p.concurrency, len(endpoints)))
	return out
}

// turn is where the next round begins: with an endpoint that the last one had no time for.
type turn struct {
	mu   sync.Mutex
	next string // its key; empty: with the first
}

func (t *turn) first(endpoints []target.Endpoint) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, slices.IndexFunc(endpoints, func(e target.Endpoint) bool { return e.Key() == t.next }))
}

// over takes down which endpoint a round that began with the first did not finish. The ones at its head had all of its
// time: those that took it without an end are not to begin the next one too.
func (t *turn) over(seen []observation.Endpoint, first, head int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(seen, func(e observation.Endpoint) bool { return e.Target.Key() == t.next }) {
		t.next = "" // a round that an event narrowed may not have had it
	}
	for i := head; i < len(seen); i++ {
		if e := seen[(first+i)%len(seen)]; !e.Probed {
			t.next = e.Target.Key()
			return
		}
	}
}

// teller counts endpoints and passes the count on, one at a time.
func (p *Prober) teller(total int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if p.progress != nil {
			p.progress(done, total)
		}
	}
}

// acquire takes a slot; false when ctx ended first.
func (r *round) acquire(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case r.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *round) release() { <-r.slots }
