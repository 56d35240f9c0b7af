package probe

import (
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"certdrift/internal/observation"
)

// meter counts the bytes that come over a connection. net/http closes a connection as soon as a write fails; what the
// server said before, such as an alert that tells why, is still to be read then. So Close leaves it open, and end closes.
type meter struct {
	net.Conn
	read atomic.Int64
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

// received is how much came over a connection so far, TLS's own part included; 0 where nobody counts.
func received(conn net.Conn) int64 {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if m, ok := conn.(*meter); ok {
		return m.read.Load()
	}
	return 0
}

// overflowed tells whether net/http gave up an HTTP/2 connection because of the size of the header: it says
// PROTOCOL_ERROR of that and of much else, so the bytes that came since the request decide.
func overflowed(f *observation.Failure, since int64) bool {
	return f.Phase == observation.PhaseHeaders && f.Kind == observation.Invalid &&
		strings.Contains(f.Detail, "PROTOCOL_ERROR") && since > maxHeader/8
}
