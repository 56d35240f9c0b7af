package probe

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// endpointProbe is the probe of one endpoint in one round.
type endpointProbe struct {
	*round
	target  target.Endpoint
	timeout time.Duration // of each phase
	guard   *netguard.Guard
	secrets redact.Redactor
	hops    hops
	extras  extras
	begun   time.Time // when its first address was
	silent  bool      // as it was in the last round
	// byName is whether the server closed a connection on which EHLO gave this client's address (see starttls.ErrAddressRejected).
	byName atomic.Bool
}

// endpoint probes all addresses of one endpoint; silent is as in begin.
func (r *round) endpoint(ctx context.Context, e target.Endpoint, silent bool) observation.Endpoint {
	v := &endpointProbe{round: r, target: e, timeout: e.Timeout, silent: silent, guard: netguard.New(e, r.runtime), secrets: redact.New(e.Request)}
	out := observation.Endpoint{Target: e}
	out.Target.Expect = v.secrets.Expectation(e.Expect)
	if v.timeout <= 0 {
		v.timeout = defaultTimeout
	}
	if ctx.Err() != nil {
		return out
	}
	dns, where := v.locate()
	if ctx.Err() != nil {
		return out
	}
	out.DNS = dns
	out.Addresses, out.Probed = v.addresses(ctx, where, dns.Took)
	if !v.begun.IsZero() {
		out.Delay = max(0, v.begun.Sub(r.began)-dns.Took)
	}
	return out
}

// addresses probes each address in a place of its own. complete is false if the round ended first or this machine could not
// open a connection; the results so far are returned.
func (v *endpointProbe) addresses(ctx context.Context, where []netip.AddrPort, took time.Duration) (seen []observation.Address, complete bool) {
	results := make([]*answer, len(where))
	v.inSlots(ctx, len(where), func(i int) { results[i] = v.address(ctx, where[i], took) })
	v.askOthers(ctx, where, results)
	complete = true
	for _, a := range results {
		if a == nil {
			complete = false
			continue
		}
		seen = append(seen, a.Address)
	}
	return seen, complete
}

// inSlots calls do for each index, each time in a place for one connection, until the round ends.
func (v *endpointProbe) inSlots(ctx context.Context, count int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range count {
		done, ok := v.check(ctx, v.silent)
		if !ok {
			break
		}
		if v.begun.IsZero() {
			v.begun = time.Now()
		}
		wg.Go(func() { // not in the caller's goroutine: a stack that holds both is twice as large
			defer done()
			do(i)
		})
	}
	wg.Wait()
}

// address probes one address and follows its redirects; nil if the round ended before it was done.
func (v *endpointProbe) address(ctx context.Context, at netip.AddrPort, dns time.Duration) (seen *answer) {
	defer func() {
		// What a server sends must not end the round, not even through a bug in a parser; the address counts as not probed.
		if recover() != nil {
			seen = nil
		}
	}()
	origin, err := v.origin()
	if err != nil {
		return &answer{Address: observation.Address{Address: at.String(), Started: v.now(), Failure: fail(observation.PhaseHeaders, err)}}
	}
	got := v.connect(ctx, origin, at, v.guard.Target, true)
	got.Phases.DNS = dns
	got.Phases.Total += dns
	var visited []*hop
	if got.location != nil {
		visited = v.follow(ctx, origin, at, &got)
	}
	v.addExtras(ctx, &got)
	v.addHopExtras(ctx, visited)
	if ctx.Err() != nil || got.exhausted {
		return nil
	}
	return &got
}
