package probe

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// prefixed is a connection of which a part was read already.
type prefixed struct {
	net.Conn
	from io.Reader
}

func (p prefixed) Read(b []byte) (int, error) { return p.from.Read(b) }

// middlebox passes ClientHellos of at most 1400 bytes on to a TLS server, and lets lose have the connections of larger ones.
func middlebox(config *tls.Config, lose func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		hello := make([]byte, 4096)
		n, _ := io.ReadAtLeast(conn, hello, 5)
		length := 5 + (int(hello[3])<<8 | int(hello[4]))
		if n < length {
			more, _ := io.ReadAtLeast(conn, hello[n:], length-n)
			n += more
		}
		if length > 1400 {
			lose(conn)
			return
		}
		_ = tls.Server(prefixed{conn, io.MultiReader(bytes.NewReader(hello[:n]), conn)}, config).Handshake()
		certtest.Silent(conn)
	}
}

func resets(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func alerts(record string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, record)
		certtest.Silent(conn)
	}
}

// smtp agrees to STARTTLS, then serves what follows.
func smtp(then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, "220 x\r\n")
		for _, step := range []struct{ want, answer string }{{"EHLO [127.0.0.1]\r\n", "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "220 go\r\n"}} {
			if _, err := io.ReadFull(conn, make([]byte, len(step.want))); err != nil {
				return
			}
			_, _ = io.WriteString(conn, step.answer)
		}
		then(conn)
	}
}

// TestLargeClientHello: a path that loses only large ClientHellos is recognized by a small one, also behind STARTTLS.
func TestLargeClientHello(t *testing.T) {
	config := serving(t)
	for name, c := range map[string]struct {
		kind  target.Kind
		serve func(net.Conn)
		waits bool
		want  observation.FailureKind
	}{
		"dropped":                 {target.HTTPS, middlebox(config, certtest.Silent), true, observation.TimedOut},
		"reset":                   {target.HTTPS, middlebox(config, resets), false, observation.Reset},
		"closed":                  {target.TLS, middlebox(config, func(net.Conn) {}), false, observation.Closed},
		"rejected":                {target.TLS, middlebox(config, alerts("\x15\x03\x03\x00\x02\x02\x32")), false, observation.Alert},
		"dropped behind STARTTLS": {target.SMTP, smtp(middlebox(config, certtest.Silent)), true, observation.TimedOut},
		"reset behind STARTTLS":   {target.SMTP, smtp(middlebox(config, resets)), false, observation.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			a := observeServer(t, c.kind, c.serve, c.waits)
			failed(t, a, observation.PhaseTLS, c.want)
			sizes := a.Failure.Hello
			if sizes == nil || sizes.Lost <= 1400 || sizes.Answered >= 600 || sizes.Answered < 100 {
				t.Errorf("sizes %+v", sizes)
			}
			if a.TLS == nil || len(a.TLS.Chain) == 0 {
				t.Errorf("what the small one showed is not kept: %+v", a.TLS)
			}
		})
	}
}

// TestLargeClientHelloIsNotTheCause: of a server that loses some connections, whatever their ClientHello, or all.
func TestLargeClientHelloIsNotTheCause(t *testing.T) {
	config := serving(t)
	var met atomic.Int32
	for name, serve := range map[string]func(net.Conn){
		"the first connection is reset": func(conn net.Conn) {
			if met.Add(1) == 1 {
				certtest.Reset(conn)
				return
			}
			_ = tls.Server(conn, config).Handshake()
		},
		"all connections are reset":   certtest.Reset,
		"an alert that names a cause": middlebox(config, alerts("\x15\x03\x03\x00\x02\x02\x70")),
	} {
		t.Run(name, func(t *testing.T) {
			a := observeServer(t, target.TLS, serve, false)
			if a.Failure == nil || a.Failure.Hello != nil || a.TLS != nil {
				t.Errorf("failure %+v, TLS %+v", a.Failure, a.TLS)
			}
		})
	}
}

// TestLargeClientHelloInAnOutage: hundreds of silent servers are not all asked again. The clock is fake.
func TestLargeClientHelloInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var small atomic.Int32
		silent := func(conn net.Conn) {
			hello := make([]byte, 4096)
			if n, _ := conn.Read(hello); n < 1000 && hello[0] == recordHandshake {
				small.Add(1)
			}
			certtest.Silent(conn)
		}
		var endpoints []target.Endpoint
		for i := range 300 {
			endpoints = append(endpoints, at(t, target.IMAP, "127.0.0.1:1000", timeout(10*time.Second), func(e *target.Endpoint) {
				e.Name, e.Kind = fmt.Sprint(i), target.TLS
			}))
		}
		begin := time.Now()
		for _, e := range New(Options{Now: time.Now, Dialer: pipes{"1000": silent}.dial}).Probe(t.Context(), endpoints) {
			failed(t, one(t, e), observation.PhaseTLS, observation.TimedOut)
		}
		const waves = 300/maxActive + 1 // of checks that have just begun
		if took, most := time.Since(begin), 10*time.Second+waves*moment; took > most {
			t.Errorf("took %s, want at most %s", took, most)
		}
		if n := small.Load(); n == 0 || n > 2*maxFruitlessLooks {
			t.Errorf("%d small ClientHellos", n)
		}
	})
}
