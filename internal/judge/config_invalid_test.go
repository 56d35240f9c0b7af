package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestConfigInvalid(t *testing.T) {
	s := newScene(t)
	s.Round.Diagnostics = []observation.Diagnostic{{
		Position: target.Position{File: "certdrift.yaml", Line: 9, Column: 5}, Message: "unknown key \"urll\"", Hint: "did you mean url?",
		Environment: "production", Endpoint: "api",
	}}
	s.HTTPS("other", host, ok("10.0.0.1", s.Leaf(host)))
	s.only(finding.ConfigInvalid)
	f := s.one(finding.ConfigInvalid, finding.Critical)
	if f.Endpoint != "api" || f.AllEvidence()["line"] != 9 || f.Evidence["hint"] != "did you mean url?" || !strings.HasPrefix(f.Summary, "certdrift.yaml:9: ") ||
		!strings.HasPrefix(f.Remedy, "Did you mean url? Fix certdrift.yaml:9") {
		t.Errorf("%+v", f)
	}
}

func TestConfigInvalidOfANameThatFitsSeveral(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Classic("a1", s.ACM("a", leaf))
	s.Classic("a1", arnOf("a")).Region = "eu-west-1"
	e := behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
	s.only(finding.ConfigInvalid)
	if f := s.one(finding.ConfigInvalid, finding.Critical); len(f.Evidence["candidates"].([]string)) != 2 || !strings.Contains(f.Remedy, "region") {
		t.Errorf("%+v", f)
	}
	e.Target.LoadBalancer.Region = region
	s.only(finding.ListenerUnmanaged) // the other one, which nobody names now
}
