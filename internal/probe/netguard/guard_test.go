package netguard

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"certdrift/internal/target"
)

// hostile are addresses that a simple check misses, with whether each is permitted as an endpoint's own address and as a
// server's choice.
var hostile = []struct {
	addr         string
	own, foreign bool
}{
	{"93.184.215.14", true, true},
	{"8.8.8.8", true, true},
	{"2606:2800:21f:cb07:6820:80da:af6b:8b2c", true, true},
	{"192.0.0.9", true, true}, // PCP anycast: global by the registry
	{"192.31.196.1", true, true},
	{"192.0.0.8", true, false},
	{"10.1.2.3", true, false},
	{"172.16.0.1", true, false},
	{"172.31.255.255", true, false},
	{"172.32.0.1", true, true},
	{"192.168.1.1", true, false},
	{"100.64.0.1", true, false}, // CGNAT
	{"100.127.255.255", true, false},
	{"100.128.0.1", true, true},
	{"127.0.0.1", false, false},
	{"127.255.255.254", false, false},
	{"198.18.0.1", true, false},
	{"192.0.2.1", true, false},
	{"198.51.100.7", true, false},
	{"203.0.113.9", true, false},
	{"192.88.99.1", true, false},
	{"240.0.0.1", true, false},
	{"0.0.0.0", false, false},
	{"0.1.2.3", false, false},
	{"169.254.0.1", false, false},
	{"169.254.169.254", false, false},
	{"169.254.170.2", false, false},
	{"100.100.100.200", false, false}, // Alibaba's metadata, within CGNAT
	{"168.63.129.16", false, false},   // Azure's, within public space
	{"192.0.0.192", false, false},     // Oracle's
	{"224.0.0.1", false, false},
	{"239.255.255.255", false, false},
	{"255.255.255.255", false, false},
	{"::", false, false},
	{"::1", false, false},
	{"::ffff:127.0.0.1", false, false},
	{"::ffff:169.254.169.254", false, false},
	{"::ffff:8.8.8.8", true, true},
	{"::127.0.0.1", false, false}, // IPv4-compatible
	{"::169.254.169.254", false, false},
	{"::ffff:0:169.254.169.254", false, false},
	{"64:ff9b::8.8.8.8", true, true}, // NAT64 of a public address is as public
	{"64:ff9b::10.0.0.1", true, false},
	{"64:ff9b::127.0.0.1", false, false},
	{"64:ff9b::169.254.169.254", false, false},
	{"64:ff9b:1::8.8.8.8", true, false},
	{"64:ff9b:1::169.254.169.254", false, false},
	{"64:ff9b:1:a9fe:a9:fe00::", false, false}, // 169.254.169.254 under a prefix of 48 bits
	{"2002:a9fe:a9fe::1", false, false},        // 6to4 of 169.254.169.254
	{"2002:7f00:1::1", false, false},
	{"2002:808:808::1", true, false},
	{"2001:0:a9fe:a9fe::", false, false},           // Teredo, server
	{"2001:0:808:808:0:0:5601:5601", false, false}, // Teredo, client 169.254.169.254 inverted
	{"2001:0:808:808:0:0:f7f7:f7f7", true, false},  // Teredo, client 8.8.8.8
	{"2001:db8::1", true, false},
	{"2001:2::1", true, false},
	{"2001:10::1", true, false},
	{"2001:20::1", true, true},
	{"3fff::1", true, false},
	{"100::1", true, false},
	{"5f00::1", true, false},
	{"4000::1", true, false}, // not given out
	{"fc00::1", true, false},
	{"fd12:3456::1", true, false},
	{"fd00:ec2::254", false, false},
	{"fd20:ce::254", false, false},
	{"fe80::1", false, false},
	{"fe80::1%eth0", false, false},
	{"fec0::1", true, false},
	{"ff02::1", false, false},
	{"fd00:ec2::23", false, false},   // EKS Pod Identity over IPv6
	{"169.254.170.23", false, false}, // and over IPv4
	{"169.254.100.1", false, false},  // the Lambda Runtime API of some regions, X-Ray's daemon
	{"169.254.169.123", false, false},
	{"255.255.255.254", true, false},
	{"::ffff:0.0.0.0", false, false},
	{"::ffff:10.0.0.9", true, false},
	{"::ffff:255.255.255.255", false, false},
	{"64:ff9b::0.0.0.0", false, false},
	{"64:ff9b::100.100.100.200", false, false},
	{"64:ff9b:1:7f00:0:100::", false, false},       // 127.0.0.1 under a prefix of 48 bits
	{"2002:a00:9::1", true, false},                 // 6to4 of 10.0.0.9
	{"2001:0:7f00:1::", false, false},              // Teredo, server 127.0.0.1
	{"2001:0:808:808:0:0:80ff:fffe", false, false}, // Teredo, client 127.0.0.1 inverted
	{"fe80::a9fe:a9fe", false, false},
	{"febf::1", false, false},
	{"::1%lo", false, false},
	{"fd12:3456::1%eth0", true, false},
}

