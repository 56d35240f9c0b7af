package probe

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"certdrift/internal/observation"
)

// meter counts the bytes that come over a connection. net/http closes a connection as soon as a write fails; what the
// server said before, such as an alert that tells why, is still to be read then. So Close leaves it open, and end closes.
type meter struct {
	net.Conn
	read  atomic.Int64
	reset atomic.Bool
}

// Close implements net.Conn. A new deadline makes the connection usable again.
func (m *meter) Close() error { return m.SetDeadline(time.Unix(1, 0)) }

// end closes the connection.
func (m *meter) end() { _ = m.Conn.Close() }

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.read.Add(int64(n))
	return n, err
}

// Write implements net.Conn. The system tells of a reset once: where it tells a write, a read sees an orderly end.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) {
		m.reset.Store(true)
	}
	return n, err
}

// metered finds the meter of a connection, behind TLS too; nil where there is none.
func metered(conn net.Conn) *meter {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	m, _ := conn.(*meter)
	return m
}

// received is how much came over a connection so far, TLS's own part included; 0 where nobody counts.
func received(conn net.Conn) int64 {
	if m := metered(conn); m != nil {
		return m.read.Load()
	}
	return 0
}

// overflowed tells whether net/http gave up an HTTP/2 connection because of the size of the header: it says
// PROTOCOL_ERROR of that, or COMPRESSION_ERROR where one value alone is too long, and both of much else, so the bytes
// that came since the request decide.
func overflowed(f *observation.Failure, since int64) bool {
	return f.Phase == observation.PhaseHeaders && f.Kind == observation.Invalid && since > maxHeader/8 &&
		(strings.Contains(f.Detail, "PROTOCOL_ERROR") || strings.Contains(f.Detail, "COMPRESSION_ERROR"))
}
