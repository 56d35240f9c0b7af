package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
)

func TestCertExpiring(t *testing.T) {
	for _, test := range []struct {
		name          string
		age, left     time.Duration
		want          string
		warn, critial policy.Threshold
	}{
		{name: "six days, three left", age: 3 * dayLong, left: 3 * dayLong},
		{name: "ninety days, six hours left", age: 90*dayLong - 6*time.Hour, left: 6 * time.Hour, want: critical(finding.CertExpiring)},
		{name: "ninety days, twenty-three left", age: 67 * dayLong, left: 23 * dayLong},
		{name: "ninety days, twenty-two left", age: 68 * dayLong, left: 22 * dayLong, want: warning(finding.CertExpiring)},
		{name: "ninety days, nine left", age: 81 * dayLong, left: 9 * dayLong, want: critical(finding.CertExpiring)},
		{name: "a year, sixty left", age: 305 * dayLong, left: 60 * dayLong, want: warning(finding.CertExpiring)},
		{name: "by days", age: 60 * dayLong, left: 20 * dayLong, want: warning(finding.CertExpiring),
			warn: policy.Threshold{Duration: 21 * dayLong}, critial: policy.Threshold{Duration: 7 * dayLong}},
		{name: "by days, enough left", age: 300 * dayLong, left: 22 * dayLong,
			warn: policy.Threshold{Duration: 21 * dayLong}, critial: policy.Threshold{Duration: 7 * dayLong}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t).serve(t, lasting(test.age, test.left))
			if test.warn != (policy.Threshold{}) {
				s.policy = policy.DefaultThresholds()
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
	// An old CA is not a problem as long as it outlives the leaf.
	newShop(t, lasting(3600*dayLong, 61*dayLong)).serve(t).expect(t)
	// One that ends before it is measured against the leaf's ninety days.
	fs := newShop(t, lasting(3600*dayLong, 20*dayLong)).serve(t).expect(t, warning(finding.CertExpiring))
	says(t, fs, `the issuer "Test Intermediate"`, "in 20 days")
	newShop(t, lasting(3600*dayLong, 8*dayLong)).serve(t).expect(t, critical(finding.CertExpiring))
	newShop(t, lasting(3600*dayLong, 30*dayLong)).serve(t).expect(t)
}

// TestCertExpiringWithoutEnd: next to a certificate without an end every issuer would be about to expire.
func TestCertExpiringWithoutEnd(t *testing.T) {
	endless := pki.Valid(certNow.Add(-dayLong), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	newShop(t, lasting(1000*dayLong, 1000*dayLong)).serve(t, endless).expect(t)
	fs := newShop(t, lasting(1000*dayLong, 250*dayLong)).serve(t, endless).expect(t, warning(finding.CertExpiring))
	if days := fs[0].Evidence["lifetime_days"]; days != 1250 {
		t.Errorf("measured against %v days", days)
	}
}

func TestCertExpiringGoesByThePathThatLasts(t *testing.T) {
	s := newShop(t)
	old := must(t)(pki.Root("Old Root", certNow, lasting(3000*dayLong, 5*dayLong)))
	srv := s.serve(t)
	srv.chain = append(srv.chain, crossSigned(t, s.inter, old).Raw)
	srv.roots = append(srv.roots, old)
	srv.expect(t)
}
