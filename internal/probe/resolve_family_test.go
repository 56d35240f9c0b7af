package probe

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

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

// deafTo answers as families does, but never for some networks, as Go's resolver where a name server drops the queries: a question for
// both gets no answer then.
type deafTo struct {
	families
	networks []string
}

func (d deafTo) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if slices.Contains(d.networks, network) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return d.families.LookupNetIP(ctx, network, host)
}

// TestOneFamilyThatIsNotAnswered: within one phase's time, what came is used, and what did not is reported.
func TestOneFamilyThatIsNotAnswered(t *testing.T) {
	whole := families{v4: "192.0.2.1", v6: "2001:db8::1"}
	servfail := families{v4: "192.0.2.1", fails: map[string]error{"ip6": &net.DNSError{Err: "server misbehaving", IsTemporary: true}}}
	for name, c := range map[string]struct {
		resolver  deafTo
		addresses string
		partial   observation.FailureKind
		failure   observation.FailureKind
	}{
		"AAAA is dropped":               {deafTo{whole, []string{"ip", "ip6"}}, "192.0.2.1", observation.TimedOut, ""},
		"A is dropped":                  {deafTo{whole, []string{"ip", "ip4"}}, "2001:db8::1", observation.TimedOut, ""},
		"AAAA is dropped once":          {deafTo{whole, []string{"ip"}}, "192.0.2.1 2001:db8::1", "", ""},
		"AAAA fails, both are dropped":  {deafTo{servfail, []string{"ip"}}, "192.0.2.1", observation.ResolverFailed, ""},
		"there is no AAAA":              {deafTo{families{v4: "192.0.2.1"}, []string{"ip"}}, "192.0.2.1", "", ""},
		"AAAA is dropped, asked alone":  {deafTo{families{v4: "192.0.2.1"}, []string{"ip6"}}, "192.0.2.1", observation.TimedOut, ""},
		"both are dropped":              {deafTo{whole, []string{"ip", "ip4", "ip6"}}, "", "", observation.TimedOut},
		"AAAA is dropped, there's no A": {deafTo{families{}, []string{"ip", "ip6"}}, "", "", observation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				dns := New(Options{Now: time.Now, Resolver: c.resolver}).Resolve(t.Context(), "host.test")
				if took := time.Since(begin); took > defaultTimeout {
					t.Errorf("took %s, more than a phase", took)
				}
				kind := func(f *observation.Failure) observation.FailureKind {
					if f == nil {
						return ""
					}
					return f.Kind
				}
				if got := strings.Join(dns.Addresses, " "); got != c.addresses || kind(dns.Partial) != c.partial || kind(dns.Failure) != c.failure {
					t.Errorf("addresses %q, partial %+v, failure %+v", got, dns.Partial, dns.Failure)
				}
			})
		})
	}
}

// TestNameServerThatDropsAAAA: Go's own resolver, in front of a name server that answers questions for A and never those for AAAA.
func TestNameServerThatDropsAAAA(t *testing.T) {
	serve := func(conn net.Conn) {
		for {
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, query); err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(query) != nil || m.Questions[0].Type != dnsmessage.TypeA {
				continue
			}
			m.Response, m.Additionals = true, nil
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
			}}
			answer, err := m.Pack()
			if err != nil {
				return
			}
			_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
		}
	}
	synctest.Test(t, func(t *testing.T) {
		resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { defer there.Close(); serve(there) }()
			return here, nil
		}}
		dns := New(Options{Now: time.Now, Resolver: resolver}).Resolve(t.Context(), "host.example.org")
		if len(dns.Addresses) != 1 || dns.Addresses[0] != "192.0.2.1" || dns.Failure != nil || dns.Partial == nil || dns.Partial.Kind != observation.TimedOut {
			t.Errorf("addresses %q, partial %+v, failure %+v", dns.Addresses, dns.Partial, dns.Failure)
		}
		time.Sleep(time.Minute) // fake time: what the resolver still waits for ends
	})
}
