package probe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// behindHeader reads a header of the PROXY protocol in one of some versions and then serves; it ends connections without one,
// or serves them too if end is nil.
func behindHeader(end, serve func(net.Conn), versions ...int) func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReader(conn)
		start, _ := in.Peek(len("PROXY "))
		for _, version := range versions {
			switch {
			case version == 1 && string(start) == "PROXY ":
				line, err := in.ReadString('\n')
				if err != nil || !strings.HasPrefix(line, "PROXY TCP4 127.0.0.1 127.0.0.1 ") && line != "PROXY UNKNOWN\r\n" {
					return
				}
				serve(prefixed{conn, in})
				return
			case version == 2 && string(start) == proxySignature[:len(start)]:
				header := make([]byte, len(proxySignature)+4)
				_, _ = io.ReadFull(in, header)
				length := binary.BigEndian.Uint16(header[14:])
				if header[12] != 0x21 || header[13] != 0x11 || length != 12 {
					return
				}
				_, _ = in.Discard(int(length))
				serve(prefixed{conn, in})
				return
			}
		}
		if end == nil {
			serve(prefixed{conn, in})
			return
		}
		end(conn)
	}
}

func closes(net.Conn) {}

// TestProxyHeaderMissing: a server that expects a header of the PROXY protocol is recognized, and its certificate seen.
func TestProxyHeaderMissing(t *testing.T) {
	config := serving(t)
	page := func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	}
	for name, c := range map[string]struct {
		kind  target.Kind
		serve func(net.Conn)
		want  int
		phase observation.Phase
	}{
		"https, both versions": {target.HTTPS, behindHeader(closes, secured(config), 1, 2), 1, observation.PhaseTLS},
		"tls, version 1":       {target.TLS, behindHeader(resets, secured(config), 1), 1, observation.PhaseTLS},
		"https, version 2":     {target.HTTPS, behindHeader(resets, secured(config), 2), 2, observation.PhaseTLS},
		"smtp":                 {target.SMTP, behindHeader(closes, smtp(secured(config)), 1), 1, observation.PhaseStartTLS},
		"http, version 1":      {target.HTTP, behindHeader(closes, page, 1), 1, observation.PhaseHeaders},
		"http, version 2":      {target.HTTP, behindHeader(resets, page, 2), 2, observation.PhaseHeaders},
		"nobody gets through":  {target.HTTPS, closes, 0, observation.PhaseTLS},
		"nobody, by reset":     {target.HTTPS, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)); resets(conn) }, 0, observation.PhaseTLS},
		"something else":       {target.HTTP, behindHeader(closes, func(conn net.Conn) { _, _ = io.WriteString(conn, "hello") }, 1, 2), 0, observation.PhaseHeaders},
	} {
		t.Run(name, func(t *testing.T) {
			a := observeServer(t, c.kind, c.serve, c.kind == target.SMTP) // it speaks first: the clock is fake
			f := a.Failure
			if f == nil || f.Phase != c.phase || (f.ProxyHeader == nil) != (c.want == 0) {
				t.Fatalf("got %+v", f)
			}
			if c.want > 0 && (f.ProxyHeader.Missing != c.want || f.ProxyHeader.Unexpected) {
				t.Errorf("got %+v", f.ProxyHeader)
			}
			if seen := a.TLS != nil; seen != (c.want > 0 && c.kind.Secured()) || a.HTTP != nil {
				t.Errorf("TLS seen: %v, HTTP: %+v", seen, a.HTTP)
			}
		})
	}
}

// TestProxyHeaderNotMissing: a server that fails now and then, and one that never answers.
func TestProxyHeaderNotMissing(t *testing.T) {
	config := serving(t)
	var connections atomic.Int32
	flaky := func(conn net.Conn) {
		if connections.Add(1) == 1 {
			_, _ = conn.Read(make([]byte, 1))
			return
		}
		behindHeader(nil, secured(config), 1)(conn)
	}
	a := one(t, observe(t, at(t, target.SMTP, certtest.Serve(t, "127.0.0.1", closes))))
	if a.Failure == nil || a.Failure.ProxyHeader != nil {
		t.Errorf("got %+v", a.Failure)
	}
	a = one(t, observe(t, at(t, target.TLS, certtest.Serve(t, "127.0.0.1", flaky))))
	if a.Failure != nil && a.Failure.ProxyHeader != nil {
		t.Errorf("got %+v", a.Failure)
	}
	a = observeServer(t, target.SMTP, certtest.Silent, true)
	if a.Failure == nil || a.Failure.Kind != observation.TimedOut || a.Failure.ProxyHeader != nil {
		t.Errorf("got %+v", a.Failure)
	}
}

