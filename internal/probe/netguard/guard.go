// Package netguard decides which addresses may be dialed on behalf of an endpoint. A server chooses where redirects and the
// URLs in its certificates lead, and whoever controls a name's DNS chooses its addresses, so neither must reach into the
// network that certdrift runs in: loopback, private and link-local addresses, cloud metadata, and every notation of one of
// them (see ParseHost and the table of special networks). Only the configuration opens these. The package is pure; package
// probe consults it before each connection, about the address that is dialed.
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
type Permit func(netip.AddrPort) *BlockedError

// Guard decides what may be dialed on behalf of one endpoint.
type Guard struct {
	runtime RuntimeAPI
	// configured are the addresses that the configuration names, as literals or as localhost.
	configured map[netip.Addr]bool
	// own are those of the URL's host; redirects may go there, to any port.
	own map[netip.Addr]bool
	// given are those of connect_to. Redirects may not go there, since connect_to replaces only the URL's own origin; the URLs
	// in the endpoint's certificates may.
	given map[netip.Addr]bool
	// networks are the private networks that the configuration opens.
	networks []netip.Prefix
}

// New returns a guard that permits what the configuration names; Resolved adds what its names resolve to.
func New(e target.Endpoint, runtime RuntimeAPI) *Guard {
	g := &Guard{
		runtime: runtime, configured: map[netip.Addr]bool{}, own: map[netip.Addr]bool{}, given: map[netip.Addr]bool{},
	}
	for _, text := range e.Networks {
		if network, err := ParseNetwork(text); err == nil {
			g.networks = append(g.networks, network)
		}
	}
	g.configure(g.own, e.Host)
	for _, to := range e.ConnectTo {
		if host, _, err := SplitHostPort(to); err == nil {
			g.configure(g.given, host)
		}
	}
	return g
}

// configure permits a host that is an address, or localhost, whose addresses RFC 6761 §6.3 defines.
func (g *Guard) configure(into map[netip.Addr]bool, host string) {
	for _, a := range configuredAddrs(host) {
		g.configured[a], into[a] = true, true
	}
}

// configuredAddrs returns the addresses that a host in the configuration stands for without DNS.
func configuredAddrs(host string) []netip.Addr {
	if a, ok := ParseHost(host); ok {
		return []netip.Addr{a}
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return nil
}

// Resolved records the addresses of one of the endpoint's names. A name with private addresses only is that of an internal load
// balancer, and redirects and certificates may lead to them. An answer that mixes them with others, or that is not complete
// (addresses were omitted, or those of one family could not be looked up), opens none: whoever controls the DNS of a public name, or
// the way there, must not choose private addresses beside it.
func (g *Guard) Resolved(addrs []netip.AddrPort, complete, connectTo bool) {
	if !complete || slices.ContainsFunc(addrs, func(a netip.AddrPort) bool { return classify(a.Addr()) != private }) {
		return
	}
	into := g.own
	if connectTo {
		into = g.given
	}
	for _, a := range addrs {
		into[plain(a.Addr())] = true
	}
}

// Target permits the endpoint's own addresses. Internal load balancers are on private networks. DNS does not lead to this
// machine itself, nor to link-local addresses, where clouds serve credentials.
func (g *Guard) Target(to netip.AddrPort) *BlockedError {
	return g.permit(to, func(a netip.Addr, s scope) bool { return g.configured[a] || s == private || s == reserved })
}

// Redirect permits the targets of redirects: globally routable addresses, those at which the endpoint itself is configured,
// and the networks that the configuration opens.
func (g *Guard) Redirect(to netip.AddrPort) *BlockedError {
	return g.permit(to, func(a netip.Addr, s scope) bool { return g.own[a] || g.opened(a, s) })
}

// Reference permits the URLs in certificates (AIA, CRL, OCSP).
func (g *Guard) Reference(to netip.AddrPort) *BlockedError {
	return g.permit(to, func(a netip.Addr, s scope) bool { return g.own[a] || g.given[a] || g.opened(a, s) })
}

// permit permits globally routable addresses, and others if also does.
func (g *Guard) permit(to netip.AddrPort, also func(netip.Addr, scope) bool) *BlockedError {
	a := plain(to.Addr())
	if g.runtime.at(to) {
		return &BlockedError{a, "the address of the Lambda Runtime API"}
	}
	if s := classify(a); s != global && !also(a, s) {
		return &BlockedError{a, s.String()}
	}
	return nil
}

// opened reports whether a private address is in a network that the configuration opens.
func (g *Guard) opened(a netip.Addr, s scope) bool {
	return (s == private || s == reserved) && slices.ContainsFunc(g.networks, func(n netip.Prefix) bool { return n.Contains(a) })
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
	for _, n := range g.networks {
		all = append(all, n.String())
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
	if blocked := allow(to); blocked != nil {
		return blocked
	}
	return nil
}
