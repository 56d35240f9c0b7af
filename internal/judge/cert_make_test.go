package judge

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"certdrift/internal/sim/pki"
)

// crossSigned makes another certificate for a CA's name and key, issued by issuer.
func crossSigned(t testing.TB, ca, issuer *pki.Pair, opts ...pki.Option) *x509.Certificate {
	t.Helper()
	asCA := func(c *x509.Certificate) {
		c.Subject, c.SubjectKeyId = ca.Certificate.Subject, ca.Certificate.SubjectKeyId
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		c.NotBefore, c.NotAfter = certNow.AddDate(-1, 0, 0), certNow.AddDate(4, 0, 0)
	}
	return must(t)(issuer.LeafWithKey(certNow, nil, ca.Key, append([]pki.Option{asCA}, opts...)...)).Certificate
}

func withoutNames(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }

func dnsNames(names ...string) pki.Option { return func(c *x509.Certificate) { c.DNSNames = names } }

func commonName(name string) pki.Option {
	return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name} }
}

func aia(urls ...string) pki.Option {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
}

func usages(u ...x509.ExtKeyUsage) pki.Option {
	return func(c *x509.Certificate) { c.ExtKeyUsage = u }
}

func keyUsage(u x509.KeyUsage) pki.Option { return func(c *x509.Certificate) { c.KeyUsage = u } }

// extension adds one of one's own making.
func extension(critical bool, value []byte, id ...int) pki.Option {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier(id), Critical: critical, Value: value})
	}
}

// mustStapleExt is the TLS feature extension asking for status_request.
func mustStapleExt() pki.Option {
	return extension(false, []byte{0x30, 0x03, 0x02, 0x01, 0x05}, 1, 3, 6, 1, 5, 5, 7, 1, 24)
}
