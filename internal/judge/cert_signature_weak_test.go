package judge

import (
	"crypto"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertSignatureWeak(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	sound := must(t)(root.Leaf(certNow, []string{certHost})).Certificate.Raw
	for hash, name := range map[crypto.Hash]string{crypto.MD5: "MD5-RSA", crypto.SHA1: "SHA1-RSA"} {
		srv := server{chain: [][]byte{certtest.Resign(t, sound, key, hash)}, roots: []*pki.Pair{root}}
		says(t, srv.expect(t, critical(finding.CertSignatureWeak)), name)
		srv.host = "other.example.org"
		srv.expect(t, critical(finding.CertSignatureWeak), critical(finding.CertNameMismatch))
	}
}

func TestCertSignatureWeakIssuer(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	inter := must(t)(root.Intermediate("Test Intermediate", certNow))
	leaf := must(t)(inter.Leaf(certNow, []string{certHost})).Certificate.Raw
	weak := certtest.Resign(t, inter.Certificate.Raw, key, crypto.SHA1)
	srv := server{chain: [][]byte{leaf, weak}, roots: []*pki.Pair{root}}
	says(t, srv.expect(t, critical(finding.CertSignatureWeak)), `the issuer "Test Intermediate"`)
	srv.chain = append(srv.chain, inter.Certificate.Raw) // the sound one beside it
	srv.expect(t)
}

func TestCertSignatureWeakNotOnTheRoot(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", certNow, 2048)
	leaf := must(t)(root.Leaf(certNow, []string{certHost}))
	root.Certificate = certtest.Parse(t, certtest.Resign(t, root.Certificate.Raw, key, crypto.SHA1))
	server{chain: [][]byte{leaf.Certificate.Raw, root.Certificate.Raw}, roots: []*pki.Pair{root}}.expect(t)
	server{chain: [][]byte{leaf.Certificate.Raw, root.Certificate.Raw}}.expect(t, critical(finding.CertUntrusted))
}
