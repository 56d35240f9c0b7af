package probe

import (
	"net"
	"sync"
)

// delayedConn delays reading until the first write. net/http would treat data received before the request as an unsolicited
// response on an idle connection and write it to the process's log.
type delayedConn struct {
	net.Conn
	once  sync.Once
	asked chan struct{}
	heard *opening
}

func newDelayedConn(conn net.Conn, heard *opening) *delayedConn {
	return &delayedConn{Conn: conn, asked: make(chan struct{}), heard: heard}
}

// Read implements net.Conn; it waits for the first Write.
func (g *delayedConn) Read(p []byte) (int, error) {
	<-g.asked
	n, err := g.Conn.Read(p)
	g.heard.add(p[:max(n, 0)])
	return n, err
}

// Write implements net.Conn.
func (g *delayedConn) Write(p []byte) (int, error) {
	g.open()
	return g.Conn.Write(p)
}

// Close implements net.Conn.
func (g *delayedConn) Close() error {
	g.open()
	return g.Conn.Close()
}

func (g *delayedConn) open() { g.once.Do(func() { close(g.asked) }) }
