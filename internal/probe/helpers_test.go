package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
)

// patient is the timeout of endpoints: longer than a busy machine stalls. Probes that are meant to time out run on pipes,
// where the clock is fake.
const patient = 30 * time.Second

var (
	must      = certtest.Must
	authority = certtest.Authority
)

// serving is a TLS configuration with a healthy chain for site.test and loopback.
func serving(t testing.TB) *tls.Config {
	t.Helper()
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test", "127.0.0.1", "127.0.0.2"}))
	return &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MinVersion: tls.VersionTLS10}
}

// web serves a handler over HTTPS on 127.0.0.1 and returns its HOST:PORT.
func web(t testing.TB, config *tls.Config, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = config
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// at is an endpoint of a kind at HOST:PORT.
func at(t testing.TB, kind target.Kind, address string, change ...func(*target.Endpoint)) target.Endpoint {
	t.Helper()
	host, port, err := netguard.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	e := target.Endpoint{
		Environment: "test", Name: "e", URL: string(kind) + "://" + address + "/", Kind: kind,
		Host: host, Port: int(port), Timeout: patient,
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

// pipes is a network within the process, by HOST:PORT or port alone, for tests with a fake clock (testing/synctest). An
// address without a server accepts connections and never answers.
type pipes map[string]func(net.Conn)

func (p pipes) dial(_ context.Context, _, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	serve := p[address]
	if serve == nil {
		serve = p[port]
	}
	if serve == nil {
		serve = certtest.Silent
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		serve(there)
	}()
	return here, nil
}

func (p pipes) dialing(o *Options) { o.Dialer = p.dial }

// secured makes TLS handshakes and never answers what follows.
func secured(config *tls.Config) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, config)) }
}

// observeServer probes a server at its only address. A probe that waits runs on pipes.
func observeServer(t *testing.T, kind target.Kind, serve func(net.Conn), waits bool, change ...func(*target.Endpoint)) (a observation.Address) {
	t.Helper()
	if !waits {
		return one(t, observe(t, at(t, kind, certtest.Serve(t, "127.0.0.1", serve), change...)))
	}
	synctest.Test(t, func(t *testing.T) {
		a = one(t, observe(t, at(t, kind, "127.0.0.1:1000", change...), pipes{"1000": serve}.dialing))
		time.Sleep(time.Second) // fake time: a server that sleeps wakes up and notices that its connection is closed
	})
	return a
}

func timeout(d time.Duration) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.Timeout = d }
}

func path(p string) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.URL = strings.TrimSuffix(e.URL, "/") + p }
}

// observe probes one endpoint.
func observe(t testing.TB, e target.Endpoint, change ...func(*Options)) observation.Endpoint {
	t.Helper()
	o := Options{Now: time.Now}
	for _, c := range change {
		c(&o)
	}
	return New(o).Probe(t.Context(), []target.Endpoint{e})[0]
}

// one is the only address of an endpoint.
func one(t testing.TB, e observation.Endpoint) observation.Address {
	t.Helper()
	if !e.Probed || len(e.Addresses) != 1 {
		t.Fatalf("want one address probed, got %v %+v (dns %+v)", e.Probed, e.Addresses, e.DNS)
	}
	return e.Addresses[0]
}

// failed checks where and why a probe stopped.
func failed(t testing.TB, a observation.Address, phase observation.Phase, kind observation.FailureKind) {
	t.Helper()
	if a.Failure == nil {
		t.Fatalf("want %s in phase %s, got no failure (%+v)", kind, phase, a.HTTP)
	}
	if a.Failure.Phase != phase || a.Failure.Kind != kind {
		t.Fatalf("want %s in phase %s, got %+v", kind, phase, *a.Failure)
	}
}

func healthy(t testing.TB, a observation.Address) {
	t.Helper()
	if a.Failure != nil {
		t.Fatalf("want no failure, got %+v", *a.Failure)
	}
}

// zone is a resolver with a few fixed names.
type zone map[string][]string

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	texts, ok := z[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var all []netip.Addr
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all, nil
}

func (z zone) LookupCNAME(_ context.Context, host string) (string, error) {
	return "Canonical." + host + ".", nil
}

func resolving(z zone) func(*Options) { return func(o *Options) { o.Resolver = z } }

// verifying accepts every server's chain.
func verifying(o *Options) {
	o.Verified = func(target.Endpoint, []*x509.Certificate, time.Time) bool { return true }
}

// incomplete requests AIA whenever a chain does not contain a root.
func incomplete(o *Options) {
	o.NeedsIssuer = func(_ target.Endpoint, chain []*x509.Certificate, _ time.Time) bool {
		for _, c := range chain {
			if selfSigned(c) {
				return false
			}
		}
		return true
	}
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// idle is the queue of a machine with time.
func idle() time.Duration { return 0 }
