package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestConnectTimeout(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseConnect, observation.TimedOut, true},
		{observation.PhaseTLS, observation.TimedOut, false},
		{observation.PhaseHeaders, observation.TimedOut, false},
		{observation.PhaseConnect, observation.Refused, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.ConnectTimeout)
			continue
		}
		f := s.one(finding.ConnectTimeout, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}
