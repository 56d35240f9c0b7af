package judge

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertMalformed(t *testing.T) {
	failure := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "x509: malformed \x1b tbs certificate"}
	says(t, server{failure: failure}.expect(t, critical(finding.CertMalformed)), "malformed")

	srv := newShop(t).serve(t)
	srv.chain = append(srv.chain, []byte("no certificate"))
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 3 of the 3 that the server sends")
	srv.chain = [][]byte{[]byte("no leaf"), srv.chain[1]} // what follows a broken leaf says nothing about the server
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 1 of the 2 that")
	srv.chain = srv.chain[:1]
	says(t, srv.expect(t, critical(finding.CertMalformed)), "the only certificate that the server sends cannot be parsed")
}

// TestCertMalformedBesideOtherFaults: where the probe could show the chain, what can be read of it is judged. The issuer
// that cannot be read is not called missing.
func TestCertMalformedBesideOtherFaults(t *testing.T) {
	failure := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "tls: failed to parse certificate from server: x509: malformed certificate"}
	srv := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	srv.failure = failure
	srv.chain[1] = srv.chain[1][:200]
	says(t, srv.expect(t, critical(finding.CertExpired), critical(finding.CertMalformed))[1:], "certificate 2 of the 2")

	srv = newShop(t).serve(t)
	srv.failure = failure
	srv.chain = append(srv.chain, []byte("no certificate"))
	srv.expect(t, critical(finding.CertMalformed))

	srv = server{failure: failure}
	if fs := srv.expect(t, critical(finding.CertMalformed)); strings.Contains(fs[0].Summary, "tls: failed") {
		t.Errorf("%q", fs[0].Summary)
	}
}

// TestCertMalformedSerial: a negative serial number is refused by Go's clients alone, wherever it is sent.
func TestCertMalformedSerial(t *testing.T) {
	s := newShop(t)
	for name, serial := range map[string][]byte{"one byte": {0x80}, "many": {0xff, 0x7f, 1, 2, 3, 4, 5, 6, 7}} {
		srv := s.serve(t)
		srv.chain[0] = certtest.Renumber(t, srv.chain[0], s.inter.Key, serial...)
		says(t, srv.expect(t, warning(finding.CertMalformed)), `the serial number of the certificate "api.example.org" is negative. Refused by: Go. `)
		srv = s.serve(t)
		srv.chain[1] = certtest.Renumber(t, srv.chain[1], s.root.Key, serial...)
		says(t, srv.expect(t, warning(finding.CertMalformed)), `the serial number of the issuer "Test Intermediate" is negative`)
		if t.Failed() {
			t.Log(name)
		}
	}
	for _, serial := range [][]byte{{0}, {0x7f}, {0, 0x80}} {
		srv := s.serve(t)
		srv.chain[0] = certtest.Renumber(t, srv.chain[0], s.inter.Key, serial...)
		srv.expect(t)
	}
	expired := s.serve(t, lasting(90*dayLong, -dayLong))
	expired.chain[0] = certtest.Renumber(t, expired.chain[0], s.inter.Key, 0x80)
	expired.expect(t, critical(finding.CertExpired), warning(finding.CertMalformed))
}

// TestCertMalformedDates: crypto/x509 reads dates that RFC 5280 does not allow and OpenSSL refuses ("format error in
// certificate's notBefore field").
func TestCertMalformedDates(t *testing.T) {
	s := newShop(t)
	start := certNow.Add(-30 * dayLong)
	for _, test := range []struct {
		date string
		bad  bool
	}{
		{start.Format("060102150405Z"), false}, {start.Format("0601021504Z"), true}, {start.Format("060102150405+0100"), true},
	} {
		srv := s.serve(t)
		srv.chain[0] = certtest.Redate(t, srv.chain[0], s.inter.Key, test.date)
		if !test.bad {
			srv.expect(t)
			continue
		}
		says(t, srv.expect(t, critical(finding.CertMalformed)), `a date of the certificate "api.example.org" is encoded as "`+test.date)
	}
	srv := s.serve(t)
	srv.chain[1] = certtest.Redate(t, srv.chain[1], s.root.Key, start.Format("0601021504Z"))
	says(t, srv.expect(t, critical(finding.CertMalformed)), `a date of the issuer "Test Intermediate"`)
}

// TestCertMalformedForStrictClients: each breach of RFC 5280 that OpenSSL's strict mode, Python's default since 3.13, refuses, beside
// what it accepts.
func TestCertMalformedForStrictClients(t *testing.T) {
	constraints := func(critical bool, value ...byte) pki.Option {
		return extension(critical, append([]byte{0x30, byte(len(value))}, value...), 2, 5, 29, 19)
	}
	isCA, length := []byte{1, 1, 0xff}, []byte{2, 1, 3}
	unnamed := func(critical bool) pki.Option {
		return func(c *x509.Certificate) {
			c.Subject, c.DNSNames = pkix.Name{}, nil
			extension(critical, append([]byte{0x30, 2 + byte(len(certHost)), 0x82, byte(len(certHost))}, certHost...), 2, 5, 29, 17)(c)
		}
	}
	const python, others = "Refused by: Python 3.13 and later. ", "Refused by: Chromium, Python 3.13 and later, Java. "
	for _, test := range []struct {
		name         string
		inter, leaf  pki.Option
		says, refuse string
	}{
		{"constraints not critical", constraints(false, isCA...), nil, "its basic constraints are not critical", python},
		{"constraints critical", constraints(true, isCA...), nil, "", ""},
		{"a path length", constraints(true, append(isCA, length...)...), nil, "", ""},
		{"no key usage", keyUsage(0), nil, "it has no key usage", python},
		{"constraints not critical and no key usage", func(c *x509.Certificate) { keyUsage(0)(c); constraints(false, isCA...)(c) }, nil,
			"its basic constraints are not critical (§4.2.1.9); it has no key usage (§4.2.1.3)", python},
		{"a leaf that signs", nil, keyUsage(x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign), "keyCertSign and it is no CA", python},
		{"a leaf without a subject", nil, unnamed(false), "its subject is empty, and its subject alternative names are not critical", others},
		{"a leaf without a subject, its names critical", nil, unnamed(true), "", ""},
		{"a leaf without a subject that signs CRLs", nil, func(c *x509.Certificate) {
			unnamed(true)(c)
			c.KeyUsage |= x509.KeyUsageCRLSign
		}, "its subject is empty (§4.1.2.6)", python},
		{"constraints of a leaf not critical", nil, constraints(false), "", ""},
	} {
		nothing := func(*x509.Certificate) {}
		if test.inter == nil {
			test.inter = nothing
		}
		if test.leaf == nil {
			test.leaf = nothing
		}
		t.Run(test.name, func(t *testing.T) {
			srv := newShop(t, test.inter).serve(t, test.leaf)
			if test.says == "" {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, warning(finding.CertMalformed)), test.says, test.refuse)
		})
	}
}

// TestCertMalformedWhereAPathGoesRound: what only strict clients mind in an issuer is no fault where a valid path goes round it.
func TestCertMalformedWhereAPathGoesRound(t *testing.T) {
	s := newShop(t, keyUsage(0))
	srv := s.serve(t)
	srv.expect(t, warning(finding.CertMalformed))
	srv.chain = append(srv.chain, crossSigned(t, s.inter, s.root).Raw)
	srv.expect(t)
	direct := must(t)(s.inter.Leaf(certNow, []string{certHost}))
	server{chain: direct.Served(), cas: []*pki.Pair{direct}}.expect(t) // itself trusted: nothing above it counts
}
