package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"certdrift/internal/target"
)

// blockedError reports whether the address guard refused to dial.
type blockedError struct {
	addr   netip.Addr
	reason string
}

// Error implements error.
func (e *blockedError) Error() string {
	return fmt.Sprintf("%s is not dialled: %s", e.addr, e.reason)
}

// permit says why an address must not be dialled; nil where it may be.
type permit func(netip.Addr) *blockedError

// guard decides what may be dialled on behalf of one endpoint. A server decides where redirects and the URLs in its
// certificates point, so these must not lead into the network that certdrift runs in; the endpoint's own addresses were
// chosen by whoever wrote the configuration.
type guard struct {
	// literal are addresses written down in the configuration as such.
	literal map[netip.Addr]bool
	// own are loopback and private addresses at which the URL's host itself sits; redirects may go there, to any port.
	own map[netip.Addr]bool
	// given are those that connect_to adds. They are no licence for a redirect, since connect_to stands for the URL's
	// own origin only; what the endpoint's certificates point at may live beside it.
	given map[netip.Addr]bool
}

// newGuard knows what is written down in the configuration; what the name resolves to is added by settle.
func newGuard(e target.Endpoint) *guard {
	g := &guard{literal: map[netip.Addr]bool{}, own: map[netip.Addr]bool{}, given: map[netip.Addr]bool{}}
	if a, ok := parseHost(e.Host); ok {
		g.literal[a] = true
		g.license(g.own, a)
	}
	if e.Host == "localhost" { // RFC 6761 §6.3: always the loopback addresses
		g.own[netip.AddrFrom4([4]byte{127, 0, 0, 1})] = true
		g.own[netip.IPv6Loopback()] = true
	}
	for _, to := range e.ConnectTo {
		host, _, err := splitHostPort(to)
		if a, ok := parseHost(host); err == nil && ok {
			g.literal[a] = true
		}
	}
	return g
}

// settle licenses the addresses that the endpoint was found at.
func (g *guard) settle(addrs []netip.AddrPort, connectTo bool) {
	into := g.own
	if connectTo {
		into = g.given
	}
	for _, a := range addrs {
		g.license(into, a.Addr())
	}
}

func (g *guard) license(into map[netip.Addr]bool, a netip.Addr) {
	a = plain(a)
	switch c := classify(a); {
	case c == loopback || c == private:
		into[a] = true
	case g.literal[a]:
		into[a] = true
	}
}

// target permits the endpoint's own addresses: internal load balancers live on private networks, nothing that is meant
// to be probed lives on link-local ones, where clouds keep their credentials.
func (g *guard) target(a netip.Addr) *blockedError {
	a = plain(a)
	if g.literal[a] {
		return nil
	}
	switch c := classify(a); c {
	case global, loopback, private, reserved:
		return nil
	default:
		return &blockedError{a, c.String()}
	}
}

// redirect permits where redirects may lead: what is globally routable, and the loopback or private address that the
// endpoint itself is configured at.
func (g *guard) redirect(a netip.Addr) *blockedError {
	a = plain(a)
	if c := classify(a); c != global && !g.own[a] {
		return &blockedError{a, c.String()}
	}
	return nil
}

// reference permits what a certificate may point at (AIA, CRL, OCSP).
func (g *guard) reference(a netip.Addr) *blockedError {
	if g.given[plain(a)] {
		return nil
	}
	return g.redirect(a)
}

// plain is the address without zone and without the IPv4-mapped form, as it is compared.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// licence tells guards apart that permit different things; what is fetched under one is not handed to another.
func (g *guard) licence() string {
	var all []string
	for a := range g.own {
		all = append(all, a.String())
	}
	for a := range g.given {
		all = append(all, a.String())
	}
	slices.Sort(all)
	return strings.Join(all, ",") + " "
}
