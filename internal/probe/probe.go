// Package probe checks endpoints from outside, as a client does: every address of a name gets a new connection, a full
// handshake and, if the endpoint is a web one, a request. It is the only package that dials.
//
// A probe collects facts and judges nothing: the handshake does not verify the chain, so that a broken one can be observed.
// Whatever a server does is an observation, never an error. Servers are assumed to be hostile: each phase, the whole probe,
// every byte count and every list is bounded, and only addresses that the guard permits are dialed (see package netguard).
package probe

import (
	"context"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
)

const defaultTimeout = 10 * time.Second

// Options configure a Prober. Only Now is required.
type Options struct {
	// Now stamps observations and ages cached lists; phases are timed by the monotonic clock.
	Now func() time.Time
	// Resolver resolves names; net.DefaultResolver if nil.
	Resolver resolver
	// Dialer opens connections to addresses that the guard has permitted; a net.Dialer if nil.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Concurrency bounds the connections to endpoints in flight; as many as this process may open, within a bound, if 0. Looking up names and fetching what certificates point at
	// have bounds of their own.
	Concurrency int
	// NeedsIssuer reports whether a chain does not lead to a root, so that its AIA is worth following; if nil, AIA
	// is not followed.
	NeedsIssuer func(e target.Endpoint, chain []*x509.Certificate, at time.Time) bool
	// Anchors returns the trust anchors that may have issued a certificate. Without it, revocation of a certificate issued by
	// a root can be checked only if the root is one of the endpoint's own CAs, since servers do not send roots. May be nil.
	Anchors func(e target.Endpoint, child *x509.Certificate) []*x509.Certificate
	// Verified reports whether a client would accept the name and chain served at the endpoint's own origin. Credentials and
	// secret headers are sent only if it does; if nil, they are never sent over TLS.
	Verified func(e target.Endpoint, chain []*x509.Certificate, at time.Time) bool
	// Revocation is how revocation is checked: "staple" (the default), "full" (CRL and OCSP too), "off".
	Revocation string
	// RuntimeAPI is the HOST:PORT of the Lambda Runtime API (AWS_LAMBDA_RUNTIME_API), which is never dialed; empty outside of
	// Lambda.
	RuntimeAPI string
	// Progress, if not nil, is called after each endpoint, from one goroutine at a time.
	Progress func(done, total int)
}

// Prober probes endpoints. Between rounds it keeps only the documents that certificates point at, in which order the next round begins
// endpoints, when which servers were asked for another certificate, and which failures were looked into in vain.
type Prober struct {
	now         func() time.Time
	resolver    resolver
	dialer      dialer
	concurrency int
	needsIssuer func(target.Endpoint, []*x509.Certificate, time.Time) bool
	anchors     func(target.Endpoint, *x509.Certificate) []*x509.Certificate
	verified    func(target.Endpoint, []*x509.Certificate, time.Time) bool
	revocation  string
	progress    func(done, total int)
	runtime     netguard.RuntimeAPI
	documents   *documents
	turn        turn
	others      others
	inVain      inVain
	active      *beginnings // of all rounds: what this machine can do is learned once
}

// New returns a Prober.
func New(o Options) *Prober {
	p := &Prober{
		now: o.Now, resolver: o.Resolver, dialer: o.Dialer, concurrency: o.Concurrency,
		needsIssuer: o.NeedsIssuer, anchors: o.Anchors, verified: o.Verified, revocation: o.Revocation, progress: o.Progress,
		runtime: netguard.ParseRuntimeAPI(o.RuntimeAPI), documents: newDocuments(),
	}
	if p.resolver == nil {
		p.resolver = net.DefaultResolver
	}
	if p.concurrency <= 0 {
		p.concurrency = connections(descriptors())
	}
	p.active = newBeginnings(min(maxActive, p.concurrency), new(runQueue).median)
	return p
}

// round is the state that the endpoints of one call of Probe share.
type round struct {
	*Prober
	*slots
	began time.Time
	names names
	// shares are those of the questions for other certificates.
	shares keyShares
	// lookup resolves within the round's time, not one endpoint's: others may be waiting for the same name.
	lookup func(host string, timeout time.Duration) observation.DNS
	// halfway is when half of the round's time is over; zero if it has no end.
	halfway time.Time
}

// Probe probes all endpoints and returns one observation for each, in order. When ctx ends, it returns at once: an endpoint
// that was not finished has Probed false and the addresses that were.
func (p *Prober) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	r := &round{
		Prober: p, slots: newSlots(p.concurrency, p.active), began: time.Now(),
		names: names{known: map[question]*lookup{}},
	}
	adapting, stop := context.WithCancel(ctx)
	var adapted sync.WaitGroup
	adapted.Go(func() { p.active.keepAdapting(adapting) })
	defer adapted.Wait()
	defer stop()
	r.lookup = func(host string, timeout time.Duration) observation.DNS { return r.resolveInTurn(ctx, host, timeout) }
	if deadline, ok := ctx.Deadline(); ok {
		r.halfway = time.Now().Add(time.Until(deadline) / 2)
	}
	out := make([]observation.Endpoint, len(endpoints))
	begins := make(chan begin)
	report := p.reporter(len(endpoints))
	var workers sync.WaitGroup
	for range min(p.concurrency, len(endpoints)) {
		workers.Go(func() {
			for b := range begins {
				out[b.index] = r.endpoint(ctx, endpoints[b.index], b.silent)
				report()
			}
		})
	}
	order := p.turn.order(endpoints, p.concurrency/2)
	for _, b := range order {
		begins <- b
	}
	close(begins)
	workers.Wait()
	p.turn.over(out, order, min(p.concurrency, len(endpoints)))
	return out
}

// reporter returns a function that counts endpoints and calls Progress, one call at a time.
func (p *Prober) reporter(total int) func() {
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
