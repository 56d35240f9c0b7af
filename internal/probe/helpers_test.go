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
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// short is the timeout of endpoints that are meant to run into it; patient that of all others, and what bounds a test of
// what would else never end: a machine that stands still for seconds is no slow server.
const short, patient = 400 * time.Millisecond, 30 * time.Second

// must hands a pair on, or ends the test.
func must(t testing.TB) func(*pki.Pair, error) *pki.Pair {
	t.Helper()
	return func(p *pki.Pair, err error) *pki.Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// authority is a root and an intermediate under it.
func authority(t testing.TB) (root, intermediate *pki.Pair) {
	t.Helper()
	root = must(t)(pki.Root("Test Root", time.Now()))
	return root, must(t)(root.Intermediate("Test CA", time.Now()))
}

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

func timeout(d time.Duration) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.Timeout = d }
}

func path(p string) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.URL = strings.TrimSuffix(e.URL, "/") + p }
}

// look probes one endpoint.
func look(t testing.TB, e target.Endpoint, change ...func(*Options)) observation.Endpoint {
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

// zone is a resolver that knows a few names and asks nobody.
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

// verifying takes every server for whom it says it is.
func verifying(o *Options) {
	o.Verified = func(target.Endpoint, []*x509.Certificate, time.Time) bool { return true }
}

// incomplete asks for AIA whenever a chain does not hold a root.
func incomplete(o *Options) {
	o.NeedsIssuer = func(_ target.Endpoint, chain []*x509.Certificate) bool {
		for _, c := range chain {
			if selfSigned(c) {
				return false
			}
		}
		return true
	}
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
