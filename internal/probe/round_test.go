package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestEveryAddress: of two addresses of a name one is broken, and both are reported.
func TestEveryAddress(t *testing.T) {
	config := serving(t)
	network := &lan{servers: map[string]string{
		"10.0.0.1:443": certtest.ServeTLS(t, "127.0.0.1", config, nil), "10.0.0.2:443": certtest.Serve(t, "127.0.0.1", certtest.Reset),
	}}
	seen := observe(t, handshakes(site()), resolving(zone{"site.test": {"10.0.0.2", "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"}}), network.dialing)
	if len(seen.Addresses) != 2 || seen.DNS.CanonicalName != "canonical.site.test" || !slices.Equal(seen.DNS.Addresses, []string{"10.0.0.1", "10.0.0.2"}) {
		t.Fatalf("got %d addresses, dns %+v", len(seen.Addresses), seen.DNS)
	}
	healthy(t, seen.Addresses[0])
	failed(t, seen.Addresses[1], observation.PhaseTLS, observation.Reset)
	if seen.Addresses[0].Address != "10.0.0.1:443" {
		t.Errorf("not in the order of their text: %s first", seen.Addresses[0].Address)
	}
}

// asked is a resolver with a given error.
type asked struct {
	err    error
	silent bool
}

func (a asked) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	if a.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, a.err
}

func (a asked) LookupCNAME(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestDNSFaults(t *testing.T) {
	for name, c := range map[string]struct {
		resolver resolver
		kind     observation.FailureKind
	}{
		"no such name":  {asked{err: &net.DNSError{Err: "no such host", IsNotFound: true}}, observation.NotFound},
		"no address":    {asked{}, observation.NotFound},
		"SERVFAIL":      {asked{err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, observation.ResolverFailed},
		"not reachable": {asked{err: &net.DNSError{Err: "connection refused"}}, observation.ResolverFailed},
		"timed out":     {asked{err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, observation.TimedOut},
		"silent":        {asked{silent: true}, observation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := target.Endpoint{Name: "e", Kind: target.TLS, Host: "site.test", Port: 443, Timeout: patient}
				seen := observe(t, e, func(o *Options) { o.Resolver = c.resolver })
				if !seen.Probed || seen.DNS.Failure == nil || seen.DNS.Failure.Kind != c.kind || seen.DNS.Failure.Phase != observation.PhaseDNS || len(seen.Addresses) > 0 {
					t.Errorf("got %+v, probed %v", seen.DNS.Failure, seen.Probed)
				}
			})
		})
	}
}

func TestManyAddresses(t *testing.T) {
	var all []string
	for i := range 100 {
		all = append(all, fmt.Sprintf("127.0.1.%d", i+1))
	}
	p := New(Options{Now: time.Now, Resolver: zone{"site.test": all}})
	dns := p.Resolve(t.Context(), "site.test")
	if len(dns.Addresses) != maxAddresses || dns.Omitted != 100-maxAddresses {
		t.Errorf("got %d addresses, %d omitted", len(dns.Addresses), dns.Omitted)
	}
	if dns := p.Resolve(t.Context(), "0x7f.1"); !dns.Skipped || dns.Addresses[0] != "127.0.0.1" {
		t.Errorf("an address: got %+v", dns)
	}
}

func TestConnectFaults(t *testing.T) {
	const address = "127.0.0.1:1" // no port that another test could be given
	failed(t, one(t, observe(t, at(t, target.HTTPS, address))), observation.PhaseConnect, observation.Refused)

	dialling := func(err error) func(*Options) {
		return func(o *Options) {
			o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
				if err == nil {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
			}
		}
	}
	e := at(t, target.HTTPS, "127.0.0.1:443")
	for _, c := range []struct {
		err   error
		kind  observation.FailureKind
		local bool
	}{
		{nil, observation.TimedOut, false},
		{syscall.ECONNRESET, observation.Reset, false},
		{syscall.EHOSTUNREACH, observation.Unreachable, false},
		{syscall.ETIMEDOUT, observation.TimedOut, false},
		{syscall.EPERM, observation.Unreachable, true},
		{fmt.Errorf("%w: %w", errNoRoute, syscall.ENETUNREACH), observation.Unreachable, true},
		{errors.New("strange"), observation.Other, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := one(t, observe(t, e, dialling(c.err)))
			failed(t, a, observation.PhaseConnect, c.kind)
			if a.Failure.Local != c.local {
				t.Errorf("%v: local is %v", c.err, a.Failure.Local)
			}
		})
	}
	if seen := observe(t, e, dialling(syscall.EMFILE)); seen.Probed || len(seen.Addresses) > 0 {
		t.Errorf("without descriptors: probed %v", seen.Probed)
	}
}

