package judge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
