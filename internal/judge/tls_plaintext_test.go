package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestTLSPlaintext(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseTLS, observation.Plaintext, true},
		{observation.PhaseTLS, observation.NotTLS, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.TLSPlaintext)
			continue
		}
		f := s.one(finding.TLSPlaintext, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}
