package judge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// at is an address of a server whose clock this machine's is ahead of.
func at(ip string, p *pki.Pair, ahead time.Duration) observation.Address {
	a := ok(ip, p)
	a.Started = noon
	a.HTTP = &observation.HTTP{Status: 200, Date: noon.Add(-ahead)}
	return a
}

// A wrong clock is reported, the round is incomplete, and every dated finding says so.
func TestAWrongClock(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"an hour ahead": time.Hour, "days ahead": 72 * time.Hour, "days behind": -72 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.HTTPS("api", host, at("10.0.0.1", s.LeafUntil(noon.AddDate(0, 0, -1), host), ahead))
			s.HTTPS("ui", "ui.example.org", at("10.0.0.2", s.Leaf("ui.example.org"), ahead))
			s.only(finding.CertExpired, finding.ObserveIncomplete)
			clock := s.one(finding.ObserveIncomplete, finding.Warning)
			if s.judge().Complete || clock.Evidence["operation"] != "clock" || !strings.Contains(clock.Summary, "most servers'") {
				t.Errorf("complete %v, %+v", s.judge().Complete, clock)
			}
			expired := s.one(finding.CertExpired, finding.Critical)
			if !strings.HasPrefix(expired.Remedy, "First check which clock is right") || !slices.Contains(expired.RestsOn, finding.Fact{Kind: finding.FactClock}) {
				t.Errorf("the alarm of a wrong clock says nothing of it: %+v", expired)
			}
		})
	}
}

// One server's clock proves nothing about this machine's, but an expiry that rests on it is in doubt.
func TestAServersWrongClock(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, at("10.0.0.1", s.LeafUntil(noon.AddDate(0, 0, -1), host), time.Hour))
	s.only(finding.CertExpired)
	if f := s.one(finding.CertExpired, finding.Critical); !strings.Contains(f.Remedy, "ahead of the server's") || !s.judge().Complete {
		t.Errorf("%+v", f)
	}
	for _, other := range []string{"b.example.org", "c.example.org"} {
		s.HTTPS(other, other, at("10.0.0.2", s.Leaf(other), 0))
	}
	if f := s.one(finding.CertExpired, finding.Critical); strings.Contains(f.Remedy, "clock") {
		t.Errorf("the others agree: %+v", f)
	}
}

func TestTheRightClock(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, at("10.0.0.1", s.Leaf(host), time.Minute))
	s.HTTPS("ui", "ui.example.org", at("10.0.0.2", s.Leaf("ui.example.org"), -time.Minute))
	s.only()
}
