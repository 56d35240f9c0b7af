package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestTLSVersionOld(t *testing.T) {
	for version, want := range map[string]bool{"TLS 1.0": true, "TLS 1.1": true, "SSL 3.0": true, "TLS 1.2": false, "TLS 1.3": false} {
		s := newScene(t)
		a := ok("10.0.0.1", s.Leaf(host))
		a.TLS.Version = version
		s.HTTPS("api", host, a)
		if !want {
			s.only()
			continue
		}
		s.only(finding.TLSVersionOld)
		if f := s.one(finding.TLSVersionOld, finding.Critical); f.Evidence["version"] != version {
			t.Errorf("evidence %v", f.Evidence)
		}
	}
}

func TestTLSVersionOldWithoutAHandshake(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseTLS, observation.VersionOld))
	s.only(finding.TLSVersionOld)
	a := failing("10.0.0.1", observation.PhaseTLS, observation.VersionOld)
	a.TLS = &observation.TLS{Version: "TLS 1.0", Chain: s.Leaf(host).Served()}
	s.Round.Endpoints[0].Addresses[0] = a
	s.only(finding.TLSVersionOld) // seen twice, told once
}
