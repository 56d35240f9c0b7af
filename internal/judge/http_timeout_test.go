package judge

import (
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestHTTPTimeout(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseHeaders, observation.TimedOut, true},
		{observation.PhaseBody, observation.TimedOut, true},
		{observation.PhaseTLS, observation.TimedOut, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.HTTPTimeout)
			continue
		}
		f := s.one(finding.HTTPTimeout, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}

// TestHTTPTimeoutOfTheWhole: a server that was given less than the timeout is not said to have had all of it.
func TestHTTPTimeoutOfTheWhole(t *testing.T) {
	for hurried, want := range map[bool]string{false: "within 5s", true: "before the time limit for all redirects expired"} {
		s := newScene(t)
		a := failing("10.0.0.1", observation.PhaseHeaders, observation.TimedOut)
		a.Failure.Hurried = hurried
		s.HTTPS("api", host, a).Target.Timeout = 5 * time.Second
		if f := s.one(finding.HTTPTimeout, finding.Critical); !strings.HasSuffix(f.Summary, "did not respond to the request "+want) {
			t.Errorf("hurried %v: %s", hurried, f.Summary)
		}
	}
}
