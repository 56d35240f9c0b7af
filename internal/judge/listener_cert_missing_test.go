package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestListenerCertMissing(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("gone"), Missing: true}}
	s.Classic("a1", arnOf("gone"))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", s.ACM("right", leaf))
	f := s.one(finding.ListenerCertMissing, finding.Critical)
	if f.Endpoint != "api" || !strings.Contains(f.Remedy, "see drift-attached on listener a1:443") {
		t.Errorf("%+v", f)
	}
	s.Round.Certificates[0] = observation.Certificate{ARN: arnOf("gone"), Unreadable: true}
	s.none(finding.ListenerCertMissing)
}

func TestListenerCertMissingThatNobodyGets(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("gone"), Missing: true}}
	s.ALB("web", s.ACM("right", leaf), arnOf("gone"))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "web", arnOf("right"))
	s.only(finding.ListenerCertMissing)
	s.one(finding.ListenerCertMissing, finding.Warning)
}
