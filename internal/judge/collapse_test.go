package judge

import (
	"slices"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestCollapse(t *testing.T) {
	refused := func(ip string) observation.Address {
		return failing(ip, observation.PhaseConnect, observation.Refused)
	}
	s := newScene(t)
	s.HTTPS("all", host, refused("10.0.0.2"), refused("10.0.0.1"))
	f := s.one(finding.ConnectRefused, finding.Critical)
	if list, _ := f.Evidence["addresses"].([]string); f.Address != "" || !slices.Equal(list, []string{"10.0.0.1:443", "10.0.0.2:443"}) {
		t.Errorf("address %q, addresses %v", f.Address, f.Evidence["addresses"])
	}

	s = newScene(t)
	s.HTTPS("one of two", host, refused("10.0.0.1"), ok("10.0.0.2", s.Leaf(host)))
	if f := s.one(finding.ConnectRefused, finding.Critical); f.Address != "10.0.0.1:443" {
		t.Errorf("address %q", f.Address)
	}

	s = newScene(t)
	s.HTTPS("a single one", host, refused("10.0.0.1"))
	if f := s.one(finding.ConnectRefused, finding.Critical); f.Address != "10.0.0.1:443" {
		t.Errorf("a single address is kept, not %q", f.Address)
	}
}

func TestCollapseReportsASharedHopOnce(t *testing.T) {
	s := newScene(t)
	a := redirecting(s, 500, "a.example.org")
	b := a
	b.Address = "10.0.0.2:443"
	s.HTTPS("api", host, a, b)
	f := s.one(finding.HTTPStatus, finding.Critical)
	if f.Address != "10.0.1.1:443" {
		t.Errorf("address %q: the hop has just the one", f.Address)
	}
}

func TestMergeNamesWhatDiffers(t *testing.T) {
	f := merge([]finding.Finding{
		{Address: "b:1", Evidence: finding.Evidence{"status": 500, "body": "x"}},
		{Address: "a:1", Evidence: finding.Evidence{"status": 500, "body": "y"}},
	})
	each, _ := f.Evidence["body"].(map[string]any)
	if f.Evidence["status"] != 500 || each["a:1"] != "y" || each["b:1"] != "x" {
		t.Errorf("evidence %v", f.Evidence)
	}
}
