package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestListenerNameUncovered(t *testing.T) {
	s := newScene(t)
	s.ALB("web", s.ACM("a", s.Leaf("a.example.org")), s.ACM("b", s.Leaf("*.b.example.org")))
	down := failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)
	behind(s.HTTPS("a", "a.example.org", down), "web", "")
	behind(s.HTTPS("b", "x.b.example.org", down), "web", "")
	s.none(finding.ListenerNameUncovered)
	behind(s.HTTPS("deep", "y.x.b.example.org", down), "web", "")
	behind(s.HTTPS("api", host, down), "web", "")
	f := s.one(finding.ListenerNameUncovered, finding.Critical)
	if len(f.Affects) != 2 || f.Affects[0] != "production/api" {
		t.Errorf("affects %v", f.Affects)
	}
	s.Round.Certificates[0].Chain, s.Round.Certificates[0].Names = nil, nil
	s.none(finding.ListenerNameUncovered) // the one that could not be read may be it
}

func TestListenerNameUncoveredLeavesPlainHTTPAlone(t *testing.T) {
	s := newScene(t)
	s.Classic("a1", s.ACM("a", s.Leaf("a.example.org")))
	e := behind(s.HTTPS("plain", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", "")
	e.Target.Kind = target.HTTP
	s.none(finding.ListenerNameUncovered)
}

// Without anything declared there is no drift to hang the mismatch on, but still one cause.
func TestListenerNameUncoveredSharesTheCauseOfWhatIsServed(t *testing.T) {
	s := newScene(t)
	bad := s.Leaf("old.example.net")
	s.Classic("a1", s.ACM("bad", bad))
	behind(s.HTTPS("api", host, ok("10.0.0.1", bad)), "a1", "")
	s.only(finding.CertNameMismatch, finding.ListenerNameUncovered)
	for _, f := range s.judge().Findings {
		if f.Cause != "listener:a1:443@us-west-2/111122223333" {
			t.Errorf("%s has the cause %q", f.Code, f.Cause)
		}
	}
}