func TestGuard(t *testing.T) {
	g := New(target.Endpoint{Host: "site.test"}, RuntimeAPI{})
	for _, h := range hostile {
		a := netip.AddrPortFrom(netip.MustParseAddr(h.addr), 443)
		if blocked := g.Target(a); (blocked == nil) != h.own {
			t.Errorf("%s as an endpoint's own address: got %v, want permitted %v", h.addr, blocked, h.own)
		}
		if blocked := g.Redirect(a); (blocked == nil) != h.foreign {
			t.Errorf("%s as a redirect's address: got %v, want permitted %v", h.addr, blocked, h.foreign)
		}
		if blocked := g.Reference(a); (blocked == nil) != h.foreign {
			t.Errorf("%s as a CRL's address: got %v, want permitted %v", h.addr, blocked, h.foreign)
		}
	}
	for a, want := range map[string]string{"::1": "loopback", "::": "unspecified", "::127.0.0.1": "loopback", "64:ff9b::a9fe:a9fe": "metadata"} {
		if blocked := g.Target(on(443, a)[0]); blocked == nil || !strings.Contains(blocked.Reason, want) {
			t.Errorf("%s: got %v, want %s", a, blocked, want)
		}
	}
}

// on returns addresses with a port.
func on(port uint16, addrs ...string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, a := range addrs {
		all = append(all, netip.AddrPortFrom(netip.MustParseAddr(a), port))
	}
	return all
}

// resolved is the guard of an endpoint whose name has these addresses.
func resolved(addrs ...string) *Guard {
	g := New(target.Endpoint{Host: "site.test"}, RuntimeAPI{})
	g.Resolved(on(443, addrs...), true, false)
	return g
}

// TestGuardByDNS: a name that resolves only to private addresses is that of an internal load balancer, which redirects may lead
// to at any port. Beside any other address, and from DNS alone, nothing is opened.
func TestGuardByDNS(t *testing.T) {
	for _, c := range []struct {
		answer        []string
		addr          string
		own, redirect bool
	}{
		{[]string{"10.0.0.5"}, "10.0.0.5", true, true},
		{[]string{"10.0.0.5", "10.0.1.5", "fd12::5"}, "fd12::5", true, true},
		{[]string{"10.0.0.5"}, "10.0.0.6", true, false},
		{[]string{"100.64.0.5"}, "100.64.0.5", true, true},
		{[]string{"64:ff9b::10.0.0.5"}, "64:ff9b::10.0.0.5", true, true},
		{[]string{"64:ff9b::10.0.0.5"}, "10.0.0.5", true, false},
		{[]string{"::ffff:10.0.0.5"}, "10.0.0.5", true, true},
		{[]string{"93.184.215.14", "10.0.0.9"}, "10.0.0.9", true, false},
		{[]string{"10.0.0.9", "2600:1f14::1"}, "10.0.0.9", true, false},
		{[]string{"93.184.215.14", "10.0.0.9"}, "93.184.215.14", true, true},
		{[]string{"10.0.0.9", "127.0.0.1"}, "10.0.0.9", true, false},
		{[]string{"10.0.0.9", "127.0.0.1"}, "127.0.0.1", false, false},
		{[]string{"10.0.0.9", "192.0.2.1"}, "10.0.0.9", true, false},
		{[]string{"10.0.0.9", "169.254.169.254"}, "10.0.0.9", true, false},
		{[]string{"10.0.0.9", "0.0.0.0"}, "10.0.0.9", true, false},
		{[]string{"10.0.0.9", "64:ff9b::8.8.8.8"}, "10.0.0.9", true, false},
		{[]string{"127.0.0.1"}, "127.0.0.1", false, false},
		{[]string{"::1"}, "::1", false, false},
		{[]string{"169.254.169.254"}, "169.254.169.254", false, false},
		{[]string{"fd00:ec2::254"}, "fd00:ec2::254", false, false},
		{[]string{"192.0.2.1"}, "192.0.2.1", true, false},
		{[]string{"0.0.0.0"}, "0.0.0.0", false, false},
	} {
		g := resolved(c.answer...)
		for _, port := range []uint16{443, 80, 9001} {
			to := netip.AddrPortFrom(netip.MustParseAddr(c.addr), port)
			if blocked := g.Target(to); (blocked == nil) != c.own {
				t.Errorf("%v: %s as the endpoint's own address: got %v, want permitted %v", c.answer, to, blocked, c.own)
			}
			if blocked := g.Redirect(to); (blocked == nil) != c.redirect {
				t.Errorf("%v: a redirect to %s: got %v, want permitted %v", c.answer, to, blocked, c.redirect)
			}
			if blocked := g.Reference(to); (blocked == nil) != c.redirect {
				t.Errorf("%v: a CRL at %s: got %v, want permitted %v", c.answer, to, blocked, c.redirect)
			}
		}
	}
	cut := New(target.Endpoint{Host: "site.test"}, RuntimeAPI{})
	cut.Resolved(on(443, "10.0.0.5"), false, false)
	if cut.Redirect(on(443, "10.0.0.5")[0]) == nil {
		t.Error("an answer that is not complete opens an address: what is not known may be public")
	}
}

