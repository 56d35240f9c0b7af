package probe

import (
	"net"
	"sync"
)

// gate holds back what a server says before it was asked. net/http takes that for an answer on an idle connection, and
// writes the server's words into the process's log.
type gate struct {
	net.Conn
	once  sync.Once
	asked chan struct{}
}

func newGate(conn net.Conn) *gate { return &gate{Conn: conn, asked: make(chan struct{})} }

// Read implements net.Conn; it waits for the first Write.
func (g *gate) Read(p []byte) (int, error) {
	<-g.asked
	return g.Conn.Read(p)
}

// Write implements net.Conn.
func (g *gate) Write(p []byte) (int, error) {
	g.open()
	return g.Conn.Write(p)
}

// Close implements net.Conn.
func (g *gate) Close() error {
	g.open()
	return g.Conn.Close()
}

func (g *gate) open() { g.once.Do(func() { close(g.asked) }) }
