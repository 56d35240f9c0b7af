package probe

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
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
	"certdrift/internal/probe/revocation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// ocspAnswer makes an OCSP response about a certificate of ca.
func ocspAnswer(t testing.TB, ca *pki.Pair, subject *x509.Certificate, signer *pki.Pair, status int) []byte {
	t.Helper()
	now := time.Now()
	template := ocsp.Response{
		Status: status, SerialNumber: subject.SerialNumber, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour),
		RevokedAt: now.Add(-2 * time.Hour), RevocationReason: ocsp.KeyCompromise, IssuerHash: crypto.SHA1,
	}
	if signer != ca {
		template.Certificate = signer.Certificate
	}
	der, err := ocsp.CreateResponse(ca.Certificate, signer.Certificate, template, signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestStaples(t *testing.T) {
	now := time.Now()
	_, ca := authority(t)
	_, stranger := authority(t)
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}))
	delegate := must(t)(ca.Leaf(now, []string{"ocsp"}, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }))
	plainLeaf := must(t)(ca.Leaf(now, []string{"not a responder"}))
	otherLeaf := must(t)(ca.Leaf(now, []string{"other.test"}))
	for name, c := range map[string]struct {
		staple []byte
		status observation.RevocationStatus
		signed bool
		detail string
	}{
		"good":                   {ocspAnswer(t, ca, leaf.Certificate, ca, ocsp.Good), observation.Good, true, ""},
		"revoked":                {ocspAnswer(t, ca, leaf.Certificate, ca, ocsp.Revoked), observation.Revoked, true, ""},
		"unknown":                {ocspAnswer(t, ca, leaf.Certificate, ca, ocsp.Unknown), observation.Unknown, true, ""},
		"by a delegate":          {ocspAnswer(t, ca, leaf.Certificate, delegate, ocsp.Good), observation.Good, true, ""},
		"forged":                 {ocspAnswer(t, stranger, leaf.Certificate, stranger, ocsp.Good), observation.NoAnswer, false, "not signed by the issuer"},
		"by a stranger":          {ocspAnswer(t, ca, leaf.Certificate, stranger, ocsp.Good), observation.NoAnswer, false, "did not sign"},
		"by any leaf of the CA":  {ocspAnswer(t, ca, leaf.Certificate, plainLeaf, ocsp.Good), observation.NoAnswer, false, "without the purpose"},
		"by the very leaf":       {ocspAnswer(t, ca, leaf.Certificate, leaf, ocsp.Good), observation.NoAnswer, false, "without the purpose"},
		"of another certificate": {ocspAnswer(t, ca, otherLeaf.Certificate, ca, ocsp.Good), observation.NoAnswer, false, "no response matching"},
		"of another issuer":      {ocspAnswer(t, stranger, leaf.Certificate, ca, ocsp.Good), observation.NoAnswer, false, "another issuer's"},
		"garbage":                {[]byte("no DER"), observation.NoAnswer, false, "reading the OCSP response"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := leaf.TLS()
			certificate.OCSPStaple = c.staple
			config := &tls.Config{Certificates: []tls.Certificate{certificate}}
			a := one(t, look(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
			healthy(t, a)
			if len(a.TLS.Revocation) != 1 {
				t.Fatalf("got %+v", a.TLS.Revocation)
			}
			r := a.TLS.Revocation[0]
			if r.Source != observation.Staple || r.Index != 0 || r.Status != c.status || r.Signed != c.signed || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("got %+v", r)
			}
			if r.Status == observation.Revoked && (r.Reason != "keyCompromise" || r.RevokedAt.IsZero()) {
				t.Errorf("got %+v", r)
			}
			if r.Signed && (r.ThisUpdate.IsZero() || r.NextUpdate.IsZero()) {
				t.Errorf("no dates: %+v", r)
			}
		})
	}
	t.Run("off", func(t *testing.T) {
		certificate := leaf.TLS()
		certificate.OCSPStaple = []byte("x")
		config := &tls.Config{Certificates: []tls.Certificate{certificate}}
		a := one(t, look(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil)), func(o *Options) { o.Revocation = "off" }))
		if len(a.TLS.Revocation) != 0 {
			t.Errorf("got %+v", a.TLS.Revocation)
		}
	})
}

