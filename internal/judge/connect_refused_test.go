package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// A host without IPv6 says nothing of an endpoint that is reached over IPv4.
func TestConnectRefusedByThisMachineItself(t *testing.T) {
	s := newScene(t)
	local := failing("[2001:db8::1]", observation.PhaseConnect, observation.Unreachable)
	local.Failure.Local = true
	e := s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)), local)
	s.only(finding.ConnectRefused)
	s.one(finding.ConnectRefused, finding.Info)
	e.Addresses = e.Addresses[1:]
	s.one(finding.ConnectRefused, finding.Critical) // nobody saw the endpoint at all
}

func TestConnectRefused(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseConnect, observation.Refused, true},
		{observation.PhaseConnect, observation.Unreachable, true},
		{observation.PhaseConnect, observation.TimedOut, false},
		{observation.PhaseConnect, observation.Reset, false},
		{observation.PhaseTLS, observation.Closed, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.ConnectRefused)
			continue
		}
		f := s.one(finding.ConnectRefused, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}
