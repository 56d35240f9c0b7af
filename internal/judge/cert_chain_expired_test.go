package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertChainExpired(t *testing.T) {
	s := newShop(t, lasting(900*dayLong, -dayLong))
	fs := s.serve(t).expect(t, critical(finding.CertChainExpired))
	says(t, fs, `the issuer "Test Intermediate"`, "2026-05-31")

	// Its successor, with the same key, beside it: GnuTLS minds the expired one before it.
	renewed := crossSigned(t, s.inter, s.root)
	srv := s.serve(t)
	srv.chain = append(srv.chain, renewed.Raw)
	fs = srv.expect(t, warning(finding.CertChainExpired))
	says(t, fs, `a certificate of "Test Intermediate" that expired on 2026-05-31`, "Refused by: GnuTLS. Accepted by: Chromium")
	if want := `Remove the expired certificate of "Test Intermediate" (issuer "Test Root")`; !strings.Contains(fs[0].Remedy, want) {
		t.Errorf("remedy %q", fs[0].Remedy)
	}
	srv.chain[1], srv.chain[2] = srv.chain[2], srv.chain[1]
	srv.expect(t)
}

func TestCertChainExpiredCrossSignBesideTheRoot(t *testing.T) {
	s := newShop(t)
	old := must(t)(pki.Root("AddTrust", certNow, lasting(7000*dayLong, -2*dayLong)))
	srv := s.serve(t)
	srv.chain = append(srv.chain, crossSigned(t, s.root, old).Raw, old.Certificate.Raw)
	srv.roots = append(srv.roots, old)
	srv.expect(t)
	srv.roots = []*pki.Pair{old} // a store from before the new root
	stale := srv.expect(t, critical(finding.CertChainExpired))
	says(t, stale, `the root "AddTrust"`)
	if !strings.Contains(stale[0].Remedy, "trust the CA's new root") {
		t.Errorf("%q", stale[0].Remedy)
	}
}
