package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
)

func TestCertNotYetValid(t *testing.T) {
	fs := newShop(t).serve(t, lasting(-5*time.Hour, 90*dayLong)).expect(t, critical(finding.CertNotYetValid))
	says(t, fs, "2026-06-01 17:00 UTC", "in 5 hours")

	inter := newShop(t, lasting(-3*dayLong, 900*dayLong))
	says(t, inter.serve(t).expect(t, critical(finding.CertNotYetValid)), `the issuer "Test Intermediate"`)
}
