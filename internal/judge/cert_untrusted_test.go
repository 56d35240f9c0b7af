package judge

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertUntrusted(t *testing.T) {
	s, other := newShop(t), newShop(t)
	srv := s.serve(t)
	srv.roots = []*pki.Pair{must(t)(pki.Root("Another Root", certNow))}
	says(t, srv.expect(t, critical(finding.CertUntrusted)), `"Test Intermediate"`, `"Test Root" is not trusted`)

	sent := srv
	sent.chain = append(slices.Clone(srv.chain), s.root.Certificate.Raw)
	says(t, sent.expect(t, critical(finding.CertUntrusted)), `the chain ends in the root "Test Root", which is not trusted`)

	srv.cas = []*pki.Pair{s.root} // a private CA, named in ca_files
	srv.expect(t)

	srv.cas, srv.roots = nil, []*pki.Pair{other.root} // a root of the same name, with another key
	says(t, srv.expect(t, critical(finding.CertUntrusted)), `"Test Root"`, "in the trust store did not sign it")
}

func TestCertUntrustedBySignature(t *testing.T) {
	srv := newShop(t).serve(t)
	srv.chain[0][len(srv.chain[0])-1] ^= 1
	says(t, srv.expect(t, critical(finding.CertUntrusted)), "did not sign it")
}

func TestCertUntrustedByTheRootsLimit(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	srv.roots = nil
	srv.anchors = []chain.Anchor{{Certificate: s.root.Certificate, Public: true, Constraint: func([]*x509.Certificate) error {
		return errors.New("issued after its distrust date")
	}}}
	says(t, srv.expect(t, critical(finding.CertUntrusted)), `the root "Test Root" is trusted only within limits`, "issued after its distrust date")
}

func TestCertUntrustedAndItsIssuerExpired(t *testing.T) {
	srv := newShop(t, lasting(900*dayLong, -dayLong)).serve(t)
	srv.roots = nil
	srv.expect(t, critical(finding.CertUntrusted), critical(finding.CertChainExpired))
}

// TestCertUntrustedRemedies: the remedy depends on where the path ends.
func TestCertUntrustedRemedies(t *testing.T) {
	remedy := func(srv server, want string) {
		t.Helper()
		if fs := srv.expect(t, critical(finding.CertUntrusted)); !strings.Contains(fs[0].Remedy, want) {
			t.Errorf("%s: %s", fs[0].Summary, fs[0].Remedy)
		}
	}
	srv := newShop(t).serve(t)
	srv.roots = []*pki.Pair{must(t)(pki.Root("Another Root", certNow))}
	remedy(srv, `if "Test Root" is an intermediate of a trusted CA, append its certificate`)
	srv = newShop(t).serve(t)
	srv.chain[0][len(srv.chain[0])-1] ^= 1
	remedy(srv, "modified after it was signed")
}

// TestCertUntrustedSentFirst: OpenSSL and GnuTLS take the first issuer that fits, and go no other way where it leads nowhere.
func TestCertUntrustedSentFirst(t *testing.T) {
	s, other := newShop(t), must(t)(pki.Root("Another Root", certNow))
	cross := crossSigned(t, s.inter, other).Raw
	srv := s.serve(t)
	srv.chain = [][]byte{srv.chain[0], cross, srv.chain[1]}
	fs := srv.expect(t, warning(finding.CertUntrusted))
	says(t, fs, `a certificate of "Test Intermediate" by "Another Root", which leads to no trusted root, before the one that does`, "Refused by: OpenSSL, curl, Python, Node, GnuTLS. ")

	behind := s.serve(t)
	behind.chain = append(behind.chain, cross)
	behind.expect(t)
	known := srv
	known.roots = append(known.roots, other) // it leads to a root
	known.expect(t)
	above := s.serve(t) // of the root, which clients find in their store first
	above.chain = append(above.chain, crossSigned(t, s.root, other).Raw, s.root.Certificate.Raw)
	above.expect(t)
}
