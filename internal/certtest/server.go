package certtest

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"
)

// Serve runs handle for every connection to a new listener on loopback and returns its HOST:PORT. It stops with the test.
// host is an address of loopback: "127.0.0.1", "127.0.0.2", "::1"; a port may follow.
func Serve(t testing.TB, host string, handle func(net.Conn)) string {
	t.Helper()
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "0")
	}
	l, err := net.Listen("tcp", host)
	if err != nil {
		t.Fatalf("listening on %q: %v", host, err)
	}
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			running.Go(func() {
				defer conn.Close() //nolint:errcheck // the test is over
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String()
}

// ServeTLS is Serve over TLS; handle gets the connection after a successful handshake. It may be nil.
func ServeTLS(t testing.TB, host string, config *tls.Config, handle func(*tls.Conn)) string {
	t.Helper()
	return Serve(t, host, func(conn net.Conn) {
		secured := tls.Server(conn, config)
		if err := secured.Handshake(); err != nil {
			return
		}
		defer secured.Close() //nolint:errcheck // the test is over
		if handle != nil {
			handle(secured)
		}
	})
}

// Silent never sends anything.
func Silent(conn net.Conn) { drain(conn) }

// HangUp closes the connection in order after its first read.
func HangUp(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }

// Reset closes the connection by RST after its first read.
func Reset(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 4096))
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// Say answers the first read with fixed bytes, then closes the connection in order.
func Say(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 64<<10))
		_, _ = conn.Write([]byte(answer))
		closeWrite(conn)
		drain(conn)
	}
}

// Trickle sends answer a byte at a time, over and over.
func Trickle(conn net.Conn, answer []byte, pause time.Duration) {
	for i := 0; ; i++ {
		if _, err := conn.Write(answer[i%len(answer) : i%len(answer)+1]); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// Flood sends the same bytes over and over.
func Flood(conn net.Conn, again []byte) {
	for {
		if _, err := conn.Write(again); err != nil {
			return
		}
	}
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

func drain(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
