package judge

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertUsage(t *testing.T) {
	s := newShop(t)
	for _, test := range []struct {
		name string
		opt  pki.Option
		want []string
	}{
		{"for clients", usages(x509.ExtKeyUsageClientAuth), []string{critical(finding.CertUsage)}},
		{"for both", usages(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth), nil},
		{"for any", usages(x509.ExtKeyUsageAny), []string{critical(finding.CertUsage)}},
		{"for any and for servers", usages(x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth), nil},
		{"none said", usages(), []string{notice(finding.CertUsage)}},
		{"no key usage", keyUsage(0), nil},
		{"encipherment only, and no extended one", func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageKeyEncipherment, nil }, []string{warning(finding.CertUsage)}},
		{"signs certificates only", keyUsage(x509.KeyUsageCertSign), []string{critical(finding.CertUsage), warning(finding.CertMalformed)}},
		{"a key usage without a bit", extension(true, []byte{3, 1, 0}, 2, 5, 29, 15), []string{critical(finding.CertUsage)}},
		{"encipherment only", keyUsage(x509.KeyUsageKeyEncipherment), []string{warning(finding.CertUsage)}},
	} {
		t.Run(test.name, func(t *testing.T) { s.serve(t, test.opt).expect(t, test.want...) })
	}
	says(t, s.serve(t, usages(x509.ExtKeyUsageClientAuth)).judge(), "clientAuth")
	says(t, newShop(t, usages(x509.ExtKeyUsageAny)).serve(t).expect(t, critical(finding.CertUsage)), `the issuer "Test Intermediate" has any`, "Refused by: Firefox (NSS), OpenSSL, curl, Python, Node, GnuTLS, rustls. ")
	newShop(t, usages(x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth)).serve(t).expect(t)
	says(t, newShop(t, usages(x509.ExtKeyUsageEmailProtection)).serve(t).expect(t, critical(finding.CertUsage)), `the issuer "Test Intermediate"`, "emailProtection")
}

// TestSignatureByRSA: who refuses a key that may not sign does so whatever its type, unless nothing is signed.
func TestSignatureByRSA(t *testing.T) {
	s := newShop(t)
	leaf := must(t)(s.inter.LeafWithKey(certNow, []string{certHost}, certtest.RSAKey(t, 2048), keyUsage(x509.KeyUsageKeyEncipherment)))
	srv := server{chain: leaf.Served(), roots: []*pki.Pair{s.root}}
	says(t, srv.expect(t, warning(finding.CertUsage)), "Refused by: Chromium, Java, GnuTLS. ")
	in := srv.input()
	tls := in.Round.Endpoints[0].Addresses[0].TLS
	tls.Version, tls.Cipher = "TLS 1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256"
	fs := Judge(in).Findings
	says(t, slices.DeleteFunc(fs, func(f finding.Finding) bool { return f.Code != finding.CertUsage }), "Refused by: none yet. Accepted by: Firefox (NSS), OpenSSL, curl, Python, Node, Go, Java, GnuTLS, rustls. ")
}

// TestAnIssuersFaultIsNotFixedByAnotherLeaf: the remedy of what is wrong with an issuer asks for another issuer.
func TestAnIssuersFaultIsNotFixedByAnotherLeaf(t *testing.T) {
	fs := newShop(t, usages(x509.ExtKeyUsageEmailProtection)).serve(t).judge()
	if len(fs) != 1 || !strings.Contains(fs[0].Remedy, "may issue server certificates") {
		t.Errorf("%v", fs)
	}
	fs = newShop(t).serve(t, usages(x509.ExtKeyUsageClientAuth)).judge()
	if len(fs) != 1 || !strings.Contains(fs[0].Remedy, "issued with extendedKeyUsage = serverAuth") {
		t.Errorf("%v", fs)
	}
}
