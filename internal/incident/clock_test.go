package incident

import (
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
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

// A clock that is wrong may be what makes an expired certificate look valid: nothing dated recovers by it.
func TestNothingDatedRecoversByAWrongClock(t *testing.T) {
	// round is what two hosts said when this machine's clock was ahead of theirs.
	round := func(ahead time.Duration) Coverage {
		var r observation.Round
		for _, name := range []string{"api", "ui"} {
			e := endpoint(name, nil)
			e.Target.Host = name + ".example.org"
			e.Addresses[0].Started, e.Addresses[0].HTTP = start, &observation.HTTP{Date: start.Add(-ahead)}
			r.Endpoints = append(r.Endpoints, e)
		}
		return Cover(r, []string{"production/api", "production/ui"}, false, false)
	}
	expired := found(finding.CertExpired, finding.Critical, "api", "certificate:aa")
	expired.RestsOn = []finding.Fact{{Kind: finding.FactHandshake, Endpoint: "production/api"}, {Kind: finding.FactClock}}
	for name, ahead := range map[string]time.Duration{"an hour behind": -time.Hour, "days behind": -72 * time.Hour, "days ahead": 72 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.round(round(0), []finding.Finding{expired}, Opened)
			for range 4 {
				s.round(round(ahead), nil)
			}
			s.round(round(0), nil)
			s.round(round(0), nil, Recovered)
		})
	}
}