// TestGuardByConfiguration: literal addresses, localhost and networks.allow.
func TestGuardByConfiguration(t *testing.T) {
	api := ParseRuntimeAPI("127.0.0.1:9001")
	given := New(target.Endpoint{Host: "site.test", ConnectTo: []string{"127.0.0.1:8443", "backend.test:443"}}, api)
	given.Resolved(on(443, "10.0.0.7"), true, true)
	metadata := New(target.Endpoint{Host: "169.254.169.254"}, api)
	localhost := New(target.Endpoint{Host: "localhost"}, api)
	loopback := New(target.Endpoint{Host: "127.0.0.1"}, api)
	allowing := New(target.Endpoint{Host: "site.test", Networks: []string{"10.0.0.0/8", "100.64.0.0/10", "fc00::/7", "127.0.0.0/8", "0.0.0.0/0", "169.254.0.0/16"}}, api)
	allowing.Resolved(on(443, "93.184.215.14", "192.168.0.9"), true, false)
	for _, c := range []struct {
		what  string
		allow Permit
		to    string
		want  bool
	}{
		{"the endpoint at connect_to's loopback address", given.Target, "127.0.0.1:8443", true},
		{"a redirect to connect_to's loopback address", given.Redirect, "127.0.0.1:8443", false},
		{"a CRL at connect_to's loopback address", given.Reference, "127.0.0.1:80", true},
		{"a CRL at another loopback address", given.Reference, "127.0.0.2:80", false},
		{"a redirect to what connect_to resolves to", given.Redirect, "10.0.0.7:443", false},
		{"a CRL at what connect_to resolves to", given.Reference, "10.0.0.7:80", true},
		{"the endpoint at a metadata address in the configuration", metadata.Target, "169.254.169.254:80", true},
		{"a redirect within it", metadata.Redirect, "169.254.169.254:8080", true},
		{"another metadata address", metadata.Target, "169.254.170.2:80", false},
		{"localhost", localhost.Target, "127.0.0.1:443", true},
		{"localhost over IPv6", localhost.Target, "[::1]:443", true},
		{"a redirect to localhost", localhost.Redirect, "127.0.0.1:8080", true},
		{"localhost elsewhere on loopback", localhost.Target, "127.0.0.2:443", false},
		{"localhost in capitals, with a dot", New(target.Endpoint{Host: "LocalHost."}, api).Target, "127.0.0.1:443", true},
		{"connect_to localhost", New(target.Endpoint{Host: "site.test", ConnectTo: []string{"localhost:8443"}}, api).Target, "[::1]:8443", true},
		{"a name that begins like localhost", New(target.Endpoint{Host: "localhost.example.org"}, api).Target, "127.0.0.1:443", false},
		{"a name below localhost", New(target.Endpoint{Host: "a.localhost"}, api).Target, "127.0.0.1:443", false},
		{"an IPv4-mapped literal", New(target.Endpoint{Host: "::ffff:127.0.0.1"}, api).Target, "127.0.0.1:443", true},

		{"a redirect into an allowed network", allowing.Redirect, "10.9.9.9:8443", true},
		{"a redirect to it as IPv4-mapped", allowing.Redirect, "[::ffff:10.9.9.9]:8443", true},
		{"a redirect to it through NAT64", allowing.Redirect, "[64:ff9b::10.9.9.9]:8443", false},
		{"a CRL in an allowed network", allowing.Reference, "10.1.2.3:80", true},
		{"a CRL in an allowed IPv6 network", allowing.Reference, "[fd12::3]:80", true},
		{"a redirect into a private network that is not allowed", allowing.Redirect, "172.16.0.1:443", false},
		{"a redirect to a private address beside a public one", allowing.Redirect, "192.168.0.9:443", false},
		{"loopback, although 127.0.0.0/8 is listed", allowing.Redirect, "127.0.0.1:443", false},
		{"link-local, although 169.254.0.0/16 is listed", allowing.Redirect, "169.254.1.1:443", false},
		{"metadata within fc00::/7", allowing.Redirect, "[fd00:ec2::254]:80", false},
		{"metadata within 100.64.0.0/10", allowing.Redirect, "100.100.100.200:80", false},
		{"0.0.0.0, although 0.0.0.0/0 is listed", allowing.Redirect, "0.0.0.0:80", false},
		{"a neighbor within 100.64.0.0/10", allowing.Redirect, "100.100.100.201:80", true},

		{"a literal address beside the Runtime API", loopback.Target, "127.0.0.1:9002", true},
		{"the Runtime API as a literal address", loopback.Target, "127.0.0.1:9001", false},
		{"the Runtime API by a redirect", loopback.Redirect, "127.0.0.1:9001", false},
		{"the Runtime API by localhost", localhost.Target, "127.0.0.1:9001", false},
		{"the Runtime API over IPv6", localhost.Target, "[::1]:9001", false},
		{"the Runtime API by connect_to", New(target.Endpoint{Host: "site.test", ConnectTo: []string{"127.0.0.1:9001"}}, api).Target, "127.0.0.1:9001", false},
		{"the Runtime API at another loopback address", New(target.Endpoint{Host: "127.9.9.9"}, api).Target, "127.9.9.9:9001", false},
		{"the Runtime API at 0.0.0.0", New(target.Endpoint{Host: "0.0.0.0"}, api).Target, "0.0.0.0:9001", false},
		{"the Runtime API as IPv4-mapped", New(target.Endpoint{Host: "::ffff:127.0.0.1"}, api).Target, "[::ffff:127.0.0.1]:9001", false},
		{"its port elsewhere", New(target.Endpoint{Host: "10.0.0.5"}, api).Target, "10.0.0.5:9001", true},
		{"its port on a public address", allowing.Redirect, "93.184.215.14:9001", true},
		{"a Runtime API at a link-local address", New(target.Endpoint{Host: "169.254.100.1"}, ParseRuntimeAPI("169.254.100.1:9001")).Target, "169.254.100.1:9001", false},
		{"a Runtime API at a private address", New(target.Endpoint{Host: "10.0.0.5"}, ParseRuntimeAPI("10.0.0.5:9001")).Target, "10.0.0.5:9001", false},
		{"no Runtime API", New(target.Endpoint{Host: "127.0.0.1"}, ParseRuntimeAPI("")).Target, "127.0.0.1:9001", true},
	} {
		if blocked := c.allow(netip.MustParseAddrPort(c.to)); (blocked == nil) != c.want {
			t.Errorf("%s: got %v, want permitted %v", c.what, blocked, c.want)
		}
	}
	if g := New(target.Endpoint{Host: "127.0.0.1"}, ParseRuntimeAPI("localhost:9001")); g.Target(netip.MustParseAddrPort("127.0.0.1:9001")) == nil {
		t.Error("a Runtime API that is named by its host name is dialed")
	}
	if g := New(target.Endpoint{Host: "169.254.100.1"}, ParseRuntimeAPI("sandbox:9001")); g.Target(netip.MustParseAddrPort("169.254.100.1:9001")) == nil {
		t.Error("a Runtime API that is named by its host name is dialed at a link-local address")
	}
}