// TestResponderCertificates: which of the certificates in a response signed it, and until when clients believe it.
func TestResponderCertificates(t *testing.T) {
	now := time.Now()
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(now, []string{"site.test"})).Certificate
	signing := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }
	delegate := must(t)(ca.Leaf(now, []string{"ocsp"}, signing))
	other := must(t)(ca.Leaf(now, []string{"other"})).Certificate
	ending := must(t)(ca.Leaf(now, []string{"ocsp"}, signing, pki.Valid(now.Add(-2*time.Hour), now.Add(10*time.Minute))))
	byDelegate, byCA := ocspAnswer(t, ca, leaf, delegate, ocsp.Good), ocspAnswer(t, ca, leaf, ca, ocsp.Good)
	for name, c := range map[string]struct {
		der  []byte
		want observation.RevocationStatus
	}{
		"the signer first":     {carrying(t, byDelegate, delegate.Certificate, ca.Certificate), observation.Good},
		"the signer last":      {carrying(t, byDelegate, ca.Certificate, other, delegate.Certificate), observation.Good},
		"the signer not there": {carrying(t, byDelegate, ca.Certificate, other), observation.NoAnswer},
		"none of a delegate":   {carrying(t, byDelegate), observation.NoAnswer},
		"by the CA, beside":    {carrying(t, byCA, other), observation.Good},
		"by the CA, its own":   {carrying(t, byCA, ca.Certificate), observation.Good},
	} {
		if r := revocation.ReadOCSP(c.der, leaf, ca.Certificate); r.Status != c.want {
			t.Errorf("%s: got %+v, want %s", name, r, c.want)
		}
	}
	r := revocation.ReadOCSP(ocspAnswer(t, ca, leaf, ending, ocsp.Good), leaf, ca.Certificate)
	if r.Status != observation.Good || !r.NextUpdate.Equal(ending.Certificate.NotAfter) {
		t.Errorf("by a delegate that ends before its response: %+v", r)
	}
}

// carrying puts other certificates into an OCSP response, in DER by hand.
func carrying(t testing.TB, der []byte, certificates ...*x509.Certificate) []byte {
	t.Helper()
	var message struct {
		Status   asn1.Enumerated
		Response struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0"`
	}
	var basic struct {
		Data, Algorithm asn1.RawValue
		Signature       asn1.BitString
		Certificates    []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := asn1.Unmarshal(der, &message)
	check(err)
	_, err = asn1.Unmarshal(message.Response.Basic, &basic)
	check(err)
	basic.Certificates = nil
	for _, c := range certificates {
		basic.Certificates = append(basic.Certificates, asn1.RawValue{FullBytes: c.Raw})
	}
	message.Response.Basic, err = asn1.Marshal(basic)
	check(err)
	out, err := asn1.Marshal(message)
	check(err)
	return out
}

// library serves documents by path over plain HTTP on 127.0.0.1 and counts what is asked.
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

func crlOf(t testing.TB, ca *pki.Pair, change func(*x509.RevocationList), serials ...*big.Int) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: s, RevocationTime: time.Now().Add(-time.Hour), ReasonCode: 4,
		})
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.Certificate, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// scopeExtension is an issuing distribution point with a URI.
func scopeExtension(t testing.TB, uri string) pkix.Extension {
	t.Helper()
	type point struct {
		FullName []asn1.RawValue `asn1:"optional,tag:0"`
	}
	type scope struct {
		Point point `asn1:"optional,tag:0"`
	}
	der, err := asn1.Marshal(scope{point{[]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(uri)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: der}
}

// scoped gives a list an issuing distribution point of one field.
func scoped(field ...byte) func(*x509.RevocationList) {
	return func(r *x509.RevocationList) {
		value := append([]byte{0x30, byte(len(field))}, field...)
		r.ExtraExtensions = append(r.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value})
	}
}

// entryOfCA names the CA that an entry of an indirect list is of (RFC 5280 §5.3.3).
func entryOfCA(r *x509.RevocationList, i int, ca *pki.Pair) {
	name := ca.Certificate.RawSubject
	value := append([]byte{0x30, byte(len(name) + 2), 0xa4, byte(len(name))}, name...)
	r.RevokedCertificateEntries[i].ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: value}}
}

func full(o *Options) { o.Revocation = "full" }

