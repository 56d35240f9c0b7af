package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
)

func TestListenerCertExpiring(t *testing.T) {
	for days, want := range map[int]finding.Severity{60: finding.None, 24: finding.None, 22: finding.Warning, 10: finding.Warning, 8: finding.Critical, -1: finding.None} {
		s := newScene(t)
		s.Classic("a1", s.ACM("a", s.LeafUntil(noon.AddDate(0, 0, days), host))) // of 90 days
		behind(s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("a"))
		if want == finding.None {
			s.none(finding.ListenerCertExpiring)
			continue
		}
		s.one(finding.ListenerCertExpiring, want)
	}
}

func TestListenerCertExpiringByDuration(t *testing.T) {
	s := newScene(t)
	s.policy.ExpiryWarning = policy.Threshold{Duration: 80 * 24 * time.Hour}
	s.Classic("a1", s.ACM("a", s.Leaf(host)))
	behind(s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("a"))
	s.one(finding.ListenerCertExpiring, finding.Warning)
}

func TestListenerCertExpiringThatNobodyGetsIsAtMostAWarning(t *testing.T) {
	s := newScene(t)
	s.Classic("a1", s.ACM("a", s.LeafUntil(noon.Add(time.Hour), host)))
	s.one(finding.ListenerCertExpiring, finding.Warning)
}
