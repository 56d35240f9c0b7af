package judge

import (
	"slices"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// noon is the time at which every scene is judged.
var noon = certtest.SceneTime

const (
	region  = certtest.Region
	account = certtest.Account
)

// What scenes are made of, by short names.
var (
	arnOf   = certtest.CertificateARN
	ok      = certtest.Serving
	failing = certtest.Failing
	attach  = certtest.Attach
)

// scene is a round under construction, with everything a healthy world has.
type scene struct {
	*certtest.Scene

	t      testing.TB
	policy policy.Thresholds
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return &scene{Scene: certtest.NewScene(t), t: t, policy: policy.DefaultThresholds()}
}

// behind says that an endpoint names its load balancer and declares a certificate.
func behind(e *observation.Endpoint, balancer, declared string) *observation.Endpoint {
	e.Target.LoadBalancer = &target.LoadBalancerRef{Name: balancer, Port: 443}
	if declared != "" {
		e.Target.Declared = &target.Declared{ARN: declared, Source: target.Position{File: "certdrift.yaml", Line: 12}}
	}
	return e
}

func (s *scene) input() Input {
	s.t.Helper()
	store := chain.NewStore([]chain.Anchor{{Certificate: s.Root().Certificate}})
	return Input{Policy: s.policy, Roots: func(target.Roots) *chain.Store { return store }, Now: noon, Round: s.Round}
}

func (s *scene) judge() finding.Conclusion { s.t.Helper(); return Judge(s.input()) }

// has gives the findings of a code.
func (s *scene) has(code finding.Code) []finding.Finding {
	s.t.Helper()
	var out []finding.Finding
	for _, f := range s.judge().Findings {
		if f.Code == code {
			out = append(out, f)
		}
	}
	return out
}

// one asks for exactly one finding of a code.
func (s *scene) one(code finding.Code, severity finding.Severity) finding.Finding {
	s.t.Helper()
	fs := s.has(code)
	if len(fs) != 1 {
		s.t.Fatalf("%d findings of %s, want 1; all: %v", len(fs), code, codes(s.judge().Findings))
	}
	if fs[0].Severity != severity {
		s.t.Errorf("%s is %s, want %s: %s", code, fs[0].Severity, severity, fs[0].Summary)
	}
	return fs[0]
}

// none asks for no finding of a code.
func (s *scene) none(code finding.Code) {
	s.t.Helper()
	if fs := s.has(code); len(fs) > 0 {
		s.t.Errorf("unexpected %s: %s", code, fs[0].Summary)
	}
}

// only asks for these codes and no others, info included.
func (s *scene) only(want ...finding.Code) {
	s.t.Helper()
	got := codes(s.judge().Findings)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("findings %v, want %v", got, want)
		for _, f := range s.judge().Findings {
			s.t.Logf("%s %s %s", f.Severity, f.Code, f.Summary)
		}
	}
}

func codes(fs []finding.Finding) []finding.Code {
	out := []finding.Code{}
	for _, f := range fs {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return out
}
