package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func TestListenerCertExpired(t *testing.T) {
	s := newScene(t)
	old := s.LeafUntil(noon.AddDate(0, 0, -1), host)
	s.Classic("a1", s.ACM("old", old))
	behind(s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("old"))
	s.only(finding.ConnectTimeout, finding.ListenerCertExpired)
	f := s.one(finding.ListenerCertExpired, finding.Critical)
	if f.Cause != "certificate:"+topology.Fingerprint(old.Certificate) || f.Listener != "a1:443" {
		t.Errorf("%+v", f)
	}
}

func TestListenerCertExpiredThatNobodyGets(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.ALB("web", s.ACM("old", s.LeafUntil(noon.AddDate(0, 0, -1), "old.example.org")), s.ACM("right", leaf))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "web", arnOf("right"))
	s.only(finding.ListenerCertExpired)
	s.one(finding.ListenerCertExpired, finding.Warning)
}

func TestListenerCertExpiredByItsRecordAlone(t *testing.T) {
	s := newScene(t)
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("a"), Names: []string{host}, NotAfter: noon.AddDate(0, 0, -1)}}
	s.Classic("a1", arnOf("a"))
	behind(s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut)), "a1", arnOf("a"))
	s.one(finding.ListenerCertExpired, finding.Critical)
}
