package probe

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"certdrift/internal/observation"
)

const (
	// maxUnaccounted bounds in bytes what may come over a connection beside the answer: frames of HTTP/2 that carry
	// nothing, and what TLS adds to small pieces. Reading a flood of them until the time is over would take a processor
	// for itself, and with it the other endpoints' time. Pages of 80 kB that come byte by byte are below it.
	maxUnaccounted = 2 << 20
	// wireShare is how many bytes may come besides for each one of the body.
	wireShare = 4
)

// errFlood ends a connection over which much comes and little of it is an answer.
var errFlood = fmt.Errorf("more than %d bytes came that carry no answer", maxUnaccounted)

// countingConn counts and bounds the bytes received over a connection. net/http closes a connection as soon as a write fails; what the
// server said before, such as an alert that tells why, is still to be read then. So Close leaves it open, and end closes.
type countingConn struct {
	net.Conn
	read  atomic.Int64
	most  atomic.Int64 // of read; 0 for no bound
	reset atomic.Bool
}

// Close implements net.Conn. A new deadline makes the connection usable again.
func (m *countingConn) Close() error { return m.SetDeadline(time.Unix(1, 0)) }

// end closes the connection.
func (m *countingConn) end() { _ = m.Conn.Close() }

// Read implements net.Conn.
func (m *countingConn) Read(p []byte) (int, error) {
	if most := m.most.Load(); most > 0 && m.read.Load() > most {
		return 0, errFlood
	}
	n, err := m.Conn.Read(p)
	m.read.Add(int64(n))
	return n, err
}

// Write implements net.Conn. The system tells of a reset once: where it tells a write, a read sees an orderly end.
func (m *countingConn) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) {
		m.reset.Store(true)
	}
	return n, err
}

// await bounds what comes until the header is there.
func (m *countingConn) await() { m.most.Store(m.read.Load() + maxHeader + maxUnaccounted) }

// account returns what tells the countingConn of the body's growth, so that more may come for it.
func (m *countingConn) account() func(body int64) {
	begin := m.read.Load()
	grown := func(body int64) { m.most.Store(begin + wireShare*body + maxUnaccounted) }
	grown(0)
	return grown
}

// metered finds the countingConn of a connection, behind TLS too; nil where there is none.
func metered(conn net.Conn) *countingConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	m, _ := conn.(*countingConn)
	return m
}

// received is how much came over a connection so far, TLS's own part included; 0 where nobody counts.
func received(conn net.Conn) int64 {
	if m := metered(conn); m != nil {
		return m.read.Load()
	}
	return 0
}

// overflowed reports whether net/http gave up an HTTP/2 connection because of the size of the header: it says
// PROTOCOL_ERROR of that, or COMPRESSION_ERROR where one value alone is too long, and both of much else, so the bytes
// that came since the request decide.
func overflowed(f *observation.Failure, since int64) bool {
	return f.Phase == observation.PhaseHeaders && f.Kind == observation.Invalid && since > maxHeader/8 &&
		(strings.Contains(f.Detail, "PROTOCOL_ERROR") || strings.Contains(f.Detail, "COMPRESSION_ERROR"))
}
