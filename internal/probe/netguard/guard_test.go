package netguard

import (
	"errors"
	"net/netip"
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
	{"127.0.0.1", true, false},
	{"127.255.255.254", true, false},
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
	{"::1", true, false},
	{"::ffff:127.0.0.1", true, false},
	{"::ffff:169.254.169.254", false, false},
	{"::ffff:8.8.8.8", true, true},
	{"::127.0.0.1", true, false}, // IPv4-compatible
	{"::169.254.169.254", false, false},
	{"::ffff:0:169.254.169.254", false, false},
	{"64:ff9b::8.8.8.8", true, true}, // NAT64 of a public address is as public
	{"64:ff9b::10.0.0.1", true, false},
	{"64:ff9b::127.0.0.1", true, false},
	{"64:ff9b::169.254.169.254", false, false},
	{"64:ff9b:1::8.8.8.8", true, false},
	{"64:ff9b:1::169.254.169.254", false, false},
	{"64:ff9b:1:a9fe:a9:fe00::", false, false}, // 169.254.169.254 under a prefix of 48 bits
	{"2002:a9fe:a9fe::1", false, false},        // 6to4 of 169.254.169.254
	{"2002:7f00:1::1", true, false},
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
}

func TestGuard(t *testing.T) {
	g := New(target.Endpoint{Host: "site.test"})
	for _, h := range hostile {
		a := netip.MustParseAddr(h.addr)
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
}

// TestGuardOwnAddresses: only configured or resolved addresses are permitted, and no others.
func TestGuardOwnAddresses(t *testing.T) {
	port := func(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 443) }
	resolved := New(target.Endpoint{Host: "site.test"})
	resolved.AddOwn([]netip.AddrPort{port("10.0.0.5"), port("8.8.8.8"), port("169.254.169.254")}, false)
	given := New(target.Endpoint{Host: "site.test", ConnectTo: []string{"127.0.0.1:8443"}})
	given.AddOwn([]netip.AddrPort{port("127.0.0.1")}, true)
	literal := New(target.Endpoint{Host: "169.254.169.254"})
	literal.AddOwn([]netip.AddrPort{port("169.254.169.254")}, false)
	for _, c := range []struct {
		what  string
		allow Permit
		addr  string
		want  bool
	}{
		{"a redirect to the endpoint's own private address", resolved.Redirect, "10.0.0.5", true},
		{"a redirect to its neighbour", resolved.Redirect, "10.0.0.6", false},
		{"a redirect to metadata that the name resolves to", resolved.Redirect, "169.254.169.254", false},
		{"the endpoint at metadata that the name resolves to", resolved.Target, "169.254.169.254", false},
		{"a redirect to connect_to's loopback address", given.Redirect, "127.0.0.1", false},
		{"a CRL at connect_to's loopback address", given.Reference, "127.0.0.1", true},
		{"a CRL at another loopback address", given.Reference, "127.0.0.2", false},
		{"the endpoint at a metadata address written down", literal.Target, "169.254.169.254", true},
		{"a redirect within it", literal.Redirect, "169.254.169.254", true},
		{"another metadata address", literal.Target, "169.254.170.2", false},
		{"localhost by name", New(target.Endpoint{Host: "localhost"}).Redirect, "127.0.0.1", true},
	} {
		if blocked := c.allow(netip.MustParseAddr(c.addr)); (blocked == nil) != c.want {
			t.Errorf("%s: got %v, want permitted %v", c.what, blocked, c.want)
		}
	}
}

// TestControl: the last check is of the socket's address.
func TestControl(t *testing.T) {
	g := New(target.Endpoint{Host: "site.test"})
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
	g := New(target.Endpoint{Host: "site.test"})
	f.Fuzz(func(t *testing.T, host string) {
		a, ok := ParseHost(host)
		if !ok {
			return
		}
		again, ok := ParseHost(a.String())
		if !ok || again != a {
			t.Fatalf("%q reads as %v, which reads as %v", host, a, again)
		}
		if (g.Redirect(a) == nil) != (classify(a) == global) {
			t.Fatalf("%q: the guard and the table disagree", host)
		}
		if mapped := netip.AddrFrom16(a.As16()); (g.Redirect(mapped) == nil) != (g.Redirect(a) == nil) {
			t.Fatalf("%q: the IPv4-mapped form is judged differently", host)
		}
	})
}
