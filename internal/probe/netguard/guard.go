// Package netguard decides which addresses may be dialed on behalf of an endpoint. A server chooses where redirects and the
// URLs in its certificates lead, so these must not reach into the network that certdrift runs in: loopback, private and
// link-local addresses, cloud metadata, and every notation that hides one of them (see ParseHost and the table of special
// networks). It is pure; package probe asks it before each connection.
package netguard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"certdrift/internal/target"
)

// BlockedError is returned where the guard refuses an address.
type BlockedError struct {
	Addr   netip.Addr
	Reason string
}

// Error implements error.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is not dialled: %s", e.Addr, e.Reason)
}

// Permit returns why an address must not be dialed; nil where it may be.
type Permit func(netip.Addr) *BlockedError

// Guard decides what may be dialed on behalf of one endpoint, whose own addresses the configuration chose.
type Guard struct {
	// literal are addresses written down in the configuration as such.
	literal map[netip.Addr]bool
	// own are loopback and private addresses at which the URL's host itself sits; redirects may go there, to any port.
	own map[netip.Addr]bool
	// given are those that connect_to adds. They are no licence for a redirect, since connect_to stands for the URL's
	// own origin only; what the endpoint's certificates point at may live beside it.
	given map[netip.Addr]bool
}

// New returns a guard that permits what the configuration writes down; AddOwn adds what the name resolves to.
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

// Target permits the endpoint's own addresses: internal load balancers live on private networks, nothing that is meant
// to be probed lives on link-local ones, where clouds keep their credentials.
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

// Redirect permits where redirects may lead: globally routable addresses, and the loopback or private address at which
// the endpoint itself is configured.
func (g *Guard) Redirect(a netip.Addr) *BlockedError {
	a = plain(a)
	if c := classify(a); c != global && !g.own[a] {
		return &BlockedError{a, c.String()}
	}
	return nil
}

// Reference permits what a certificate may point at (AIA, CRL, OCSP).
func (g *Guard) Reference(a netip.Addr) *BlockedError {
	if g.given[plain(a)] {
		return nil
	}
	return g.Redirect(a)
}

// plain is the address without zone and without the IPv4-mapped form, as it is compared.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// Key identifies what the guard permits: a document fetched under one guard is not handed to another.
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