// TestBlocked: the endpoint's own name may not lead to metadata, and certdrift does not dial to find that out.
func TestBlocked(t *testing.T) {
	var dialed atomic.Int32
	e := target.Endpoint{Name: "e", Kind: target.HTTPS, URL: "https://site.test/", Host: "site.test", Port: 443, Timeout: patient}
	seen := observe(t, e, resolving(zone{"site.test": {"169.254.169.254"}}), func(o *Options) {
		o.Dialer = func(context.Context, string, string) (net.Conn, error) {
			dialed.Add(1)
			return nil, errors.New("dialed")
		}
	})
	failed(t, one(t, seen), observation.PhaseConnect, observation.Blocked)
	if dialed.Load() != 0 {
		t.Error("the address was dialed")
	}
}

// TestDeadline: one deadline for the round. Finished probes are returned, and probes that hang do not delay them.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := secured(serving(t))
		network := pipes{"127.0.0.1:1000": serve, "10.0.0.1:1000": serve} // nobody answers elsewhere
		half := at(t, target.TLS, "127.0.0.1:1000", func(e *target.Endpoint) { e.Host = "half.test" })
		hanging := at(t, target.TLS, "127.0.0.1:2000")
		endpoints := []target.Endpoint{hanging, at(t, target.TLS, "127.0.0.1:1000"), half}
		for range 50 {
			endpoints = append(endpoints, hanging)
		}
		var last, calls int
		p := New(Options{
			Now: time.Now, Concurrency: 8, Resolver: zone{"half.test": {"10.0.0.1", "10.0.0.2"}}, Dialer: network.dial,
			Progress: func(done, total int) {
				calls++
				if done != last+1 || total != len(endpoints) {
					t.Errorf("progress %d of %d after %d", done, total, last)
				}
				last = done
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), patient/2)
		defer cancel()
		seen := p.Probe(ctx, endpoints)
		if len(seen) != len(endpoints) || calls != len(endpoints) {
			t.Fatalf("%d observations, %d calls of Progress", len(seen), calls)
		}
		healthy(t, one(t, seen[1]))
		if seen[2].Probed || len(seen[2].Addresses) != 1 {
			t.Errorf("half done: probed %v with %d addresses", seen[2].Probed, len(seen[2].Addresses))
		}
		for i, e := range seen {
			if i != 1 && e.Probed {
				t.Errorf("endpoint %d counts as probed", i)
			}
			if e.Target.Kind != target.TLS {
				t.Errorf("endpoint %d has lost its target", i)
			}
		}
	})
}

// TestEveryEndpointGetsItsTurn: where a round never has time for all endpoints, the next one begins where it ended.
// Otherwise the last endpoints of a long configuration would never be probed.
func TestEveryEndpointGetsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var endpoints []target.Endpoint
		for i := range 5 {
			endpoints = append(endpoints, at(t, target.TLS, "127.0.0.1:1000", func(e *target.Endpoint) {
				e.Environment, e.Name = "production", fmt.Sprint(i)
			}))
		}
		p := New(Options{Now: time.Now, Concurrency: 1, Dialer: pipes{}.dial})
		turns := map[string]int{}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*(patient+plainWait)/2) // for two, and half of a third
			seen := p.Probe(ctx, endpoints)
			cancel()
			for i, e := range seen {
				if e.Target.Name != fmt.Sprint(i) {
					t.Fatalf("observation %d is of %s: the order is the configuration's", i, e.Target.Name)
				}
				if e.Probed {
					turns[e.Target.Name]++
				}
			}
		}
		if len(turns) != len(endpoints) {
			t.Errorf("only these had their turn: %v; want all %d", turns, len(endpoints))
		}
	})
}

// TestNarrowedRoundsTakeNoTurn: a round over a few endpoints does not change where the next whole round begins.
func TestNarrowedRoundsTakeNoTurn(t *testing.T) {
	var seen []observation.Endpoint
	for i := range 4 {
		seen = append(seen, observation.Endpoint{Target: target.Endpoint{Environment: "e", Name: fmt.Sprint(i)}, Probed: i < 2})
	}
	var next turn
	next.over(seen, []begin{{index: 0}, {index: 1}, {index: 2}, {index: 3}}, 1)
	next.over(seen[:1], []begin{{index: 0}}, 1)
	var all []target.Endpoint
	for _, e := range seen {
		all = append(all, e.Target)
	}
	if got := next.order(all, 2); got[0].index != 2 {
		t.Errorf("the next round is in the order %v, want to begin with 2", got)
	}
}

func TestDeadlineBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen := New(Options{Now: time.Now}).Probe(ctx, []target.Endpoint{at(t, target.TLS, "127.0.0.1:1")})
	if len(seen) != 1 || seen[0].Probed {
		t.Errorf("got %+v", seen)
	}
	if seen := New(Options{Now: time.Now}).Probe(ctx, nil); len(seen) != 0 {
		t.Errorf("of nothing: %+v", seen)
	}
}

