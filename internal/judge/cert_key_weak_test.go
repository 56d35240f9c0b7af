package judge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"slices"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertKeyWeak(t *testing.T) {
	s := newShop(t)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  crypto.Signer
		says string
	}{
		{certtest.RSAKey(t, 1024), "RSA with 1024 bits"}, {certtest.RSAKey(t, 2047), "RSA with 2047 bits"},
		{certtest.RSAKey(t, 2048), ""}, {p224, "ECDSA on P-224"},
	} {
		srv := server{roots: []*pki.Pair{s.root}}
		srv.chain = must(t)(s.inter.LeafWithKey(certNow, []string{certHost}, test.key)).Served()
		if test.says == "" {
			srv.expect(t)
			continue
		}
		says(t, srv.expect(t, critical(finding.CertKeyWeak)), test.says)
	}
}

func TestCertKeyWeakIssuer(t *testing.T) {
	root, _ := certtest.RSARoot(t, "Weak Root", certNow, 1024)
	inter := must(t)(root.Intermediate("Test Intermediate", certNow))
	srv := server{chain: must(t)(inter.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{root}}
	says(t, srv.expect(t, critical(finding.CertKeyWeak)), `the root "Weak Root"`)

	strong := must(t)(pki.Root("Strong Root", certNow)) // a cross-sign goes round it
	srv.chain = append(srv.chain, crossSigned(t, inter, strong).Raw)
	srv.roots = append(srv.roots, strong)
	srv.expect(t)
}

func TestCertKeyWeakCurveThatCannotBeParsed(t *testing.T) {
	srv := server{failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "tls: failed to parse certificate from server: x509: unsupported elliptic curve"}}
	srv.expect(t, critical(finding.CertKeyWeak))
}

// TestCertKeyWeakHandshakeRefused: a handshake that fails because of the key is reported once, with the leaf if it could
// be parsed.
func TestCertKeyWeakHandshakeRefused(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	refused := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.KeyUnusable, Alert: "handshake_failure", Detail: "the certificate's key is ECDSA on P-224, and clients don't take it"}
	srv := server{failure: refused}
	says(t, srv.expect(t, critical(finding.CertKeyWeak)), "the certificate's key is ECDSA on P-224")

	s := newShop(t)
	srv = server{failure: refused, roots: []*pki.Pair{s.root}}
	srv.chain = must(t)(s.inter.LeafWithKey(certNow, []string{certHost}, p224)).Served()
	says(t, srv.expect(t, critical(finding.CertKeyWeak)), "the handshake fails because of it")
}

// TestCertKeyThatSomeClientsLack: Chromium makes no handshake with Ed25519 and P-521, NSS none with Ed25519. An issuer's P-521 is
// fine for all.
func TestCertKeyThatSomeClientsLack(t *testing.T) {
	s := newShop(t)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	with := func(key crypto.Signer) server {
		return server{chain: must(t)(s.inter.LeafWithKey(certNow, []string{certHost}, key)).Served(), roots: []*pki.Pair{s.root}}
	}
	on := func(curve elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	says(t, with(edwards).expect(t, warning(finding.CertKeyWeak)), "is Ed25519, which", "Refused by: Chromium, Firefox (NSS). ")
	says(t, with(on(elliptic.P521())).expect(t, warning(finding.CertKeyWeak)), "is ECDSA P-521, which", "Refused by: Chromium. ")
	with(on(elliptic.P384())).expect(t)

	under := func(key crypto.Signer) server {
		issuer := must(t)(s.root.LeafWithKey(certNow, nil, key, func(c *x509.Certificate) {
			c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage = "Issuer", true, x509.KeyUsageCertSign, nil
		}))
		return server{chain: must(t)(issuer.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{s.root}}
	}
	says(t, under(edwards).expect(t, warning(finding.CertKeyWeak)), `the key of the issuer "Issuer" is Ed25519`)
	under(on(elliptic.P521())).expect(t)
}

// TestCertKeyLarge: Go's clients refuse every handshake in which an RSA key above 8192 bits is sent, rustls signatures by one.
func TestCertKeyLarge(t *testing.T) {
	// A leaf and its root with 8704 bits, and the same with 8192: to make such keys takes seconds.
	kept, err := os.ReadFile("testdata/large-rsa.pem")
	if err != nil {
		t.Fatal(err)
	}
	var ders [4][]byte
	for i := range ders {
		var block *pem.Block
		block, kept = pem.Decode(kept)
		ders[i] = block.Bytes
	}
	root, limit := &pki.Pair{Certificate: certtest.Parse(t, ders[1])}, &pki.Pair{Certificate: certtest.Parse(t, ders[3])}
	s := newShop(t)
	good := must(t)(s.inter.Leaf(certNow, []string{certHost})).Served()
	for name, c := range map[string]struct {
		chain [][]byte
		roots []*pki.Pair
		says  string
	}{
		"sent":                {ders[:2], []*pki.Pair{root}, `the root "Large 8704" is larger than some clients accept: RSA 8704, more than 8192 bits. Refused by: Go, rustls. `},
		"not sent":            {ders[:1], []*pki.Pair{root}, "Refused by: rustls. "},
		"sent, and of no use": {append(slices.Clone(good), ders[1]), []*pki.Pair{s.root}, "Refused by: Go. "},
		"of 8192 bits":        {ders[2:], []*pki.Pair{limit}, ""},
		"of another server":   {good, []*pki.Pair{s.root, root}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := server{chain: c.chain, roots: c.roots}
			if c.says == "" {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, warning(finding.CertKeyWeak)), c.says)
		})
	}
}
