package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestConnectReset(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseConnect, observation.Reset, true},
		{observation.PhaseStartTLS, observation.Reset, true},
		{observation.PhaseTLS, observation.Reset, true},
		{observation.PhaseHeaders, observation.Reset, true},
		{observation.PhaseBody, observation.Reset, true},
		{observation.PhaseTLS, observation.Closed, false},
		{observation.PhaseHeaders, observation.Closed, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.ConnectReset)
			continue
		}
		f := s.one(finding.ConnectReset, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}
