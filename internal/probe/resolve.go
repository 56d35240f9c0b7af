package probe

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// resolver resolves names; net.DefaultResolver is one.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
}

const (
	// maxAddresses bounds how many addresses of a name are dialed; a load balancer's name has at most eight.
	maxAddresses = 32
	// cnameGrace is how much longer than the addresses the canonical name may take: it only helps to find the load balancer.
	cnameGrace = 2 * time.Second
	// familiesApart is after how long without an answer to a question for both families each is asked for by itself;
	// familyGrace is how much longer than the first of them the other may take. Resolvers give up a query after 5 seconds.
	familiesApart = time.Second
	familyGrace   = 5 * time.Second
)

// Resolve looks up all addresses of a host and the end of its CNAME chain. It sends no query for a host that is an address.
// A failure is part of the result.
func (p *Prober) Resolve(ctx context.Context, host string) observation.DNS {
	return p.resolve(ctx, host, defaultTimeout)
}

func (p *Prober) resolve(ctx context.Context, host string, timeout time.Duration) observation.DNS {
	if a, ok := netguard.ParseHost(host); ok {
		return observation.DNS{Addresses: []string{a.String()}, Skipped: true}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errPhase)
	defer cancel()
	canonical := make(chan string, 1)
	go func() {
		name, err := p.resolver.LookupCNAME(ctx, host)
		if err != nil {
			name = ""
		}
		canonical <- strings.ToLower(strings.TrimSuffix(name, "."))
	}()
	begin := time.Now()
	found, partial, err := p.lookUp(ctx, host)
	dns := observation.DNS{Took: time.Since(begin), Partial: partial}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = cause
		}
		dns.Failure = fail(observation.PhaseDNS, err)
		return dns
	}
	dns.Addresses, dns.Omitted = sorted(found)
	grace := time.NewTimer(cnameGrace)
	defer grace.Stop()
	select {
	case dns.CanonicalName = <-canonical:
	case <-grace.C:
	case <-ctx.Done():
	}
	return dns
}

// sorted returns addresses as text, sorted and without duplicates, and how many exceed the bound.
func sorted(found []netip.Addr) (addrs []string, omitted int) {
	for _, a := range found {
		addrs = append(addrs, a.Unmap().String())
	}
	slices.Sort(addrs)
	addrs = slices.Compact(addrs)
	omitted = max(0, len(addrs)-maxAddresses)
	return addrs[:len(addrs)-omitted], omitted
}

// names caches what was resolved within one round: endpoints often share a host.
type names struct {
	mu    sync.Mutex
	known map[question]*lookup
}

// question is a name and the timeout of its resolution: an endpoint with a longer timeout must not get another's timeout.
type question struct {
	host    string
	timeout time.Duration
}

// lookup is one question's answer, which is there once done is closed.
type lookup struct {
	done chan struct{}
	dns  observation.DNS
}

// resolveInTurn resolves a host once there is a place for its query: a query is an open socket too.
func (r *round) resolveInTurn(ctx context.Context, host string, timeout time.Duration) observation.DNS {
	if _, ok := netguard.ParseHost(host); !ok {
		if !take(ctx, r.lookups) {
			return observation.DNS{} // the round is over
		}
		defer func() { <-r.lookups }()
	}
	return r.Prober.resolve(ctx, host, timeout)
}

// resolve sends one query per question and round.
func (r *round) resolve(host string, timeout time.Duration) observation.DNS {
	q := question{host, timeout}
	r.names.mu.Lock()
	asked, ok := r.names.known[q]
	if !ok {
		asked = &lookup{done: make(chan struct{})}
		r.names.known[q] = asked
	}
	r.names.mu.Unlock()
	if !ok {
		asked.dns = r.lookup(host, timeout)
		close(asked.done)
	}
	<-asked.done
	return asked.dns
}

// locate returns the addresses to dial for an endpoint: connect_to, or all addresses of its name. The guard learns of each name
// on its own: connect_to may list several.
func (v *endpointProbe) locate() (observation.DNS, []netip.AddrPort) {
	if len(v.target.ConnectTo) == 0 {
		dns := v.resolve(v.target.Host, v.timeout)
		where := addrPorts(dns, uint16(v.target.Port)) //nolint:gosec // config checks the port's range
		v.guard.Resolved(where, complete(dns), false)
		return dns, where
	}
	dns := observation.DNS{Skipped: true}
	var all []netip.AddrPort
	for _, to := range v.target.ConnectTo {
		host, port, err := netguard.SplitHostPort(to)
		if err != nil {
			dns.Failure = fail(observation.PhaseDNS, err)
			continue
		}
		one := v.resolve(host, v.timeout)
		dns.Addresses = append(dns.Addresses, one.Addresses...)
		dns.Took = max(dns.Took, one.Took)
		dns.Omitted += one.Omitted
		if one.Failure != nil {
			dns.Failure = one.Failure
		}
		if one.Partial != nil {
			dns.Partial = one.Partial
		}
		where := addrPorts(one, port)
		v.guard.Resolved(where, complete(one), true)
		all = append(all, where...)
	}
	slices.Sort(dns.Addresses)
	dns.Addresses = slices.Compact(dns.Addresses)
	return dns, inOrder(all)
}

// inOrder returns addresses sorted as text, each once.
func inOrder(all []netip.AddrPort) []netip.AddrPort {
	byText := map[string]netip.AddrPort{}
	for _, at := range all {
		byText[at.String()] = at
	}
	out := all[:0]
	for _, text := range slices.Sorted(maps.Keys(byText)) {
		out = append(out, byText[text])
	}
	return out
}

// complete reports whether all addresses of a name are known.
func complete(dns observation.DNS) bool { return dns.Omitted == 0 && dns.Partial == nil }

func addrPorts(dns observation.DNS, port uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, text := range dns.Addresses {
		if a, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.AddrPortFrom(a, port))
		}
	}
	return all
}
