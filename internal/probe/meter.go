package probe

import (
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"

	"certdrift/internal/observation"
)

// meter counts the bytes that come over a connection.
type meter struct {
	net.Conn
	read atomic.Int64
}

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