// TestGuardKey: what was fetched where more is permitted is not reused where less is.
func TestGuardKey(t *testing.T) {
	keys := map[string]string{}
	for name, g := range map[string]*Guard{
		"public": resolved("93.184.215.14"), "private": resolved("10.0.0.5"), "another": resolved("10.0.0.6"),
		"networks": New(target.Endpoint{Host: "site.test", Networks: []string{"10.0.0.0/8"}}, RuntimeAPI{}),
		"literal":  New(target.Endpoint{Host: "127.0.0.1"}, RuntimeAPI{}),
		"given":    New(target.Endpoint{Host: "site.test", ConnectTo: []string{"10.0.0.7:443"}}, RuntimeAPI{}),
	} {
		if other, twice := keys[g.Key()]; twice {
			t.Errorf("%s and %s share the key %q", name, other, g.Key())
		}
		keys[g.Key()] = name
	}
	if resolved("10.0.0.5", "10.0.0.6").Key() != resolved("10.0.0.6", "10.0.0.5").Key() {
		t.Error("the key depends on the order of the answer")
	}
}

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "", "10.1.2.3/32": "", "172.16.0.0/12": "", "192.168.4.0/22": "", "100.64.0.0/10": "", "198.19.0.0/16": "",
		"fc00::/7": "", "FD12:3456::/32": "",
		"10.0.0.0": "CIDR", "10.0.0.0/33": "CIDR", "": "CIDR", "fe80::1%eth0/64": "CIDR", "10.0.0.9/8": "10.0.0.0/8",
		"10.0.0.0/7": "private", "0.0.0.0/0": "private", "::/0": "private", "127.0.0.0/8": "private", "169.254.0.0/16": "private",
		"::1/128": "private", "fe80::/10": "private", "::ffff:10.0.0.0/104": "private", "8.8.8.0/24": "private", "224.0.0.0/4": "private",
	} {
		_, err := ParseNetwork(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

// TestControl: the last check is of the socket's address.
func TestControl(t *testing.T) {
	g := New(target.Endpoint{Host: "site.test"}, RuntimeAPI{})
	if err := Control(g.Target, "169.254.169.254:80"); !errors.As(err, new(*BlockedError)) {
		t.Errorf("metadata: got %v, want it blocked", err)
	}
	if err := Control(g.Target, "[::ffff:a9fe:a9fe]:80"); !errors.As(err, new(*BlockedError)) {
		t.Errorf("metadata as IPv4-mapped: got %v, want it blocked", err)
	}
	if err := Control(g.Target, "10.0.0.1:80"); err != nil {
		t.Errorf("a private address: got %v, want it permitted", err)
	}
	if err := Control(g.Target, "nonsense"); err == nil {
		t.Error("nonsense: want an error")
	}
}

func TestParseHost(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "2130706433": "127.0.0.1", "0x7f000001": "127.0.0.1", "0x7f.1": "127.0.0.1",
		"0177.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "0": "0.0.0.0", "0xA9FEA9FE": "169.254.169.254",
		"169.254.43518": "169.254.169.254", "127.0.0.1.": "127.0.0.1", "[::1]": "::1", "::ffff:10.0.0.1": "10.0.0.1",
		"fe80::1%lo": "fe80::1", "0x": "0.0.0.0",
		"example.org": "", "1.2.3.4.5": "", "256.0.0.1": "", "08.0.0.1": "", "4294967296": "", "1..2": "", "": "",
		"-1": "", "+1": "", "0x7g": "", "1.2.3.256": "", "1.16777216": "",
	} {
		got, ok := ParseHost(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("ParseHost(%q) = %v, %v; want %q", host, got, ok, want)
		}
	}
}

// FuzzHost: the canonical form of a host that parses as an address parses as the same address, and no notation bypasses the
// guard.
func FuzzHost(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.addr)
	}
	f.Add("0x7f.1")
	f.Add("2130706433")
	g := New(target.Endpoint{Host: "site.test"}, RuntimeAPI{})
	redirect := func(a netip.Addr) bool { return g.Redirect(netip.AddrPortFrom(a, 443)) == nil }
	f.Fuzz(func(t *testing.T, host string) {
		a, ok := ParseHost(host)
		if !ok {
			return
		}
		again, ok := ParseHost(a.String())
		if !ok || again != a {
			t.Fatalf("%q reads as %v, which reads as %v", host, a, again)
		}
		if redirect(a) != (classify(a) == global) {
			t.Fatalf("%q: the guard and the table disagree", host)
		}
		if mapped := netip.AddrFrom16(a.As16()); redirect(mapped) != redirect(a) {
			t.Fatalf("%q: the IPv4-mapped form is judged differently", host)
		}
	})
}
