package netguard

import (
	"net/netip"
	"slices"
)

// scope is the reach of an address.
type scope int

// The scopes, from least to most restricted. A server may choose global addresses only.
const (
	global    scope = iota
	private         // RFC 1918, RFC 6598 (CGNAT), RFC 4193 (ULA)
	reserved        // documentation, benchmarks, future use, retired transition mechanisms
	loopback        // this machine itself
	linkLocal       // RFC 3927, RFC 4291 §2.5.6
	metadata        // where clouds serve credentials
	multicast
	unspecified // RFC 1122 §3.2.1.3: "this network"; Linux connects to itself at 0.0.0.0
	broadcast
)

// String returns a description for people.
func (s scope) String() string {
	return [...]string{"a globally routable address", "a private address", "a reserved address", "a loopback address",
		"a link-local address", "a cloud metadata address", "a multicast address", "an unspecified address",
		"a broadcast address"}[s]
}

// special is one block of the table.
type special struct {
	prefix netip.Prefix
	scope  scope
}

// specials is the table, more specific blocks first: the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry), and the addresses at
// which AWS, Azure, Google, Oracle and Alibaba serve instance metadata.
func specials() []special {
	p := netip.MustParsePrefix
	return []special{
		{p("169.254.169.254/32"), metadata}, {p("169.254.170.2/32"), metadata}, {p("169.254.170.23/32"), metadata},
		{p("168.63.129.16/32"), metadata}, {p("100.100.100.200/32"), metadata}, {p("192.0.0.192/32"), metadata},
		{p("fd00:ec2::/32"), metadata}, {p("fd20:ce::254/128"), metadata},

		{p("0.0.0.0/8"), unspecified}, {p("10.0.0.0/8"), private}, {p("100.64.0.0/10"), private},
		{p("127.0.0.0/8"), loopback}, {p("169.254.0.0/16"), linkLocal}, {p("172.16.0.0/12"), private},
		{p("192.0.0.9/32"), global}, {p("192.0.0.10/32"), global}, {p("192.0.0.0/24"), reserved},
		{p("192.0.2.0/24"), reserved}, {p("192.88.99.0/24"), reserved}, {p("192.168.0.0/16"), private},
		{p("198.18.0.0/15"), reserved}, {p("198.51.100.0/24"), reserved}, {p("203.0.113.0/24"), reserved},
		{p("224.0.0.0/4"), multicast}, {p("255.255.255.255/32"), broadcast}, {p("240.0.0.0/4"), reserved},

		{p("::/128"), unspecified}, {p("::1/128"), loopback},
		{p("fc00::/7"), private}, {p("fe80::/10"), linkLocal}, {p("fec0::/10"), private}, {p("ff00::/8"), multicast},
		{p("2001:1::1/128"), global}, {p("2001:1::2/128"), global}, {p("2001:1::3/128"), global},
		{p("2001:3::/32"), global}, {p("2001:4:112::/48"), global}, {p("2001:20::/28"), global},
		{p("2001:30::/28"), global}, {p("2001::/23"), reserved}, {p("2001:db8::/32"), reserved},
		{p("2002::/16"), reserved}, {p("3fff::/20"), reserved}, {p("2000::/3"), global},
		{p("::/0"), reserved}, // IANA allocates global unicast from 2000::/3 only
	}
}

// classify returns an address's scope. An IPv6 address that embeds an IPv4 one is at least as restricted as that one: a
// translator would forward the packet there.
func classify(a netip.Addr) scope {
	a = plain(a)
	worst := lookup(a)
	carried, translated := embedded(a)
	for i, v4 := range carried {
		s := lookup(v4)
		switch {
		case i == 0 && translated:
			worst = s // RFC 6052's well-known prefix is how an IPv6-only network reaches all of IPv4
		case s > worst:
			worst = s
		}
	}
	return worst
}

func lookup(a netip.Addr) scope {
	if !a.IsValid() {
		return reserved
	}
	for _, s := range table {
		if s.prefix.Contains(a) {
			return s.scope
		}
	}
	return global
}

// table is specials, parsed once; it is not modified.
var table = specials()

// embedded returns the IPv4 addresses embedded in an IPv6 address. translated reports whether it is in 64:ff9b::/96, which is
// globally reachable if the embedded address is.
func embedded(a netip.Addr) (carried []netip.Addr, translated bool) {
	if !a.Is6() {
		return nil, false
	}
	b := a.As16()
	v4 := func(w, x, y, z byte) netip.Addr { return netip.AddrFrom4([4]byte{w, x, y, z}) }
	last := v4(b[12], b[13], b[14], b[15])
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(a) }
	switch {
	case in("64:ff9b::/96"): // NAT64, RFC 6052 §2.1
		return []netip.Addr{last}, true
	case in("64:ff9b:1::/48"): // local NAT64, RFC 8215: the network picks a prefix length of 48, 64 or 96
		readings := []netip.Addr{last, v4(b[6], b[7], b[9], b[10]), v4(b[9], b[10], b[11], b[12])}
		// Read with the wrong prefix length, an address begins with zeros.
		return slices.DeleteFunc(readings, func(a netip.Addr) bool { return a.As4()[0] == 0 }), false
	case in("2002::/16"): // 6to4, RFC 3056
		return []netip.Addr{v4(b[2], b[3], b[4], b[5])}, false
	case in("2001::/32"): // Teredo, RFC 4380 §4: server, and client with its bits inverted
		return []netip.Addr{v4(b[4], b[5], b[6], b[7]), v4(^b[12], ^b[13], ^b[14], ^b[15])}, false
	case in("::/96"), in("::ffff:0:0:0/96"): // IPv4-compatible (RFC 4291 §2.5.5.1), IPv4-translated (RFC 2765)
		if a != netip.IPv6Unspecified() && a != netip.IPv6Loopback() {
			return []netip.Addr{last}, false
		}
	}
	return nil, false
}
