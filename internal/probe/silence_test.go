package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// metered is a network of pipes that counts connections.
type metered struct {
	pipes
	met *atomic.Int32
}

func (m metered) dial(ctx context.Context, network, address string) (net.Conn, error) {
	m.met.Add(1)
	return m.pipes.dial(ctx, network, address)
}

// delayed serves each connection once a time is over.
func delayed(wait time.Duration, serve func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		time.Sleep(wait)
		serve(conn)
	}
}

// stalls is a plain HTTP server that waits for the end of a header, which a ClientHello does not have.
func stalls(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		said := make([]byte, 4096)
		switch n := read(conn, said); {
		case bytes.HasPrefix(said, []byte("GET ")):
			_, _ = io.WriteString(conn, answer)
		case bytes.HasSuffix(said[:n], []byte("\r\n\r\n")):
			_, _ = io.WriteString(conn, page(400, ""))
		default:
			certtest.Silent(conn)
		}
	}
}

// silentUnlessTLS answers nothing but a ClientHello, and that with an alert.
func silentUnlessTLS(conn net.Conn) {
	if start := make([]byte, 4096); read(conn, start) > 1 && start[0] == recordHandshake {
		_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x28")
	}
	certtest.Silent(conn)
}

func verifies(target.Endpoint, []*x509.Certificate, time.Time) bool { return true }

// TestSilentServers: whatever a server is silent about, a probe takes its timeout and no longer, and the server meets few connections. A
// failure that no inquiry explained is followed by rounds with one. The clock is fake.
func TestSilentServers(t *testing.T) {
	config := serving(t)
	for name, c := range map[string]struct {
		kind         target.Kind
		port         string
		serve        func(net.Conn)
		phase        observation.Phase
		want         observation.FailureKind
		first, later int32 // connections, in the first round and in a later one
	}{
		"TLS":                            {target.HTTPS, "443", certtest.Silent, observation.PhaseTLS, observation.TimedOut, 3, 1},
		"TLS at a port of TLS":           {target.TLS, "636", certtest.Silent, observation.PhaseTLS, observation.TimedOut, 3, 1},
		"TLS at PostgreSQL's port":       {target.TLS, "5432", certtest.Silent, observation.PhaseTLS, observation.TimedOut, 4, 1},
		"large ClientHellos":             {target.HTTPS, "443", middlebox(config, certtest.Silent), observation.PhaseTLS, observation.TimedOut, 5, 4},
		"plain HTTP":                     {target.HTTPS, "443", stalls(page(200, "ok")), observation.PhaseTLS, observation.Plaintext, 3, 3},
		"plain HTTP that fails":          {target.HTTPS, "443", stalls(page(500, "")), observation.PhaseTLS, observation.Plaintext, 4, 4},
		"TLS that answers plain HTTP":    {target.HTTPS, "443", onPlain(certtest.Silent, page(503, "")), observation.PhaseTLS, observation.TimedOut, 4, 4},
		"HTTP behind TLS":                {target.HTTPS, "443", secured(config), observation.PhaseHeaders, observation.TimedOut, 2, 1},
		"HTTP":                           {target.HTTP, "80", certtest.Silent, observation.PhaseHeaders, observation.TimedOut, 1, 1},
		"a greeting":                     {target.SMTP, "25", certtest.Silent, observation.PhaseStartTLS, observation.TimedOut, 3, 1},
		"TLS after STARTTLS":             {target.SMTP, "25", smtp(certtest.Silent), observation.PhaseTLS, observation.TimedOut, 2, 1},
		"a request for TLS":              {target.LDAP, "389", certtest.Silent, observation.PhaseStartTLS, observation.TimedOut, 2, 1},
		"a request for TLS, but not TLS": {target.LDAP, "389", silentUnlessTLS, observation.PhaseStartTLS, observation.TimedOut, 2, 2},
	} {
		for _, limit := range []time.Duration{3 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second} {
			t.Run(fmt.Sprintf("%s, %v", name, limit), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := metered{pipes{c.port: c.serve}, &atomic.Int32{}}
					p := New(Options{Now: time.Now, Dialer: network.dial, Verified: verifies})
					e := at(t, c.kind, "127.0.0.1:"+c.port, timeout(limit), func(e *target.Endpoint) { e.OtherEvery = time.Hour })
					for round, want := range []int32{c.first, c.later, c.later} {
						network.met.Store(0)
						begin := time.Now()
						a := one(t, p.Probe(t.Context(), []target.Endpoint{e})[0])
						failed(t, a, c.phase, c.want)
						if got := network.met.Load(); got != want {
							t.Errorf("round %d: %d connections, want %d", round, got, want)
						}
						most := limit
						if name == "a greeting" && round == 0 { // nobody may speak to it before it does
							most += min(limit, diagnoseTimeout)
						}
						if took := time.Since(begin); took != most {
							t.Errorf("round %d took %v, want %v", round, took, most)
						}
						if a.Phases.Total > limit {
							t.Errorf("round %d: the inquiries count as the server's time: %v", round, a.Phases.Total)
						}
					}
				})
			})
		}
	}
}

