package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestAddressBlocked(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseConnect, observation.Blocked, true},
		{observation.PhaseConnect, observation.Refused, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.AddressBlocked)
			continue
		}
		f := s.one(finding.AddressBlocked, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}

func TestAddressBlockedOfACertificate(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.TLS.Issuers = []observation.FetchedIssuer{{URL: "http://ca.test/ca.der", Failure: "status 500"}}
	s.HTTPS("api", host, a)
	s.only()
	crl := observation.Revocation{Source: observation.CRL, URL: "http://169.254.169.254/\x1b.crl", Status: observation.NoAnswer, Blocked: true}
	s.Round.Endpoints[0].Addresses[0].TLS.Revocation = []observation.Revocation{crl, crl}
	s.only(finding.AddressBlocked)
	f := s.one(finding.AddressBlocked, finding.Info)
	if urls, _ := f.Evidence["urls"].([]string); len(urls) != 1 || strings.Contains(f.Summary+urls[0], "\x1b") {
		t.Errorf("%q, %v", f.Summary, f.Evidence)
	}
}
