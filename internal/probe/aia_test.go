package probe

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// bundle is a degenerate PKCS #7 SignedData.
func bundle(pairs ...*pki.Pair) []byte {
	explicit := asn1.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier([]int{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(explicit, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier([]int{1, 2, 840, 113549, 1, 7, 1}) })
				b.AddASN1(explicit, func(b *cryptobyte.Builder) {
					for _, p := range pairs {
						b.AddBytes(p.Certificate.Raw)
					}
				})
				b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	return b.BytesOrPanic()
}

// TestCertsOnly: a file that `openssl crl2pkcs7 -nocrl` made.
func TestCertsOnly(t *testing.T) {
	data, err := os.ReadFile("testdata/certs-only.p7c")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, cert := range parseIssuers(data).certs {
		names = append(names, cert.Subject.CommonName)
	}
	if strings.Join(names, " ") != "p256 rsa1024" {
		t.Errorf("got %q", names)
	}
}

// FuzzIssuers: reading any document ends, and the result is certificates that were in it.
func FuzzIssuers(f *testing.F) {
	data, err := os.ReadFile("testdata/certs-only.p7c")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(certificateFile(f, "testdata/keys/p256.pem"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, cert := range parseIssuers(body).certs {
			if block, _ := pem.Decode(body); block == nil && !bytes.Contains(body, cert.Raw) {
				t.Errorf("%x is not in there", cert.Raw)
			}
		}
	})
}

func TestAIA(t *testing.T) {
	now := time.Now()
	root, ca := authority(t)
	_, other := authority(t)
	l := newLibrary(t)
	issued := func(urls ...string) *pki.Pair {
		return must(t)(ca.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.IssuingCertificateURL = urls }))
	}
	alone := func(p *pki.Pair) string {
		return certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key}}}, nil)
	}
	l.put("/ca.der", ca.Certificate.Raw)
	l.put("/ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw}))
	l.put("/ca.p7c", bundle(other, ca))
	l.put("/p7.pem", pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle(ca)}))
	l.put("/wrong.p7c", bundle(other, other))
	l.put("/wrong.der", other.Certificate.Raw)
	l.put("/junk", []byte("junk"))
	l.put("/huge", make([]byte, maxIssuer+1))
	l.pages["/moved"] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ca.der", http.StatusFound) }
	l.pages["/astray"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	}
	for name, c := range map[string]struct {
		urls    []string
		found   bool
		failure string
		form    observation.IssuerForm
	}{
		"DER":                  {[]string{l.url("/ca.der")}, true, "", ""},
		"PEM":                  {[]string{l.url("/ca.pem")}, true, "", observation.IssuerPEM},
		"PKCS #7":              {[]string{l.url("/ca.p7c")}, true, "", observation.IssuerPKCS7},
		"PKCS #7 in PEM":       {[]string{l.url("/p7.pem")}, true, "", observation.IssuerPKCS7PEM},
		"others' in PKCS #7":   {[]string{l.url("/wrong.p7c")}, false, "did not issue", ""},
		"moved":                {[]string{l.url("/moved")}, true, "", ""},
		"the second":           {[]string{l.url("/nothing"), l.url("/ca.der")}, true, "status 404", ""},
		"another's":            {[]string{l.url("/wrong.der")}, false, "did not issue", ""},
		"junk":                 {[]string{l.url("/junk")}, false, "not a certificate", ""},
		"huge":                 {[]string{l.url("/huge")}, false, "more than", ""},
		"at metadata":          {[]string{"http://169.254.169.254/ca.der"}, false, "metadata", ""},
		"moved to metadata":    {[]string{l.url("/astray")}, false, "metadata", ""},
		"on another loopback":  {[]string{"http://127.0.0.3:80/ca.der"}, false, "loopback", ""},
		"on a private network": {[]string{"http://10.1.2.3/ca.der"}, false, "private", ""},
		"in decimal":           {[]string{"http://2852039166/ca.der"}, false, "metadata", ""},
		"not over http":        {[]string{"ldap://x/", "https://x/", "file:///etc/passwd"}, false, "", ""},
		"none":                 {nil, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := one(t, observe(t, at(t, target.TLS, alone(issued(c.urls...))), incomplete, resolving(zone{})))
			healthy(t, a)
			var found bool
			var failures string
			var form observation.IssuerForm
			for _, i := range a.TLS.Issuers {
				if string(i.DER) == string(ca.Certificate.Raw) {
					found, form = true, i.Form
				}
				failures += i.Failure
				if i.Blocked != strings.Contains(i.Failure, "is not dialed") {
					t.Errorf("blocked %v: %q", i.Blocked, i.Failure)
				}
				if (i.DER == nil) == (i.Failure == "") {
					t.Errorf("neither found nor failed: %+v", i)
				}
			}
			if found != c.found || !strings.Contains(failures, c.failure) || c.failure == "" && failures != "" {
				t.Errorf("found %v, failures %q", found, failures)
			}
			if form != c.form {
				t.Errorf("its form is %q, not %q", form, c.form)
			}
		})
	}
	t.Run("not asked where the chain is whole", func(t *testing.T) {
		p := issued(l.url("/ca.der"))
		config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{p.Certificate.Raw, ca.Certificate.Raw, root.Certificate.Raw}, PrivateKey: p.Key}}}
		before := l.asked.Load()
		a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil)), incomplete))
		if len(a.TLS.Issuers) != 0 || l.asked.Load() != before {
			t.Errorf("got %+v", a.TLS.Issuers)
		}
	})
	t.Run("another certificate of the issuer that was sent", func(t *testing.T) {
		unknown := must(t)(pki.Root("Unknown Root", now))
		crossed := *ca.Certificate
		der, err := x509.CreateCertificate(rand.Reader, &crossed, unknown.Certificate, ca.Key.Public(), unknown.Key)
		if err != nil {
			t.Fatal(err)
		}
		p := issued(l.url("/ca.der"))
		config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{p.Certificate.Raw, der, unknown.Certificate.Raw}, PrivateKey: p.Key}}}
		untilFound := func(o *Options) {
			o.NeedsIssuer = func(_ target.Endpoint, chain []*x509.Certificate, _ time.Time) bool {
				return indexOf(ca.Certificate, chain) < 0
			}
		}
		a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil)), untilFound))
		if len(a.TLS.Issuers) != 1 || string(a.TLS.Issuers[0].DER) != string(ca.Certificate.Raw) {
			t.Errorf("got %+v", a.TLS.Issuers)
		}
	})
	t.Run("upwards, forever", func(t *testing.T) {
		above, chain := root, []*pki.Pair{}
		for i := range 8 {
			p := "/level" + string(rune('0'+i))
			above = must(t)(above.Intermediate("Level", now, func(c *x509.Certificate) {
				c.Subject.CommonName = p
				c.IssuingCertificateURL = []string{l.url("/level" + string(rune('0'+i-1)))}
			}))
			l.put(p, above.Certificate.Raw)
			chain = append(chain, above)
		}
		last := chain[len(chain)-1]
		leaf := must(t)(last.Leaf(now, []string{"site.test"}, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{l.url("/level7")} }))
		a := one(t, observe(t, at(t, target.TLS, alone(leaf)), incomplete))
		if len(a.TLS.Issuers) != maxIssuers {
			t.Errorf("%d issuers", len(a.TLS.Issuers))
		}
	})
	t.Run("silent", func(t *testing.T) {
		p := issued("http://127.0.0.1:80/")
		config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key}}}
		synctest.Test(t, func(t *testing.T) {
			a := one(t, observe(t, at(t, target.TLS, "127.0.0.1:1000"), incomplete, pipes{"1000": secured(config)}.dialing))
			if len(a.TLS.Issuers) != 1 || a.TLS.Issuers[0].Failure == "" {
				t.Errorf("got %+v", a.TLS.Issuers)
			}
		})
	})
}
