package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestTLSTimeout(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseTLS, observation.TimedOut, true},
		{observation.PhaseStartTLS, observation.TimedOut, true},
		{observation.PhaseConnect, observation.TimedOut, false},
		{observation.PhaseBody, observation.TimedOut, false},
	} {
		s := newScene(t)
		s.https("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.TLSTimeout)
			continue
		}
		f := s.one(finding.TLSTimeout, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}

func TestTLSTimeoutBeforeSTARTTLS(t *testing.T) {
	s := newScene(t)
	s.https("relay", host, failing("10.0.0.1", observation.PhaseStartTLS, observation.TimedOut)).Target.Kind = target.IMAP
	if f := s.one(finding.TLSTimeout, finding.Critical); !strings.Contains(f.Remedy, "speaks imap on this port") || !strings.Contains(f.Remedy, "tls URL") {
		t.Errorf("%q", f.Remedy)
	}
}
