package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestHTTPInvalid(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseHeaders, observation.Invalid, true},
		{observation.PhaseHeaders, observation.Closed, true},
		{observation.PhaseHeaders, observation.SpeaksTLS, true},
		{observation.PhaseHeaders, observation.Unprocessed, true},
		{observation.PhaseBody, observation.Closed, true},
		{observation.PhaseBody, observation.Invalid, true},
		{observation.PhaseHeaders, observation.TooLarge, false},
		{observation.PhaseTLS, observation.Closed, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
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
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status, a.HTTP.Location = 302, "http://[::1/"
	a.Failure = &observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.Invalid, Detail: "no URL"}
	s.HTTPS("api", host, a)
	s.only(finding.HTTPInvalid)
}

// TestHTTPInvalidAtATLSPort: the fix is to the URL, or to the redirect that leads there.
func TestHTTPInvalidAtATLSPort(t *testing.T) {
	failure := observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.SpeaksTLS, Detail: "EOF"}
	s := newScene(t)
	s.HTTPS("api", host, observation.Address{Address: "10.0.0.1:80", Failure: &failure}).Target.Kind = target.HTTP
	if f := s.one(finding.HTTPInvalid, finding.Critical); !strings.Contains(f.Summary, "speaks TLS instead of plain HTTP") || !strings.Contains(f.Remedy, "an https URL") {
		t.Errorf("%q, %q", f.Summary, f.Remedy)
	}
	s = newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status = 301
	a.HTTP.Hops = []observation.Hop{{URL: "http://" + host + ":443/", Kind: target.HTTP, Host: host, Port: 443, Insecure: true,
		Addresses: []observation.Address{{Address: "10.0.0.1:443", Failure: &failure}}}}
	s.HTTPS("api", host, a)
	if f := s.one(finding.HTTPInvalid, finding.Critical); !strings.Contains(f.Remedy, "Fix the redirect") {
		t.Errorf("%q", f.Remedy)
	}
}
