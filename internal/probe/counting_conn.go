package probe

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"certdrift/internal/observation"
)

const (
	// maxUnaccounted bounds in bytes what a connection may receive besides the response: HTTP/2 frames without content,
	// and TLS overhead on small records. Reading a flood of them until the timeout would occupy a processor and delay the
	// other endpoints. A page of 80 kB sent byte by byte stays below it.
	maxUnaccounted = 2 << 20
	// wireShare is how many bytes in all a connection may receive for each byte of the body.
	wireShare = 4
)

// errFlood ends a connection that receives much data of which little is a response.
var errFlood = fmt.Errorf("more than %d bytes were received that are not part of the response", maxUnaccounted)

// countingConn counts and bounds the bytes received over a connection. net/http closes a connection
// as soon as a write fails, but what the server sent before, such as an alert with the reason, must still be read. So Close
// leaves it open, and end closes it.
type countingConn struct {
	net.Conn
	read  atomic.Int64
	most  atomic.Int64 // of read; 0 for no bound
	first atomic.Int64 // the size of the first write since it was last 0: in a TLS handshake, the ClientHello
	reset atomic.Bool
	heard opening
}

// maxHeard bounds what is kept of what a connection receives first.
const maxHeard = 512

// opening is what a connection received first since it was last taken.
type opening struct {
	mu   sync.Mutex
	kept []byte
}

func (o *opening) add(received []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, received[:min(len(received), maxHeard-len(o.kept))]...)
}

func (o *opening) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.kept
	o.kept = nil
	return kept
}

// Close implements net.Conn. A new deadline makes the connection usable again.
func (c *countingConn) Close() error { return c.SetDeadline(time.Unix(1, 0)) }

// end closes the connection.
func (c *countingConn) end() { _ = c.Conn.Close() }

// Read implements net.Conn.
func (c *countingConn) Read(p []byte) (int, error) {
	if most := c.most.Load(); most > 0 && c.read.Load() > most {
		return 0, errFlood
	}
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	c.heard.add(p[:max(n, 0)])
	return n, err
}

// Write implements net.Conn. The system reports a reset once: if a write gets it, a read sees an orderly end.
func (c *countingConn) Write(p []byte) (int, error) {
	c.first.CompareAndSwap(0, int64(len(p)))
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) {
		c.reset.Store(true)
	}
	return n, err
}

// await bounds what may be received before the header is complete.
func (c *countingConn) await() { c.most.Store(c.read.Load() + maxHeader + maxUnaccounted) }

// account returns a function to call with the body's size so far, which raises the bound accordingly.
func (c *countingConn) account() func(body int64) {
	begin := c.read.Load()
	grown := func(body int64) { c.most.Store(begin + wireShare*body + maxUnaccounted) }
	grown(0)
	return grown
}

// counting returns the countingConn under a connection, also below TLS; nil if there is none.
func counting(conn net.Conn) *countingConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	c, _ := conn.(*countingConn)
	return c
}

// received returns how many bytes a connection has received so far, including TLS overhead; 0 if it is not counted.
func received(conn net.Conn) int64 {
	if c := counting(conn); c != nil {
		return c.read.Load()
	}
	return 0
}

// overflowed reports whether net/http gave up an HTTP/2 connection because of the size of the header. It reports
// PROTOCOL_ERROR for that, or COMPRESSION_ERROR if a single value is too long, but also for other errors, so the number of
// bytes received since the request decides.
func overflowed(f *observation.Failure, since int64) bool {
	return f.Phase == observation.PhaseHeaders && f.Kind == observation.Invalid && since > maxHeader/8 &&
		(strings.Contains(f.Detail, "PROTOCOL_ERROR") || strings.Contains(f.Detail, "COMPRESSION_ERROR"))
}
