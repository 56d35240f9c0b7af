// Package netguard decides which addresses may be dialed on behalf of an endpoint. A server chooses where redirects and the
// URLs in its certificates lead, so these must not reach into the network that certdrift runs in: loopback, private and
// link-local addresses, cloud metadata, and every notation of one of them (see ParseHost and the table of special
// networks). It is pure; package probe consults it before each connection.
package netguard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"certdrift/internal/target"
)

// BlockedError is returned if the guard does not permit an address.
type BlockedError struct {
	Addr   netip.Addr
	Reason string
}

// Error implements error.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is not dialed: %s", e.Addr, e.Reason)
}

// Permit returns why an address must not be dialed; nil if it may be.
type Permit func(netip.Addr) *BlockedError

// Guard decides what may be dialed on behalf of one endpoint, whose own addresses the configuration chose.
type Guard struct {
	// literal are the addresses that the configuration names as such.
	literal map[netip.Addr]bool
	// own are the loopback and private addresses of the URL's host; redirects may go there, to any port.
	own map[netip.Addr]bool
	// given are those that connect_to adds. Redirects may not go there, since connect_to replaces only the URL's own origin;
	// the URLs in the endpoint's certificates may.
	given map[netip.Addr]bool
}

// New returns a guard that permits what the configuration names; AddOwn adds what the name resolves to.
func New(e target.Endpoint) *Guard {
	g := &Guard{literal: map[netip.Addr]bool{}, own: map[netip.Addr]bool{}, given: map[netip.Addr]bool{}}
	if a, ok := ParseHost(e.Host); ok {
		g.literal[a] = true
		g.license(g.own, a)
	}
	if e.Host == "localhost" { // RFC 6761 §6.3: always the loopback addresses
		g.own[netip.AddrFrom4([4]byte{127, 0, 0, 1})] = true
		g.own[netip.IPv6Loopback()] = true
	}
	for _, to := range e.ConnectTo {
		host, _, err := SplitHostPort(to)
		if a, ok := ParseHost(host); err == nil && ok {
			g.literal[a] = true
		}
	}
	return g
}

// AddOwn permits the addresses at which the endpoint was found.
func (g *Guard) AddOwn(addrs []netip.AddrPort, connectTo bool) {
	into := g.own
	if connectTo {
		into = g.given
	}
	for _, a := range addrs {
		g.license(into, a.Addr())
	}
}

func (g *Guard) license(into map[netip.Addr]bool, a netip.Addr) {
	a = plain(a)
	switch c := classify(a); {
	case c == loopback || c == private:
		into[a] = true
	case g.literal[a]:
		into[a] = true
	}
}

// Target permits the endpoint's own addresses. Internal load balancers are on private networks; nothing to probe is on
// link-local ones, where clouds serve credentials.
func (g *Guard) Target(a netip.Addr) *BlockedError {
	a = plain(a)
	if g.literal[a] {
		return nil
	}
	switch c := classify(a); c {
	case global, loopback, private, reserved:
		return nil
	default:
		return &BlockedError{a, c.String()}
	}
}

// Redirect permits the targets of redirects: globally routable addresses, and the loopback or private address at which
// the endpoint itself is configured.
func (g *Guard) Redirect(a netip.Addr) *BlockedError {
	a = plain(a)
	if c := classify(a); c != global && !g.own[a] {
		return &BlockedError{a, c.String()}
	}
	return nil
}

// Reference permits the URLs in certificates (AIA, CRL, OCSP).
func (g *Guard) Reference(a netip.Addr) *BlockedError {
	if g.given[plain(a)] {
		return nil
	}
	return g.Redirect(a)
}

// plain returns the address for comparison: without a zone, and not IPv4-mapped.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// Key identifies what the guard permits: a document fetched under one guard is not reused under another.
func (g *Guard) Key() string {
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

// Control checks the address that a socket is about to connect to, for a net.Dialer's Control.
func Control(allow Permit, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading the socket's address %q: %w", address, err)
	}
	if blocked := allow(to.Addr()); blocked != nil {
		return blocked
	}
	return nil
}
