package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

func TestStaples(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}))
	serve := func(staple []byte) string {
		certificate := leaf.TLS()
		certificate.OCSPStaple = staple
		return certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{certificate}}, nil)
	}
	for name, c := range map[string]struct {
		staple []byte
		status observation.RevocationStatus
	}{
		"revoked": {certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Revoked), observation.Revoked},
		"garbage": {[]byte("no DER"), observation.NoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			a := one(t, observe(t, at(t, target.TLS, serve(c.staple))))
			healthy(t, a)
			if len(a.TLS.Revocation) != 1 {
				t.Fatalf("got %+v", a.TLS.Revocation)
			}
			if r := a.TLS.Revocation[0]; r.Source != observation.Staple || r.Index != 0 || r.Status != c.status {
				t.Errorf("got %+v", r)
			}
		})
	}
	t.Run("off", func(t *testing.T) {
		a := one(t, observe(t, at(t, target.TLS, serve([]byte("x"))), func(o *Options) { o.Revocation = "off" }))
		if len(a.TLS.Revocation) != 0 {
			t.Errorf("got %+v", a.TLS.Revocation)
		}
	})
}

// library serves documents by path over plain HTTP on 127.0.0.1 and counts requests.
type library struct {
	address string
	asked   atomic.Int32
	pages   map[string]http.HandlerFunc
}

func newLibrary(t testing.TB) *library {
	l := &library{pages: map[string]http.HandlerFunc{}}
	l.address = plainWeb(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		l.asked.Add(1)
		for p, page := range l.pages {
			if strings.HasPrefix(r.URL.Path, p) {
				page(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})
	return l
}

func (l *library) url(p string) string { return "http://" + l.address + p }

func (l *library) put(p string, body []byte) {
	l.pages[p] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }
}

func full(o *Options) { o.Revocation = "full" }

func TestCRL(t *testing.T) {
	_, ca := authority(t)
	l := newLibrary(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://x/", l.url("/crl")} }))
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, nil)
	for name, c := range map[string]struct {
		body   []byte
		status observation.RevocationStatus
		detail string
	}{
		"good":       {certtest.CRL(t, ca, nil, big.NewInt(5)), observation.Good, ""},
		"revoked":    {certtest.CRL(t, ca, nil, leaf.Certificate.SerialNumber), observation.Revoked, ""},
		"not a list": {[]byte("hello"), observation.NoAnswer, "reading the CRL"},
		"too large":  {make([]byte, maxCRL+1), observation.NoAnswer, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			l.put("/crl", c.body)
			a := one(t, observe(t, at(t, target.TLS, address), full))
			healthy(t, a)
			if len(a.TLS.Revocation) != 1 {
				t.Fatalf("got %+v", a.TLS.Revocation)
			}
			r := a.TLS.Revocation[0]
			if r.Source != observation.CRL || r.Status != c.status || r.URL != l.url("/crl") || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestCRLOfIntermediate: every certificate but the root is checked, and a list is fetched once for many endpoints.
func TestCRLOfIntermediate(t *testing.T) {
	now := time.Now()
	l := newLibrary(t)
	root := must(t)(pki.Root("Test Root", now))
	ca := must(t)(root.Intermediate("Test CA", now, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{l.url("/root.crl")} }))
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{l.url("/ca.crl")} }))
	l.put("/root.crl", certtest.CRL(t, root, nil, ca.Certificate.SerialNumber))
	l.put("/ca.crl", certtest.CRL(t, ca, nil))
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, nil)
	var endpoints []target.Endpoint
	for range 20 {
		endpoints = append(endpoints, at(t, target.TLS, address, func(e *target.Endpoint) { e.Trust.CAs = [][]byte{root.Certificate.Raw} }))
	}
	p := New(Options{Now: time.Now, Revocation: "full"})
	for range 2 {
		for _, e := range p.Probe(t.Context(), endpoints) {
			r := one(t, e).TLS.Revocation
			if len(r) != 2 || r[0].Index != 0 || r[0].Status != observation.Good || r[1].Index != 1 || r[1].Status != observation.Revoked {
				t.Fatalf("got %+v", r)
			}
		}
	}
	if n := l.asked.Load(); n != 2 {
		t.Errorf("the lists were fetched %d times", n)
	}
	// Without the root nothing is proven.
	r := one(t, observe(t, at(t, target.TLS, address), full)).TLS.Revocation
	if len(r) != 2 || r[1].Status != observation.NoAnswer || !strings.Contains(r[1].Detail, "issuer is unknown") {
		t.Errorf("got %+v", r)
	}
}

func TestOCSP(t *testing.T) {
	now := time.Now()
	_, ca := authority(t)
	l := newLibrary(t)
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.OCSPServer = []string{l.url("/ocsp")} }))
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, nil)
	revokedAnswer := certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Revoked)
	l.pages["/ocsp"] = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			body, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/ocsp/"))
		}
		request, err := ocsp.ParseRequest(body)
		if err != nil || request.SerialNumber.Cmp(leaf.Certificate.SerialNumber) != 0 {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		_, _ = w.Write(revokedAnswer)
	}
	check := func(t *testing.T, want observation.RevocationStatus) {
		t.Helper()
		r := one(t, observe(t, at(t, target.TLS, address), full)).TLS.Revocation
		if len(r) != 1 || r[0].Source != observation.OCSP || r[0].Status != want {
			t.Errorf("got %+v, want %s", r, want)
		}
	}
	t.Run("by POST", func(t *testing.T) { check(t, observation.Revoked) })
	byPost := l.pages["/ocsp"]
	l.pages["/ocsp"] = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Error(w, "no", http.StatusMethodNotAllowed)
			return
		}
		byPost(w, r)
	}
	t.Run("by GET", func(t *testing.T) { check(t, observation.Revoked) })
	l.pages["/ocsp"] = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) }
	t.Run("down", func(t *testing.T) { check(t, observation.NoAnswer) })
}