func TestCRL(t *testing.T) {
	now := time.Now()
	root, ca := authority(t)
	_, stranger := authority(t)
	l := newLibrary(t)
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://x/", l.url("/crl")} }))
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, nil)
	serial := leaf.Certificate.SerialNumber
	for name, c := range map[string]struct {
		body   []byte
		status observation.RevocationStatus
		detail string
	}{
		"good":         {crlOf(t, ca, nil, big.NewInt(5)), observation.Good, ""},
		"revoked":      {crlOf(t, ca, nil, big.NewInt(5), serial), observation.Revoked, ""},
		"revoked, PEM": {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crlOf(t, ca, nil, serial)}), observation.Revoked, ""},
		"its own part": {crlOf(t, ca, func(r *x509.RevocationList) { r.ExtraExtensions = []pkix.Extension{scopeExtension(t, l.url("/crl"))} }), observation.Good, ""},
		"another part": {crlOf(t, ca, func(r *x509.RevocationList) { r.ExtraExtensions = []pkix.Extension{scopeExtension(t, l.url("/crl/2"))} }), observation.NoAnswer, "another distribution point"},
		"another's":    {crlOf(t, root, nil, serial), observation.NoAnswer, "another issuer's"},
		"forged":       {crlOf(t, stranger, nil, serial), observation.NoAnswer, "not signed by the issuer"},
		"not a list":   {[]byte("hello"), observation.NoAnswer, "reading the CRL"},
		"too large":    {make([]byte, maxCRL+1), observation.NoAnswer, "more than"},
		"a delta": {crlOf(t, ca, func(r *x509.RevocationList) {
			r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
		}), observation.NoAnswer, "delta"},
		"some reasons, and it is named": {crlOf(t, ca, scoped(0x83, 2, 6, 0x08), serial), observation.Revoked, ""},
		"some reasons, and it is not":   {crlOf(t, ca, scoped(0x83, 2, 6, 0x08)), observation.NoAnswer, "some reasons only"},
		"attribute certificates":        {crlOf(t, ca, scoped(0x85, 1, 0xff), serial), observation.NoAnswer, "attribute certificates"},
		"indirect, its own":             {crlOf(t, ca, scoped(0x84, 1, 0xff), big.NewInt(5), serial), observation.Revoked, ""},
		"indirect, another CA's": {crlOf(t, ca, func(r *x509.RevocationList) {
			scoped(0x84, 1, 0xff)(r)
			entryOfCA(r, 0, root) // and with it what follows
		}, big.NewInt(5), serial), observation.Good, ""},
		"indirect, another CA's and its own": {crlOf(t, ca, func(r *x509.RevocationList) {
			scoped(0x84, 1, 0xff)(r)
			entryOfCA(r, 0, root)
			entryOfCA(r, 1, ca)
		}, big.NewInt(5), serial), observation.Revoked, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l.put("/crl", c.body)
			a := one(t, look(t, at(t, target.TLS, address), full))
			healthy(t, a)
			if len(a.TLS.Revocation) != 1 {
				t.Fatalf("got %+v", a.TLS.Revocation)
			}
			r := a.TLS.Revocation[0]
			if r.Source != observation.CRL || r.Status != c.status || r.URL != l.url("/crl") || !strings.Contains(r.Detail, c.detail) || r.Signed != (c.status != observation.NoAnswer) {
				t.Errorf("got %+v", r)
			}
			if r.Status == observation.Revoked && (r.Reason != "superseded" || r.RevokedAt.IsZero()) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestCRLOfIntermediate: every certificate but the root is asked after, and a list is fetched once for many endpoints.
func TestCRLOfIntermediate(t *testing.T) {
	now := time.Now()
	l := newLibrary(t)
	root := must(t)(pki.Root("Test Root", now))
	ca := must(t)(root.Intermediate("Test CA", now, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{l.url("/root.crl")} }))
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{l.url("/ca.crl")} }))
	l.put("/root.crl", crlOf(t, root, nil, ca.Certificate.SerialNumber))
	l.put("/ca.crl", crlOf(t, ca, nil))
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
	// Without the root at hand nothing is proved.
	r := one(t, look(t, at(t, target.TLS, address), full)).TLS.Revocation
	if len(r) != 2 || r[1].Status != observation.NoAnswer || !strings.Contains(r[1].Detail, "issuer is not known") {
		t.Errorf("got %+v", r)
	}
}

func TestOCSP(t *testing.T) {
	now := time.Now()
	_, ca := authority(t)
	l := newLibrary(t)
	leaf := must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.OCSPServer = []string{l.url("/ocsp")} }))
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, nil)
	revokedAnswer := ocspAnswer(t, ca, leaf.Certificate, ca, ocsp.Revoked)
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
		r := one(t, look(t, at(t, target.TLS, address), full)).TLS.Revocation
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
