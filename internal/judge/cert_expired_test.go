package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
)

func TestCertExpired(t *testing.T) {
	s := newShop(t)
	fs := s.serve(t, lasting(90*dayLong, -3*dayLong)).expect(t, critical(finding.CertExpired))
	says(t, fs, `"api.example.org"`, "2026-05-29 12:00 UTC", "3 days ago")
	if fs[0].Evidence["days_left"] != -3 || fs[0].Cause != "certificate:"+fs[0].Evidence["fingerprint_sha256"].(string) {
		t.Errorf("evidence %v, cause %s", fs[0].Evidence, fs[0].Cause)
	}
	s.serve(t, lasting(0, 89*dayLong)).expect(t) // its first second

	last := s.serve(t, lasting(90*dayLong, 0)) // its last second is within it
	last.expect(t, critical(finding.CertExpiring))
	last.at = certNow.Add(time.Nanosecond)
	last.expect(t, critical(finding.CertExpired))
}

func TestCertExpiredTogetherWithOthers(t *testing.T) {
	s := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	s.host, s.roots = "other.example.org", nil
	s.expect(t, critical(finding.CertExpired), critical(finding.CertNameMismatch), critical(finding.CertUntrusted))
}
