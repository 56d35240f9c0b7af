package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestHTTPInvalid(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseHeaders, observation.Invalid, true},
		{observation.PhaseHeaders, observation.Closed, true},
		{observation.PhaseBody, observation.Closed, true},
		{observation.PhaseBody, observation.Invalid, true},
		{observation.PhaseHeaders, observation.TooLarge, false},
		{observation.PhaseTLS, observation.Closed, false},
	} {
		s := newScene(t)
		s.https("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.HTTPInvalid)
			continue
		}
		f := s.one(finding.HTTPInvalid, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}

func TestHTTPInvalidRedirect(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.leaf(host))
	a.HTTP.Status, a.HTTP.Location = 302, "http://[::1/"
	a.Failure = &observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.Invalid, Detail: "no URL"}
	s.https("api", host, a)
	s.only(finding.HTTPInvalid)
}