// TestSlowServersAreNotAsked: a server that answers within a third of its timeout, or six seconds before its end, meets one connection. One that is slower is
// asked once, and not again in scheduled rounds of the next ten minutes; what it is asked changes nothing.
func TestSlowServersAreNotAsked(t *testing.T) {
	config := serving(t)
	for _, c := range []struct {
		kind         target.Kind
		serve        func(net.Conn)
		limit        time.Duration
		first, later int32
	}{
		{target.TLS, delayed(2*time.Second, secured(config)), 10 * time.Second, 2, 1}, // the second one is for another certificate
		{target.TLS, delayed(3*time.Second, secured(config)), 10 * time.Second, 2, 1},
		{target.TLS, delayed(23*time.Second, secured(config)), 30 * time.Second, 2, 1},
		{target.TLS, delayed(time.Second, secured(config)), 5 * time.Second, 2, 1},
		{target.TLS, delayed(6*time.Second, secured(config)), 10 * time.Second, 4, 1},
		{target.TLS, delayed(4*time.Second, secured(config)), 5 * time.Second, 4, 1},
		{target.LDAP, func(conn net.Conn) {
			if read(conn, make([]byte, len(ldapRequest))) == len(ldapRequest) {
				time.Sleep(4500 * time.Millisecond)
				_, _ = io.WriteString(conn, ldapAgreed)
				secured(config)(conn)
			}
		}, 10 * time.Second, 3, 1},
		// Mail servers delay their greeting: who speaks before it is taken for a sender of spam.
		{target.SMTP, delayed(6*time.Second, smtp(secured(config))), 10 * time.Second, 2, 1},
		{target.SMTP, smtp(delayed(6*time.Second, secured(config))), 10 * time.Second, 3, 1},
		{target.MySQL, func(conn net.Conn) { // which counts who hangs up in a handshake
			_, _ = io.WriteString(conn, mysqlTLS)
			_, _ = io.ReadFull(conn, make([]byte, len(mysqlRequest)))
			time.Sleep(6 * time.Second)
			secured(config)(conn)
		}, 10 * time.Second, 1, 1},
	} {
		t.Run(fmt.Sprintf("%s, %v", c.kind, c.limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := metered{pipes{"1000": c.serve}, &atomic.Int32{}}
				p := New(Options{Now: time.Now, Dialer: network.dial})
				e := at(t, c.kind, "127.0.0.1:1000", timeout(c.limit), func(e *target.Endpoint) { e.OtherEvery = time.Hour })
				for round, want := range []int32{c.first, c.later, c.later} {
					network.met.Store(0)
					a := one(t, p.Probe(t.Context(), []target.Endpoint{e})[0])
					healthy(t, a)
					if got := network.met.Load(); got != want {
						t.Errorf("round %d: %d connections, want %d (%+v)", round, got, want, a.Failure)
					}
				}
				time.Sleep(time.Minute) // servers that sleep notice that their connection is closed
			})
		})
	}
}

