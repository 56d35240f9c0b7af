package probe

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestLooks: a server that hangs up is asked a bounded number of questions, and in scheduled rounds that found no cause none again for a while,
// unless it fails in another way. Other rounds ask all of them.
func TestLooks(t *testing.T) {
	config := serving(t)
	var met atomic.Int32
	var serve atomic.Pointer[func(net.Conn)]
	serves := func(f func(net.Conn)) { serve.Store(&f) }
	address := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		met.Add(1)
		(*serve.Load())(conn)
	})
	now := time.Now()
	for _, c := range []struct {
		kind target.Kind
		most int32 // connections of one probe
	}{{target.TLS, 10}, {target.HTTPS, 10}, {target.SMTP, 5}, {target.LDAP, 5}, {target.HTTP, 4}} {
		t.Run(string(c.kind), func(t *testing.T) {
			p := New(Options{Now: func() time.Time { return now }})
			probe := func(every time.Duration) (observation.Address, int32) {
				met.Store(0)
				e := at(t, c.kind, address, func(e *target.Endpoint) { e.OtherEvery = every })
				return one(t, p.Probe(t.Context(), []target.Endpoint{e})[0]), met.Load()
			}
			serves(func(conn net.Conn) {
				if c.kind != target.SMTP { // whose client waits for a greeting
					_, _ = conn.Read(make([]byte, 1<<16))
				}
			})
			first, all := probe(time.Hour)
			if all < 2 || all > c.most {
				t.Errorf("met %d connections in the first round", all)
			}
			for range 5 {
				now = now.Add(time.Minute)
				again, n := probe(time.Hour)
				if n != 1 || again.Failure == nil || *again.Failure != *first.Failure {
					t.Errorf("met %d connections in a later round, %+v", n, again.Failure)
				}
			}
			if _, n := probe(0); n != all {
				t.Errorf("met %d connections in a round that asks for everything, %d before", n, all)
			}
			now = now.Add(lookAgainAfter)
			if _, n := probe(time.Hour); n != all {
				t.Errorf("met %d connections after a while, %d before", n, all)
			}
			if !c.kind.Secured() || c.kind.StartTLS() {
				return
			}
			serves(func(conn net.Conn) {
				_ = tls.Server(conn, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errHangsUp }}).Handshake()
			})
			if a, n := probe(time.Hour); n < 2 || a.Failure == nil || a.Failure.Kind != observation.Alert {
				t.Errorf("met %d connections where it fails in another way: %+v", n, a.Failure)
			}
			serves(func(conn net.Conn) { _ = tls.Server(conn, config).Handshake() })
			if a, _ := probe(time.Hour); a.TLS == nil {
				t.Errorf("not seen again: %+v", a.Failure)
			}
		})
	}
}

// TestLooksThatFindACertificate: a certificate that only a look sees is seen in every round, even if the failure stays the same.
func TestLooksThatFindACertificate(t *testing.T) {
	p := New(Options{Now: time.Now})
	e := at(t, target.TLS, "127.0.0.1:443", func(e *target.Endpoint) { e.OtherEvery = time.Hour })
	for i := range 3 {
		v := &endpointProbe{round: &round{Prober: p, slots: newSlots(1, newBeginnings(1, idle))}, target: e}
		got := answer{Address: observation.Address{Failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert}}}
		v.lookInto(t.Context(), &origin{host: e.Host}, netip.MustParseAddrPort("127.0.0.1:443"), &got, func() { got.TLS = &observation.TLS{} })
		if got.TLS == nil {
			t.Errorf("round %d: nobody looked", i+1)
		}
	}
}

// TestLooksThatFindACause: a cause that was found is found in every round.
func TestLooksThatFindACause(t *testing.T) {
	address := certtest.Serve(t, "127.0.0.1", replies(sslRequest, "S"))
	p := New(Options{Now: time.Now})
	for range 3 {
		e := at(t, target.TLS, address, func(e *target.Endpoint) { e.OtherEvery = time.Hour })
		if a := one(t, p.Probe(t.Context(), []target.Endpoint{e})[0]); a.Failure == nil || a.Failure.Speaks != observation.Protocol(target.Postgres) {
			t.Fatalf("%+v", a.Failure)
		}
	}
}