// TestConcurrency: no more connections are in flight than allowed, and every endpoint gets its turn.
func TestConcurrency(t *testing.T) {
	var now, most atomic.Int32
	address := certtest.Serve(t, "127.0.0.1", func(c net.Conn) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
	})
	var endpoints []target.Endpoint
	for i := range 60 {
		endpoints = append(endpoints, at(t, target.SMTP, address, func(e *target.Endpoint) { e.Name = fmt.Sprint(i) }))
	}
	seen := New(Options{Now: time.Now, Concurrency: 4}).Probe(t.Context(), endpoints)
	for i, e := range seen {
		if !e.Probed || e.Target.Name != fmt.Sprint(i) {
			t.Fatalf("endpoint %d: %+v", i, e)
		}
	}
	if most.Load() > 5 { // a server may still be closing one
		t.Errorf("%d connections at once", most.Load())
	}
}

// TestPanic: a bug in a parser ends the probe of one address, not the round.
func TestPanic(t *testing.T) {
	e := at(t, target.TLS, "127.0.0.1:443")
	seen := observe(t, e, func(o *Options) {
		o.Dialer = func(context.Context, string, string) (net.Conn, error) { panic("a bug") }
	})
	if seen.Probed || len(seen.Addresses) > 0 {
		t.Errorf("got %+v", seen)
	}
}

func TestConnectToName(t *testing.T) {
	address := certtest.ServeTLS(t, "127.0.0.1", serving(t), nil)
	_, port, _ := net.SplitHostPort(address)
	e := at(t, target.TLS, address, func(e *target.Endpoint) {
		e.Host, e.ConnectTo = "site.test", []string{"backend.test:" + port, "gone.test:" + port}
	})
	network := &lan{servers: map[string]string{"10.0.0.1:" + port: address}}
	seen := observe(t, e, resolving(zone{"backend.test": {"10.0.0.1"}}), network.dialing)
	healthy(t, one(t, seen))
	if seen.DNS.Failure == nil || !strings.Contains(seen.DNS.Failure.Detail, "gone.test") {
		t.Errorf("the name that is gone is not said: %+v", seen.DNS)
	}
}

func TestIPv6(t *testing.T) {
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 on loopback here: %v", err)
	}
	_ = probe.Close()
	address := certtest.ServeTLS(t, "::1", serving(t), nil)
	a := one(t, observe(t, at(t, target.TLS, address)))
	healthy(t, a)
	if a.Address != address || a.TLS.ServerName != "" {
		t.Errorf("got %s with SNI %q", a.Address, a.TLS.ServerName)
	}
}

// TestNothingLeft: a round leaves no goroutine and no connection behind, whatever the result of its probes.
func TestNothingLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("probes", func(t *testing.T) {
		page := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/big" {
				floodBody(w)
			}
		})
		p := New(Options{Now: time.Now})
		p.Probe(t.Context(), []target.Endpoint{at(t, target.HTTPS, page), at(t, target.HTTPS, page, path("/big"))})

		ctx, cancel := context.WithCancel(t.Context())
		var waiting atomic.Int32
		silent := func(c net.Conn) {
			if waiting.Add(1) == 3 {
				cancel() // in the middle of three probes
			}
			certtest.Silent(c)
		}
		p.Probe(ctx, []target.Endpoint{
			at(t, target.HTTPS, certtest.Serve(t, "127.0.0.1", silent)),
			at(t, target.HTTP, certtest.Serve(t, "127.0.0.1", silent)),
			at(t, target.SMTP, certtest.Serve(t, "127.0.0.1", silent)),
		})
	})
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// slow is a resolver that answers only callers that wait for at least a given time.
type slow time.Duration

func (s slow) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < time.Duration(s) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func (slow) LookupCNAME(context.Context, string) (string, error) { return "", nil }

// TestNamesByTimeout: a timeout of an endpoint with a short timeout is not reused for one with a longer one.
func TestNamesByTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasty := target.Endpoint{Name: "hasty", Kind: target.TLS, Host: "site.test", Port: 1, Timeout: patient}
		other := hasty
		other.Name, other.Timeout = "patient", time.Hour
		p := New(Options{Now: time.Now, Resolver: slow(time.Minute), Dialer: pipes{"1": secured(serving(t))}.dial, Concurrency: 1})
		seen := p.Probe(t.Context(), []target.Endpoint{hasty, other})
		if f := seen[0].DNS.Failure; f == nil || f.Kind != observation.TimedOut {
			t.Errorf("hasty: %+v", f)
		}
		if f := seen[1].DNS.Failure; f != nil {
			t.Errorf("patient: %+v", *f)
		}
	})
}
