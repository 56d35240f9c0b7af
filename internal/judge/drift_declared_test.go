package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

func TestDriftDeclaredWithoutAListener(t *testing.T) {
	s := newScene(t)
	right, other := s.Leaf(host), s.Leaf(host)
	e := s.HTTPS("api", host, ok("10.0.0.1", other), ok("10.0.0.2", other))
	e.Target.Declared = &target.Declared{FingerprintSHA256: topology.Fingerprint(right.Certificate), Source: target.Position{File: "certdrift.yaml", Line: 3}}
	s.only(finding.DriftDeclared)
	f := s.one(finding.DriftDeclared, finding.Critical)
	if f.Address != "" || f.Cause != "certificate:"+topology.Fingerprint(other.Certificate) {
		t.Errorf("%+v", f)
	}
	e.Target.Declared.FingerprintSHA256 = topology.Fingerprint(other.Certificate)
	s.only()
}

func TestDriftDeclaredByAFile(t *testing.T) {
	s := newScene(t)
	right := s.Leaf(host)
	e := s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	e.Target.Declared = &target.Declared{ARN: arnOf("right")}
	s.only(finding.ObserveIncomplete) // nobody says what the ARN holds
	if s.judge().Complete {
		t.Error("complete, though the declared certificate could not be compared")
	}
	s.Round.CertificateFiles = []observation.Certificate{{ARN: arnOf("right"), Chain: right.Served()}}
	s.only(finding.DriftDeclared)
	s.Round.Endpoints[0].Addresses = []observation.Address{ok("10.0.0.1", right)}
	s.only()
}

func TestDriftDeclaredLeavesReadableListenersToTheOthers(t *testing.T) {
	s, _, _ := driftedScene(t)
	s.none(finding.DriftDeclared)
	// The same, but ACM would not say what is attached.
	s = newScene(t)
	right, bad := s.Leaf(host), s.Leaf(host)
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("right"), Unreadable: true}}
	s.Round.CertificateFiles = []observation.Certificate{{ARN: arnOf("right"), Chain: right.Served()}}
	s.Classic("a1", arnOf("right"))
	behind(s.HTTPS("api", host, ok("10.0.0.1", bad)), "a1", arnOf("right"))
	s.only(finding.DriftDeclared)
}

func TestDriftDeclaredByAManifestAlone(t *testing.T) {
	s := newScene(t)
	right, other := s.Leaf(host), s.Leaf(host)
	s.ACM("right", right)
	s.HTTPS("api", host, ok("10.0.0.1", other)).Target.Service = "production/api"
	s.Round.Manifests = []observation.Declaration{{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arnOf("right")}, Source: target.Position{File: "api.yaml", Line: 7}}}
	s.only(finding.DriftDeclared)
}
