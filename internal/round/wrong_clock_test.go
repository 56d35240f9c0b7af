package round_test

import (
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// TestAWrongClockTakesNoRevocationBack: a certificate that was revoked an hour ago is not sound for a clock that is two days behind, as the
// servers' own dates show.
func TestAWrongClockTakesNoRevocationBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scenarios []scenario
		for _, s := range served(t) {
			if s.code == finding.CertRevoked || s.code == finding.CertExpired && s.name == "" {
				scenarios = append(scenarios, s)
			}
		}
		p := newPlay(t, scenarios)
		p.w.dates = true
		p.w.site("sound", "first")
		p.w.site("sound", "second")
		p.open()
		p.w.offset, p.w.like = -49*time.Hour, "behind"
		for range 4 {
			for environment, notices := range p.round() {
				for _, n := range notices {
					if n.Event == incident.Recovered {
						t.Errorf("%s: recovered, since the clock is behind", environment)
					}
				}
			}
		}
		p.w.offset, p.w.like = 0, ""
		p.round()
		p.fix()
	})
}
