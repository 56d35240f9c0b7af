package certtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"certdrift/internal/sim/pki"
)

// rsaKeys holds the keys by size: generating one takes up to a second with the race detector.
var rsaKeys sync.Map

// RSAKey returns a key of that many bits, the same one for all tests of a package.
func RSAKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	generate, _ := rsaKeys.LoadOrStore(bits, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }))
	key, err := generate.(func() (*rsa.PrivateKey, error))() //nolint:forcetypeassert // nothing else is stored
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// RSARoot returns a root whose key is RSA, so that Resign can sign again what it issues.
func RSARoot(t testing.TB, commonName string, now time.Time, bits int) (*pki.Pair, *rsa.PrivateKey) {
	t.Helper()
	key := RSAKey(t, bits)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &pki.Pair{Certificate: Parse(t, der), Key: key}, key
}

// Parse is x509.ParseCertificate for certificates that the test made itself.
func Parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
