package servers

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

// gateway is the proxy that browsers are given instead of DNS and a network: it connects a case's name with the case's server, any loopback
// address with itself, and nothing else. So whatever a browser does by itself ends here.
type gateway struct {
	address string

	mu    sync.Mutex
	to    map[string]string
	spoke map[string]bool
}

// newGateway starts one; it ends with the context.
func newGateway(ctx context.Context) (*gateway, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{address: listener.Addr().String(), to: map[string]string{}, spoke: map[string]bool{}}
	server := &http.Server{Handler: g, ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return g, nil
}

// route connects an authority (NAME:PORT) with an address from now on.
func (g *gateway) route(authority, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to[spelled(authority)] = address
	delete(g.spoke, address)
}

// accepted reports whether a browser has sent application data to an address since it was last the end of a route: then its handshake was
// over, whatever became of the page. In TLS 1.3 an alert looks the same, so that it says nothing of a browser that reports an error of TLS.
func (g *gateway) accepted(address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spoke[address]
}

func (g *gateway) sent(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spoke[address] = true
}

// spelled is an authority as every spelling of its name has it: in small letters, without a dot at the end.
func spelled(authority string) string {
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		return authority
	}
	return net.JoinHostPort(strings.TrimSuffix(strings.ToLower(host), "."), port)
}

func (g *gateway) destination(authority string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if address := g.to[spelled(authority)]; address != "" {
		return address
	}
	if host, _, err := net.SplitHostPort(authority); err == nil && net.ParseIP(host).IsLoopback() {
		return authority
	}
	return ""
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	authority := r.Host
	if _, _, err := net.SplitHostPort(authority); err != nil {
		authority = net.JoinHostPort(authority, "80")
	}
	address := g.destination(authority)
	if address == "" {
		http.Error(w, "this gateway leads to the lab's servers only", http.StatusBadGateway)
		return
	}
	if r.Method == http.MethodConnect {
		g.tunnel(w, address)
		return
	}
	(&httputil.ReverseProxy{ErrorLog: silent(), Rewrite: func(p *httputil.ProxyRequest) { p.Out.URL.Host = address }}).ServeHTTP(w, r)
}

// tunnel connects a client with an address. What ends on one side ends on the other.
func (g *gateway) tunnel(w http.ResponseWriter, address string) {
	server, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close() //nolint:errcheck // it is over
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close() //nolint:errcheck // it is over
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	forward := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	}
	both.Go(func() { forward(server, io.TeeReader(buffered, &records{data: func() { g.sent(address) }})) })
	both.Go(func() { forward(client, server) })
	both.Wait()
}

// applicationData is the type of a TLS record.
const applicationData = 23

// records reads the headers of what is written to it as TLS records, and calls data for each with application data.
type records struct {
	data   func()
	header []byte
	rest   int // how much of the current record is to come
}

func (r *records) Write(p []byte) (int, error) {
	for _, b := range p {
		if r.rest > 0 {
			r.rest--
			continue
		}
		if r.header = append(r.header, b); len(r.header) < 5 {
			continue
		}
		if r.header[0] == applicationData {
			r.data()
		}
		r.rest, r.header = int(binary.BigEndian.Uint16(r.header[3:])), r.header[:0]
	}
	return len(p), nil
}
