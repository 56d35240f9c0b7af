package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func TestListenerCertExpired(t *testing.T) {
	s := newScene(t)
	old := s.leafUntil(noon.AddDate(0, 0, -1), host)
	s.classic("a1", s.acm("old", old))
	behind(s.https("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("old"))
	s.only(finding.ConnectTimeout, finding.ListenerCertExpired)
	f := s.one(finding.ListenerCertExpired, finding.Critical)
	if f.Cause != "certificate:"+topology.Fingerprint(old.Certificate) || f.Listener != "a1:443" {
		t.Errorf("%+v", f)
	}
}

func TestListenerCertExpiredThatNobodyGets(t *testing.T) {
	s := newScene(t)
	leaf := s.leaf(host)
	s.alb("web", s.acm("old", s.leafUntil(noon.AddDate(0, 0, -1), "old.example.org")), s.acm("right", leaf))
	behind(s.https("api", host, ok("10.0.0.1", leaf)), "web", arnOf("right"))
	s.only(finding.ListenerCertExpired)
	s.one(finding.ListenerCertExpired, finding.Warning)
}

func TestListenerCertExpiredByItsRecordAlone(t *testing.T) {
	s := newScene(t)
	s.round.Certificates = []observation.Certificate{{ARN: arnOf("a"), Names: []string{host}, NotAfter: noon.AddDate(0, 0, -1)}}
	s.classic("a1", arnOf("a"))
	behind(s.https("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("a"))
	s.one(finding.ListenerCertExpired, finding.Critical)
}
