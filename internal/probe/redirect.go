package probe

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
)

const (
	// maxHops bounds a chain of redirects.
	maxHops = target.MaxRedirects
	// maxHopAddresses bounds the addresses of a hop that are probed.
	maxHopAddresses = 8
	// redirectPhases bounds a chain of redirects in time, in multiples of the timeout.
	redirectPhases = 5
)

// hops caches, for one endpoint and round, the targets of redirects: an endpoint's addresses usually have the same.
type hops struct {
	mu   sync.Mutex
	seen map[string]*hop
}

// hop is one target of a redirect, with its answers.
type hop struct {
	once, asking sync.Once
	observation.Hop
	again    bool           // visited before with other cookies: one address that answers is enough
	answers  []answer       // one for each of Addresses
	location *origin        // its own redirect's target; nil if it does not redirect
	cookies  []*http.Cookie // that its redirect sets
	verified bool           // the redirect came over a verified connection
	cut      bool           // this machine could not dial, which says nothing about the target
}

// follow follows the redirect of one of the endpoint's addresses, and returns the hops it visited.
func (v *endpointProbe) follow(ctx context.Context, from *origin, at netip.AddrPort, got *answer) (visited []*hop) {
	ctx, cancel := context.WithTimeoutCause(ctx, redirectPhases*v.timeout, errPhase)
	defer cancel()
	h := got.HTTP
	seen := map[string]bool{from.key(): true}
	var held cookies
	held.receive(from, got.cookies, v.verifies(from, got))
	for location := got.location; location != nil; {
		next := held.sendTo(location)
		if limit := v.target.Expect.MaxRedirects; limit != nil && len(h.Hops) == *limit {
			h.Unfollowed, h.Location = true, v.secrets.ShowURL(next.url.String(), finding.QuoteLimit)
			return visited
		}
		if len(h.Hops) == maxHops || seen[next.key()] {
			h.Loop, h.LoopInsecure = true, downgrades(from, next)
			h.Location = v.secrets.ShowURL(next.url.String(), finding.QuoteLimit)
			h.Cookies = v.shown(&held, next)
			return visited
		}
		seen[next.key()] = true
		reached := v.hop(ctx, next, at)
		if reached.cut {
			got.exhausted = true
			return visited
		}
		visited = append(visited, reached)
		shown := reached.Hop
		shown.Insecure = downgrades(from, next)
		h.Hops = append(h.Hops, shown)
		held.receive(next, reached.cookies, reached.verified)
		from, location = next, reached.location
	}
	h.Location = ""
	return visited
}

// addHopExtras adds the extras of the chains of hops, once for each hop. It has a timeout of its own: time spent on extras
// does not count as time of the redirects.
func (v *endpointProbe) addHopExtras(ctx context.Context, visited []*hop) {
	ctx, cancel := context.WithTimeoutCause(ctx, redirectPhases*v.timeout, errPhase)
	defer cancel()
	for _, h := range visited {
		h.asking.Do(func() {
			for i := range h.answers {
				v.addExtras(ctx, &h.answers[i])
			}
		})
	}
}

func downgrades(from, to *origin) bool { return from.kind == target.HTTPS && to.kind == target.HTTP }

// key identifies a request: a POST that becomes a GET at the same URL is not a loop, nor is the same URL with other cookies.
func (o *origin) key() string { return o.method + " " + o.url.String() + "\x00" + o.cookies }

// hop probes one target, once per endpoint and round. The endpoint's own origin is probed at the address that redirected, so
// that an address that cannot serve the page it redirects to is found.
func (v *endpointProbe) hop(ctx context.Context, o *origin, at netip.AddrPort) *hop {
	key := o.key()
	if o.own {
		key += " " + at.String()
	}
	v.hops.mu.Lock()
	if v.hops.seen == nil {
		v.hops.seen = map[string]*hop{}
	}
	h, ok := v.hops.seen[key]
	if !ok {
		h = &hop{again: v.hops.visited(o), Hop: observation.Hop{
			URL: v.secrets.ShowURL(o.url.String(), 2*finding.QuoteLimit), Kind: o.kind, Host: o.host, Port: o.port,
		}}
		v.hops.seen[key] = h
	}
	v.hops.mu.Unlock()
	h.once.Do(func() {
		v.visitHop(ctx, h, o, at)
		if len(h.Addresses) == 0 {
			v.hideHost(h)
		}
	})
	return h
}

// visited reports whether a request was made already with other cookies.
func (h *hops) visited(o *origin) bool {
	plain := *o
	plain.cookies = ""
	for key := range h.seen {
		if strings.HasPrefix(key, plain.key()) {
			return true
		}
	}
	return false
}

// hideHost hides secrets in the host of a hop that was not reached: a server may make a name of what it was sent. The certificate
// of one that was reached is judged by its name, which stays.
func (v *endpointProbe) hideHost(h *hop) {
	h.Host, h.DNS.CanonicalName = v.secrets.Show(h.Host, finding.QuoteLimit), v.secrets.Show(h.DNS.CanonicalName, finding.QuoteLimit)
	if f := h.DNS.Failure; f != nil {
		hidden := *f // other endpoints share the answer
		hidden.Detail = v.secrets.Show(f.Detail, finding.QuoteLimit)
		h.DNS.Failure = &hidden
	}
}

func (v *endpointProbe) visitHop(ctx context.Context, h *hop, o *origin, at netip.AddrPort) {
	if !o.kind.Web() {
		h.Blocked = "redirects to the scheme " + string(o.kind) + " are not followed"
		return
	}
	allow, where := netguard.Permit(v.guard.Target), []netip.AddrPort{at}
	if o.own {
		h.DNS = observation.DNS{Addresses: []string{at.Addr().String()}, Skipped: true}
	} else {
		h.DNS = v.resolve(o.host, v.timeout)
		allow, where = v.guard.Redirect, addrPorts(h.DNS, uint16(o.port)) //nolint:gosec // redirected checks the range
	}
	if len(where) > maxHopAddresses {
		h.DNS.Omitted += len(where) - maxHopAddresses
		where = where[:maxHopAddresses]
	}
	if h.Blocked = allBlocked(where, allow); h.Blocked != "" {
		return
	}
	answered := false
	for _, addr := range where {
		got := v.connect(ctx, o, addr, allow, !answered)
		if f := got.Failure; f != nil && f.Kind == observation.TimedOut && ctx.Err() != nil {
			f.Hurried, f.Detail = true, fmt.Sprintf("the redirects took longer in total than %d times the timeout", redirectPhases)
		}
		if h.cut = got.exhausted; h.cut {
			return
		}
		answered = answered || got.HTTP != nil
		if got.location != nil {
			h.location, h.cookies, h.verified = got.location, got.cookies, v.verifies(o, &got)
			got.HTTP.Location = ""
		}
		got.Phases.DNS = h.DNS.Took
		h.answers, h.Addresses = append(h.answers, got), append(h.Addresses, got.Address)
		if answered && h.again {
			h.DNS.Omitted += len(where) - len(h.Addresses)
			return
		}
	}
}

// allBlocked returns why none of the addresses may be dialed; empty if one may.
func allBlocked(where []netip.AddrPort, allow netguard.Permit) string {
	reason := ""
	for _, addr := range where {
		blocked := allow(addr)
		if blocked == nil {
			return ""
		}
		if reason == "" {
			reason = blocked.Error()
		}
	}
	return reason
}
