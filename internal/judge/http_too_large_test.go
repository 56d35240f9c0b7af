package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestHTTPTooLarge(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseHeaders, observation.TooLarge, true},
		{observation.PhaseBody, observation.TooLarge, true},
		{observation.PhaseBody, observation.Invalid, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.HTTPTooLarge)
			continue
		}
		f := s.one(finding.HTTPTooLarge, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
		if strings.Contains(f.Remedy, "max_size") != (c.phase == observation.PhaseBody) {
			t.Errorf("%s in %s: max_size bounds the body alone: %s", c.kind, c.phase, f.Remedy)
		}
	}
}
