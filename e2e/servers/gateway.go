package servers

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// gateway is the proxy that browsers are given instead of DNS and a network: it connects a case's name with the case's server, any loopback
// address with itself, and nothing else. So whatever a browser does by itself ends here.
type gateway struct {
	address string

	mu sync.Mutex
	to map[string]string
}

// newGateway starts one; it ends with the context.
func newGateway(ctx context.Context) (*gateway, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{address: listener.Addr().String(), to: map[string]string{}}
	server := &http.Server{Handler: g, ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return g, nil
}

// route connects an authority (NAME:PORT) with an address from now on.
func (g *gateway) route(authority, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to[authority] = address
}

func (g *gateway) destination(authority string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if address := g.to[authority]; address != "" {
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
		tunnel(w, address)
		return
	}
	(&httputil.ReverseProxy{ErrorLog: silent(), Rewrite: func(p *httputil.ProxyRequest) { p.Out.URL.Host = address }}).ServeHTTP(w, r)
}

// tunnel connects a client with an address. What ends on one side ends on the other.
func tunnel(w http.ResponseWriter, address string) {
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
	both.Go(func() { forward(server, buffered) })
	both.Go(func() { forward(client, server) })
	both.Wait()
}