// TestInquiriesThatAreNotNeeded: the inquiries of a hundred slow servers, which answer after all, do not count as made in vain: a cause that
// a later one finds is still looked for.
func TestInquiriesThatAreNotNeeded(t *testing.T) {
	config := serving(t)
	synctest.Test(t, func(t *testing.T) {
		network := pipes{"1000": delayed(8*time.Second, secured(config)), "2000": middlebox(config, certtest.Silent)}
		endpoints := []target.Endpoint{at(t, target.TLS, "127.0.0.1:2000")}
		for range 100 {
			endpoints = append(endpoints, at(t, target.TLS, "127.0.0.1:1000", timeout(10*time.Second)))
		}
		seen := New(Options{Now: time.Now, Dialer: network.dial}).Probe(t.Context(), endpoints)
		for _, e := range seen[1:] {
			healthy(t, one(t, e))
		}
		if f := one(t, seen[0]).Failure; f == nil || f.Hello == nil {
			t.Errorf("the cause is not named: %+v", f)
		}
		time.Sleep(time.Minute)
	})
}

// TestInquiriesWithoutAPlace: where there is no place for a second connection, inquiries wait for the end of the first one, and learn the same.
func TestInquiriesWithoutAPlace(t *testing.T) {
	config := serving(t)
	synctest.Test(t, func(t *testing.T) {
		network := pipes{"1000": middlebox(config, certtest.Silent), "2000": stalls(page(200, "ok")), "389": silentUnlessTLS}
		p := New(Options{Now: time.Now, Dialer: network.dial, Concurrency: 1})
		seen := p.Probe(t.Context(), []target.Endpoint{
			at(t, target.TLS, "127.0.0.1:1000"), at(t, target.HTTPS, "127.0.0.1:2000"), at(t, target.LDAP, "127.0.0.1:389"),
		})
		if a := one(t, seen[0]); a.Failure == nil || a.Failure.Hello == nil || a.TLS == nil {
			t.Errorf("large ClientHellos: %+v", a.Failure)
		}
		failed(t, one(t, seen[1]), observation.PhaseTLS, observation.Plaintext)
		if f := one(t, seen[2]).Failure; f == nil || f.Speaks != observation.Protocol(target.TLS) {
			t.Errorf("TLS where LDAP is due: %+v", f)
		}
	})
}

// TestMoreSilentServersThanLooks: who finds no look when the others begin theirs is looked into after them, for as long, and learns the same.
func TestMoreSilentServersThanLooks(t *testing.T) {
	config := serving(t)
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		time.Sleep(plainWait + time.Second)
		return nil, nil //nolint:nilnil // it is what crypto/tls asks for
	}
	synctest.Test(t, func(t *testing.T) {
		network := pipes{}
		var endpoints []target.Endpoint
		for i := range maxFruitlessLooks + 6 {
			port := strconv.Itoa(1000 + i)
			network[port] = middlebox(config, certtest.Silent)
			endpoints = append(endpoints, at(t, target.TLS, "127.0.0.1:"+port))
		}
		for _, seen := range New(Options{Now: time.Now, Dialer: network.dial}).Probe(t.Context(), endpoints) {
			if a := one(t, seen); a.Failure == nil || a.Failure.Hello == nil || a.TLS == nil {
				t.Errorf("%s: %+v", a.Address, a.Failure)
			}
		}
	})
}

// TestStacksShrinkAsMoreChecksWait: memory is collected as more checks wait than before, and not again for as many.
func TestStacksShrinkAsMoreChecksWait(t *testing.T) {
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	s := newSlots(maxConnections, newBeginnings(maxActive, idle))
	for range 3 {
		before := collections()
		for range collectAfter {
			s.waits()
		}
		if collections() == before {
			t.Errorf("%d checks wait: memory was not collected", s.waiting.Load())
		}
	}
	before := collections()
	for range 10 {
		s.waiting.Store(0)
		for range 3 * collectAfter {
			s.waits()
		}
	}
	if extra := collections() - before; extra > 2 { // other tests may collect too
		t.Errorf("memory was collected %d times for as many checks as before", extra)
	}
}

// TestPanicInAnInquiry: a bug in what reads an answer ends the probe of one address, not the process.
func TestPanicInAnInquiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var met atomic.Int32
		seen := observe(t, at(t, target.HTTPS, "127.0.0.1:443"), func(o *Options) {
			o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
				if met.Add(1) > 1 {
					panic("a bug")
				}
				return pipes{}.dial(ctx, network, address)
			}
		})
		if seen.Probed || len(seen.Addresses) > 0 {
			t.Errorf("got %+v", seen)
		}
	})
}
