package probe

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"certdrift/internal/observation"
)

// families answers as Go's resolver does: asked for both families, it returns those that came.
type families struct {
	v4, v6 string
	fails  map[string]error // by network
}

func (f families) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	err := error(&net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
	for _, one := range []struct{ network, address string }{{"ip4", f.v4}, {"ip6", f.v6}} {
		switch {
		case network != "ip" && network != one.network:
		case f.fails[one.network] != nil:
			err = f.fails[one.network]
		case one.address != "":
			all = append(all, netip.MustParseAddr(one.address))
		}
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

func (families) LookupCNAME(context.Context, string) (string, error) { return "", nil }

// TestOneFamilyThatFails: that a name has no addresses of one family is known only where the resolver says so.
func TestOneFamilyThatFails(t *testing.T) {
	servfail := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	for name, c := range map[string]struct {
		resolver families
		partial  bool
	}{
		"both":             {families{v4: "192.0.2.1", v6: "2001:db8::1"}, false},
		"IPv4 only":        {families{v4: "192.0.2.1"}, false},
		"IPv6 only":        {families{v6: "2001:db8::1"}, false},
		"IPv6 fails":       {families{v4: "192.0.2.1", v6: "2001:db8::1", fails: map[string]error{"ip6": servfail}}, true},
		"IPv4 fails":       {families{v4: "192.0.2.1", v6: "2001:db8::1", fails: map[string]error{"ip4": servfail}}, true},
		"IPv6 has no time": {families{v4: "192.0.2.1", fails: map[string]error{"ip6": context.DeadlineExceeded}}, true},
	} {
		dns := New(Options{Now: time.Now, Resolver: c.resolver}).Resolve(t.Context(), "host.test")
		if (dns.Partial != nil) != c.partial || dns.Failure != nil {
			t.Errorf("%s: partial %+v, failure %+v", name, dns.Partial, dns.Failure)
		}
		if c.partial && dns.Partial.Phase != observation.PhaseDNS {
			t.Errorf("%s: %+v", name, dns.Partial)
		}
	}
}
