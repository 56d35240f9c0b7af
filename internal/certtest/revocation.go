package certtest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/sim/pki"
)

// OCSPResponse returns a response of status about a certificate of ca. A signer other than ca is included as a delegate.
func OCSPResponse(t testing.TB, ca *pki.Pair, subject *x509.Certificate, signer *pki.Pair, status int) []byte {
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

// CRL returns a list that revokes serials as superseded. change, if not nil, edits its template first.
func CRL(t testing.TB, ca *pki.Pair, change func(*x509.RevocationList), serials ...*big.Int) []byte {
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
