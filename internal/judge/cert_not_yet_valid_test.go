package judge

import (
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
)

func TestCertNotYetValid(t *testing.T) {
	fs := newShop(t).serve(t, lasting(-5*time.Hour, 90*dayLong)).expect(t, critical(finding.CertNotYetValid))
	says(t, fs, "2026-06-01 17:00 UTC", "in 5 hours")

	inter := newShop(t, lasting(-3*dayLong, 900*dayLong))
	issuer := inter.serve(t).expect(t, critical(finding.CertNotYetValid))
	says(t, issuer, `the issuer "Test Intermediate"`)
	if !strings.Contains(issuer[0].Remedy, "this issuer's currently valid certificate") || strings.Contains(fs[0].Remedy, "this issuer's currently valid certificate") {
		t.Errorf("%q, %q", fs[0].Remedy, issuer[0].Remedy)
	}
}
