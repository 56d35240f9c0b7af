package judge

import (
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestCertMalformed(t *testing.T) {
	failure := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "x509: malformed \x1b tbs certificate"}
	says(t, server{failure: failure}.expect(t, critical(finding.CertMalformed)), "malformed")

	srv := newShop(t).serve(t)
	srv.chain = append(srv.chain, []byte("no certificate"))
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 3 of the 3 that the server sends")
	srv.chain = [][]byte{[]byte("no leaf"), srv.chain[1]} // what follows a broken leaf says nothing about the server
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 1 of the 2 that")
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
		says(t, srv.expect(t, warning(finding.CertMalformed)), `the serial number of the certificate "api.example.org" is negative: Go's clients reject`)
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