// TestProxyHeaderUnexpected: a TLS server takes the header in front of the handshake for plain HTTP.
func TestProxyHeaderUnexpected(t *testing.T) {
	says := func(status, text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nConnection: close\r\n\r\n"+text)
		}
	}
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  *observation.ProxyHeader
	}{
		"as nginx says it":              {says("400 Bad Request", "<center>The plain HTTP request was sent to HTTPS port</center>"), &observation.ProxyHeader{Unexpected: true}},
		"as Go says it":                 {says("400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n"), &observation.ProxyHeader{Unexpected: true}},
		"as Apache says it":             {says("400 Bad Request", "Reason: You're speaking plain HTTP to an SSL-enabled server port."), &observation.ProxyHeader{Unexpected: true}},
		"the same error for everything": {says("400 Bad Request", "<h1>400 Bad Request</h1>"), &observation.ProxyHeader{Suspected: true}},
		"plain HTTP":                    {says("200 OK", "ok"), nil},
		"a page about TLS":              {says("200 OK", "what if a plain HTTP request was sent to HTTPS port?"), nil},
		"404":                           {says("404 Not Found", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := one(t, observe(t, at(t, target.HTTPS, certtest.Serve(t, "127.0.0.1", c.serve)))).Failure
			if f == nil || f.Kind != observation.Plaintext || (f.ProxyHeader == nil) != (c.want == nil) || c.want != nil && *f.ProxyHeader != *c.want {
				t.Errorf("got %+v %+v", f, f.ProxyHeader)
			}
		})
	}
}

// addressed is a connection between two addresses.
type addressed struct {
	net.Conn
	from, to net.Addr
}

func (a addressed) LocalAddr() net.Addr  { return a.from }
func (a addressed) RemoteAddr() net.Addr { return a.to }

// TestProxyHeader: the header's bytes, as the specification has them.
func TestProxyHeader(t *testing.T) {
	tcp := func(text string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct {
		from, to net.Addr
		one, two string
	}{
		{tcp("10.1.2.3:4660"), tcp("10.0.0.1:443"), "PROXY TCP4 10.1.2.3 10.0.0.1 4660 443\r\n", "2111000c0a0102030a000001123401bb"},
		{tcp("[::ffff:10.1.2.3]:4660"), tcp("10.0.0.1:443"), "PROXY TCP4 10.1.2.3 10.0.0.1 4660 443\r\n", "2111000c0a0102030a000001123401bb"},
		{
			tcp("[2001:db8::1]:4660"), tcp("[2001:db8::2]:443"), "PROXY TCP6 2001:db8::1 2001:db8::2 4660 443\r\n",
			"2121002420010db800000000000000000000000120010db8000000000000000000000002123401bb",
		},
		{&net.UnixAddr{Name: "x"}, &net.UnixAddr{Name: "x"}, "PROXY UNKNOWN\r\n", "20000000"},
	} {
		conn := addressed{nil, c.from, c.to}
		if got := proxyHeader(1, conn); string(got) != c.one {
			t.Errorf("got %q", got)
		}
		got := proxyHeader(2, conn)
		if rest, found := bytes.CutPrefix(got, []byte{13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10}); !found || hex.EncodeToString(rest) != c.two {
			t.Errorf("got %x", got)
		}
	}
}

// TestProxyHeaderLooksAreFew: how many connections a server that ends each gets for all of these questions.
func TestProxyHeaderLooksAreFew(t *testing.T) {
	var connections atomic.Int32
	address := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		connections.Add(1)
		_, _ = io.ReadFull(conn, make([]byte, 8))
	})
	a := one(t, observe(t, at(t, target.TLS, address)))
	if n := connections.Load(); a.Failure == nil || n > 12 { // two of them for the header, six for other protocols
		t.Errorf("%d connections: %+v", n, a.Failure)
	}
}
