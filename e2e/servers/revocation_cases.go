package servers

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// staple is an OCSP response about a leaf of the lab's intermediate.
func (l *Lab) staple(p *pki.Pair, status int, updated time.Duration, next time.Duration) []byte {
	return must(ocsp.CreateResponse(l.Sub.Certificate, l.Sub.Certificate, ocsp.Response{
		Status: status, SerialNumber: p.Certificate.SerialNumber, RevokedAt: l.Now.Add(-2 * day), RevocationReason: ocsp.KeyCompromise,
		ThisUpdate: l.Now.Add(updated), NextUpdate: l.Now.Add(next),
	}, l.Sub.Key))
}

func (l *Lab) stapled(p *pki.Pair, staple []byte) Target {
	pair := p.TLS()
	pair.OCSPStaple = staple
	return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{pair}}, ok())) // a server's defaults
}

// list is a CRL of the lab's intermediate.
func (l *Lab) list(issuer *pki.Pair, next time.Time, revoked ...*big.Int) []byte {
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: l.Now.Add(-3 * day), NextUpdate: next}
	for _, serial := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: l.Now.Add(-2 * day), ReasonCode: 1,
		})
	}
	return must(x509.CreateRevocationList(rand.Reader, template, issuer.Certificate, issuer.Key))
}

func mustStaple(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})
}

func revocation() []Case {
	stapled := func(name string, want []finding.Code, status int, updated, next time.Duration) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			p := l.leaf()
			return l.stapled(p, l.staple(p, status, updated, next))
		}}
	}
	listed := func(name string, want []finding.Code, policy string, body func(l *Lab, serial *big.Int) []byte) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			serial := big.NewInt(4711)
			content := body(l, serial)
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if content == nil {
					w.WriteHeader(500)
					return
				}
				_, _ = w.Write(content)
			}))
			t := l.serve(l.leaf(func(c *x509.Certificate) {
				c.SerialNumber, c.CRLDistributionPoints = serial, []string{"http://" + from + "/sub.crl"}
			}))
			t.Policy = policy
			return t
		}}
	}
	revoked := stapled("a staple that says revoked", codes(finding.CertRevoked), ocsp.Revoked, -day, day)
	byList := listed("revoked by the CRL", codes(finding.CertRevoked), "revocation: full", func(l *Lab, serial *big.Int) []byte {
		return l.list(l.Sub, l.Now.Add(day), big.NewInt(1), serial)
	})
	demanded := leafCase("must-staple without a staple", codes(finding.CertStapleBad), func(time.Time) []pki.Option { return []pki.Option{mustStaple} })
	return []Case{
		stapled("a good staple", nil, ocsp.Good, -day, day),
		revoked,
		stapled("a stale staple that says revoked", codes(finding.CertRevoked), ocsp.Revoked, -9*day, -2*day),
		stapled("a stale staple", codes(finding.CertStapleBad), ocsp.Good, -9*day, -2*day),
		stapled("a staple from the future", codes(finding.CertStapleBad), ocsp.Good, day, 2*day),
		stapled("a staple that does not know", codes(finding.CertStapleBad), ocsp.Unknown, -day, day),
		demanded,
		{Name: "must-staple with its staple", serve: func(l *Lab) Target {
			p := l.leaf(mustStaple)
			return l.stapled(p, l.staple(p, ocsp.Good, -day, day))
		}},
		{Name: "must-staple with its staple, and a client certificate is demanded", Want: codes(finding.TLSClientCertificateRequired), serve: func(l *Lab) Target {
			p := l.leaf(mustStaple)
			pair := p.TLS()
			pair.OCSPStaple = l.staple(p, ocsp.Good, -day, day)
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}, ok()))
		}},
		{Name: "a staple that is none", Want: codes(finding.CertStapleBad), serve: func(l *Lab) Target { return l.stapled(l.leaf(), []byte("none")) }},
		{Name: "a staple about another certificate", Want: codes(finding.CertStapleBad), serve: func(l *Lab) Target {
			return l.stapled(l.leaf(), l.staple(l.leaf(), ocsp.Good, -day, day))
		}},
		{Name: "a staple about another CA's certificate of the same number", Want: codes(finding.CertStapleBad), serve: func(l *Lab) Target {
			p := l.leaf()
			return l.stapled(p, must(ocsp.CreateResponse(l.Root.Certificate, l.Sub.Certificate, ocsp.Response{
				Status: ocsp.Good, SerialNumber: p.Certificate.SerialNumber, ThisUpdate: l.Now.Add(-day), NextUpdate: l.Now.Add(day),
			}, l.Sub.Key)))
		}},
		{Name: "revoked by the staple, but nobody is to ask", serve: func(l *Lab) Target {
			p := l.leaf()
			t := l.stapled(p, l.staple(p, ocsp.Revoked, -day, day))
			t.Policy = "revocation: off"
			return t
		}},
		byList,
		listed("revoked by the CRL, but only staples count", nil, "revocation: staple", func(l *Lab, serial *big.Int) []byte { return l.list(l.Sub, l.Now.Add(day), serial) }),
		listed("not on the CRL", nil, "revocation: full", func(l *Lab, _ *big.Int) []byte { return l.list(l.Sub, l.Now.Add(day), big.NewInt(1)) }),
		listed("revoked by a stale CRL", codes(finding.CertRevoked), "revocation: full", func(l *Lab, serial *big.Int) []byte { return l.list(l.Sub, l.Now.Add(-day), serial) }),
		listed("a CRL of another signer", nil, "revocation: full", func(l *Lab, serial *big.Int) []byte { return l.list(l.Root, l.Now.Add(day), serial) }),
		listed("a CRL that is not available", nil, "revocation: full", func(*Lab, *big.Int) []byte { return nil }),
		{Name: "the intermediate is revoked by the root's CRL", Want: codes(finding.CertRevoked), serve: func(l *Lab) Target {
			serial := big.NewInt(815)
			list := l.list(l.Root, l.Now.Add(day), serial)
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
			sub := ca(l, "Revoked CA", func(c *x509.Certificate) {
				c.SerialNumber, c.CRLDistributionPoints = serial, []string{"http://" + from + "/root.crl"}
			})
			t := l.serve(must(sub.Leaf(l.Now, []string{Host})))
			t.Policy = "revocation: full"
			return t
		}},
	}
}
