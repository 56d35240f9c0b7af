package revocation

import (
	"crypto/x509"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
)

// FuzzReadOCSP: whatever a responder sends, only what the issuer or its delegate signed says anything, and what it says can be saved.
// The certificates are part of the input, since each process of the fuzzer makes other keys.
func FuzzReadOCSP(f *testing.F) {
	_, ca := certtest.Authority(f)
	leaf := certtest.Must(f)(ca.Leaf(time.Now(), []string{"site.test"}))
	for _, status := range []int{ocsp.Good, ocsp.Revoked, ocsp.Unknown} {
		f.Add(certtest.OCSPResponse(f, ca, leaf.Certificate, ca, status), leaf.Certificate.Raw, ca.Certificate.Raw)
	}
	f.Fuzz(func(t *testing.T, der, child, issuer []byte) {
		c, err := x509.ParseCertificate(child)
		if err != nil {
			return
		}
		i, err := x509.ParseCertificate(issuer)
		if err != nil {
			return
		}
		r := ReadOCSP(der, c, i)
		if !r.Signed && r.Status != observation.NoAnswer || r.Signed && r.Status == observation.NoAnswer {
			t.Fatalf("signed %v, and the status is %q", r.Signed, r.Status)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReadList: whatever a server sends as a CRL, only a list that the issuer signed says anything, and what it says can be saved.
func FuzzReadList(f *testing.F) {
	_, ca := certtest.Authority(f)
	f.Add(certtest.CRL(f, ca, nil, big.NewInt(1), big.NewInt(2)), ca.Certificate.Raw)
	f.Add([]byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), ca.Certificate.Raw)
	f.Fuzz(func(t *testing.T, body, issuer []byte) {
		i, err := x509.ParseCertificate(issuer)
		if err != nil {
			return
		}
		list, err := ReadList(body, i)
		if err != nil {
			return
		}
		_ = list.Covers(i)
		for _, serial := range []*big.Int{{}, big.NewInt(1), i.SerialNumber} {
			if _, err := json.Marshal(list.About(serial)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzReadScope: the scope of a CRL is read without a signature, which the fuzzer cannot forge.
func FuzzReadScope(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 0x81, 0x01, 0xff})
	f.Add([]byte{0x30, 0x00})
	f.Fuzz(func(t *testing.T, der []byte) {
		var a, b scopeOfList
		if a.read(der) != b.read(der) {
			t.Fatal("read twice, it is something else")
		}
		_ = a.covers(&x509.Certificate{CRLDistributionPoints: []string{"http://x/"}})
	})
}
