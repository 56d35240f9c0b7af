package incident

import (
	"slices"
	"testing"

	"certdrift/internal/finding"
)

func TestHalfARollOutIsOneIncident(t *testing.T) {
	c := full([]string{"api"})
	old := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:old")}
	t.Run("old and good alternate", func(t *testing.T) {
		s := newScript(t)
		s.round(c, old, Opened)
		for range 20 {
			s.round(c, nil)
			s.round(c, old)
		}
	})
	t.Run("two bad ones alternate", func(t *testing.T) {
		s := newScript(t)
		other := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:other")}
		s.round(c, old, Opened)
		for range 5 {
			s.round(c, other)
			s.round(c, old)
			s.round(c, append(slices.Clone(old), other...))
		}
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	different := found(finding.AddressInconsistent, finding.Warning, "api", "")
	t.Run("the addresses differ, and one is bad", func(t *testing.T) {
		s := newScript(t)
		both := append(slices.Clone(old), different)
		s.round(c, both, Opened)
		for range 5 {
			s.round(c, both)
		}
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	t.Run("the addresses differ, and later one turns bad", func(t *testing.T) {
		s := newScript(t)
		apart := []finding.Finding{different}
		s.round(c, apart)
		s.round(c, apart, Opened)
		got := s.round(c, append(slices.Clone(apart), old...), Opened)
		if got[0].Before != finding.Warning || got[0].Record.Code != finding.CertExpired {
			t.Errorf("%s after %s, want the expiry to lead what was a warning", got[0].Record.Code, got[0].Before)
		}
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	t.Run("many endpoints whose addresses differ, then one bad certificate", func(t *testing.T) {
		s := newScript(t)
		c := full([]string{"api", "ui"})
		apart := []finding.Finding{different, found(finding.AddressInconsistent, finding.Warning, "ui", "")}
		s.round(c, apart)
		bad := append(slices.Clone(apart), old[0], found(finding.CertExpired, finding.Critical, "ui", "certificate:old"))
		s.round(c, bad, Opened)
		s.round(c, bad)
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	t.Run("the addresses of another endpoint are another matter", func(t *testing.T) {
		s := newScript(t)
		both := append(slices.Clone(old), found(finding.AddressInconsistent, finding.Warning, "ui", ""))
		s.round(full([]string{"api", "ui"}), both, Opened)
		s.round(full([]string{"api", "ui"}), both, Opened)
	})
}
