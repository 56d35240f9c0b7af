package judge

import (
	"testing"
	"time"

	"certdrift/internal/sim/pki"
)

func TestCertExpired(t *testing.T) {
	s := newShop(t)
	fs := s.serve(t, lasting(90*dayLong, -3*dayLong)).expect(t, "cert-expired critical")
	says(t, fs, `"api.example.org"`, "2026-05-29 12:00 UTC", "3 days ago")
	if fs[0].Evidence["days_left"] != -3 || fs[0].Cause != "certificate:"+fs[0].Evidence["fingerprint_sha256"].(string) {
		t.Errorf("evidence %v, cause %s", fs[0].Evidence, fs[0].Cause)
	}
	s.serve(t, lasting(0, 89*dayLong)).expect(t) // its first second

	last := s.serve(t, lasting(90*dayLong, 0)) // its last second is within it
	last.expect(t, "cert-expiring critical")
	last.at = certNow.Add(time.Nanosecond)
	last.expect(t, "cert-expired critical")
}

func TestCertExpiredTogetherWithOthers(t *testing.T) {
	s := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	s.host, s.roots = "other.example.org", nil
	s.expect(t, "cert-expired critical", "cert-name-mismatch critical", "cert-untrusted critical")
}

func TestCertNotYetValid(t *testing.T) {
	fs := newShop(t).serve(t, lasting(-5*time.Hour, 90*dayLong)).expect(t, "cert-not-yet-valid critical")
	says(t, fs, "2026-06-01 17:00 UTC", "in 5 hours")

	inter := newShop(t, lasting(-3*dayLong, 900*dayLong))
	says(t, inter.serve(t).expect(t, "cert-not-yet-valid critical"), `the issuer "Test Intermediate"`)
}

func TestCertExpiring(t *testing.T) {
	for _, test := range []struct {
		name          string
		age, left     time.Duration
		want          string
		warn, critial Threshold
	}{
		{name: "six days, three left", age: 3 * dayLong, left: 3 * dayLong},
		{name: "ninety days, six hours left", age: 90*dayLong - 6*time.Hour, left: 6 * time.Hour, want: "cert-expiring critical"},
		{name: "ninety days, twenty-three left", age: 67 * dayLong, left: 23 * dayLong},
		{name: "ninety days, twenty-two left", age: 68 * dayLong, left: 22 * dayLong, want: "cert-expiring warning"},
		{name: "ninety days, nine left", age: 81 * dayLong, left: 9 * dayLong, want: "cert-expiring critical"},
		{name: "a year, sixty left", age: 305 * dayLong, left: 60 * dayLong, want: "cert-expiring warning"},
		{name: "by days", age: 60 * dayLong, left: 20 * dayLong, want: "cert-expiring warning",
			warn: Threshold{Duration: 21 * dayLong}, critial: Threshold{Duration: 7 * dayLong}},
		{name: "by days, enough left", age: 300 * dayLong, left: 22 * dayLong,
			warn: Threshold{Duration: 21 * dayLong}, critial: Threshold{Duration: 7 * dayLong}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t).serve(t, lasting(test.age, test.left))
			if test.warn != (Threshold{}) {
				s.policy = DefaultPolicy()
				s.policy.ExpiryWarning, s.policy.ExpiryCritical = test.warn, test.critial
			}
			if test.want == "" {
				s.expect(t)
			} else {
				s.expect(t, test.want)
			}
		})
	}
}

func TestCertExpiringIssuer(t *testing.T) {
	// An old CA is no trouble as long as it outlives the leaf.
	newShop(t, lasting(3600*dayLong, 61*dayLong)).serve(t).expect(t)
	// One that ends before it is measured against the leaf's ninety days.
	fs := newShop(t, lasting(3600*dayLong, 20*dayLong)).serve(t).expect(t, "cert-expiring warning")
	says(t, fs, `the issuer "Test Intermediate"`, "in 20 days")
	newShop(t, lasting(3600*dayLong, 8*dayLong)).serve(t).expect(t, "cert-expiring critical")
	newShop(t, lasting(3600*dayLong, 30*dayLong)).serve(t).expect(t)
}

func TestCertExpiringGoesByThePathThatLasts(t *testing.T) {
	s := newShop(t)
	old := must(t)(pki.Root("Old Root", certNow, lasting(3000*dayLong, 5*dayLong)))
	srv := s.serve(t)
	srv.chain = append(srv.chain, crossSigned(t, s.inter, old).Raw)
	srv.roots = append(srv.roots, old)
	srv.expect(t)
}

func TestCertChainExpired(t *testing.T) {
	s := newShop(t, lasting(900*dayLong, -dayLong))
	fs := s.serve(t).expect(t, "cert-chain-expired critical")
	says(t, fs, `the issuer "Test Intermediate"`, "2026-05-31")

	// Its successor, with the same key, beside it: no fault, in any order.
	renewed := crossSigned(t, s.inter, s.root)
	srv := s.serve(t)
	srv.chain = append(srv.chain, renewed.Raw)
	srv.expect(t)
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
	says(t, srv.expect(t, "cert-chain-expired critical"), `the root "AddTrust"`)
}
