package incident

import (
	"testing"
	"time"

	"certdrift/internal/finding"
)

// A clock that ran ahead for one round, or an item that somebody edited, must not silence what comes after.
func TestAClockThatGoesBackSilencesNothing(t *testing.T) {
	c := full([]string{"api"})
	expired := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	refused := []finding.Finding{found(finding.ConnectRefused, finding.Critical, "api", "")}
	ahead := at(0).Add(30 * 24 * time.Hour)

	t.Run("a claim of the future", func(t *testing.T) {
		s := newScript(t)
		s.table.run(t, Input{Policy: s.policy, Findings: expired, Coverage: c, Now: ahead}, crashes)
		if got := s.round(c, expired, Opened); !got[0].Repetition {
			t.Error("the notice does not say that it may be a repetition")
		}
	})
	t.Run("confirmation", func(t *testing.T) {
		s := newScript(t)
		s.table.run(t, Input{Policy: s.policy, Findings: refused, Coverage: c, Now: ahead}, lives)
		s.round(c, refused, Opened)
	})
	t.Run("recovery", func(t *testing.T) {
		s := newScript(t)
		s.table.run(t, Input{Policy: s.policy, Findings: expired, Coverage: c, Now: ahead}, lives)
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	t.Run("reminders", func(t *testing.T) {
		s := newScript(t)
		s.table.run(t, Input{Policy: s.policy, Findings: expired, Coverage: c, Now: ahead}, lives)
		s.round(c, expired)
		s.minute = 24*60 + 1
		s.round(c, expired, Reminder)
	})
}
