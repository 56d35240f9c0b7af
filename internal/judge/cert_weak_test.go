package judge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"certdrift/internal/certtest"
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
		says(t, srv.expect(t, "cert-key-weak critical"), test.says)
	}
}

func TestCertKeyWeakIssuer(t *testing.T) {
	root, _ := certtest.RSARoot(t, "Weak Root", certNow, 1024)
	inter := must(t)(root.Intermediate("Test Intermediate", certNow))
	srv := server{chain: must(t)(inter.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{root}}
	says(t, srv.expect(t, "cert-key-weak critical"), `the root "Weak Root"`)

	strong := must(t)(pki.Root("Strong Root", certNow)) // a cross-sign goes round it
	srv.chain = append(srv.chain, crossSigned(t, inter, strong).Raw)
	srv.roots = append(srv.roots, strong)
	srv.expect(t)
}

func TestCertKeyWeakCurveThatCannotBeParsed(t *testing.T) {
	srv := server{failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "tls: failed to parse certificate from server: x509: unsupported elliptic curve"}}
	srv.expect(t, "cert-key-weak critical")
}

func TestCertSignatureWeak(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	sound := must(t)(root.Leaf(certNow, []string{certHost})).Certificate.Raw
	for hash, name := range map[crypto.Hash]string{crypto.MD5: "MD5-RSA", crypto.SHA1: "SHA1-RSA"} {
		srv := server{chain: [][]byte{certtest.Resign(t, sound, key, hash)}, roots: []*pki.Pair{root}}
		says(t, srv.expect(t, "cert-signature-weak critical"), name)
		srv.host = "other.example.org"
		srv.expect(t, "cert-signature-weak critical", "cert-name-mismatch critical")
	}
}

func TestCertSignatureWeakIssuer(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	inter := must(t)(root.Intermediate("Test Intermediate", certNow))
	leaf := must(t)(inter.Leaf(certNow, []string{certHost})).Certificate.Raw
	weak := certtest.Resign(t, inter.Certificate.Raw, key, crypto.SHA1)
	srv := server{chain: [][]byte{leaf, weak}, roots: []*pki.Pair{root}}
	says(t, srv.expect(t, "cert-signature-weak critical"), `the issuer "Test Intermediate"`)
	srv.chain = append(srv.chain, inter.Certificate.Raw) // the sound one beside it
	srv.expect(t)
}

func TestCertSignatureWeakNotOnTheRoot(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	leaf := must(t)(root.Leaf(certNow, []string{certHost}))
	root.Certificate = certtest.Parse(t, certtest.Resign(t, root.Certificate.Raw, key, crypto.SHA1))
	server{chain: [][]byte{leaf.Certificate.Raw, root.Certificate.Raw}, roots: []*pki.Pair{root}}.expect(t)
	server{chain: [][]byte{leaf.Certificate.Raw, root.Certificate.Raw}}.expect(t, "cert-untrusted critical")
}

func TestCertUsage(t *testing.T) {
	s := newShop(t)
	for _, test := range []struct {
		name string
		opt  pki.Option
		want []string
	}{
		{"for clients", usages(x509.ExtKeyUsageClientAuth), []string{"cert-usage critical"}},
		{"for both", usages(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth), nil},
		{"for any", usages(x509.ExtKeyUsageAny), nil},
		{"none said", usages(), []string{"cert-usage info"}},
		{"no key usage", keyUsage(0), nil},
		{"signs certificates only", keyUsage(x509.KeyUsageCertSign), []string{"cert-usage critical"}},
		{"encipherment only", keyUsage(x509.KeyUsageKeyEncipherment), []string{"cert-usage warning"}},
	} {
		t.Run(test.name, func(t *testing.T) { s.serve(t, test.opt).expect(t, test.want...) })
	}
	says(t, s.serve(t, usages(x509.ExtKeyUsageClientAuth)).judge(), "clientAuth")
	says(t, newShop(t, usages(x509.ExtKeyUsageEmailProtection)).serve(t).expect(t, "cert-usage critical"), `the issuer "Test Intermediate"`, "emailProtection")
}
