package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestDNSFailure(t *testing.T) {
	for _, kind := range []observation.FailureKind{observation.NotFound, observation.ResolverFailed, observation.TimedOut, observation.Other} {
		s := newScene(t)
		e := s.HTTPS("api", host)
		e.DNS.Failure = &observation.Failure{Phase: observation.PhaseDNS, Kind: kind, Detail: "lookup failed"}
		s.only(finding.DNSFailure)
		f := s.one(finding.DNSFailure, finding.Critical)
		if f.Cause != "host:"+host || f.Address != "" || f.Evidence["kind"] != string(kind) {
			t.Errorf("%+v", f)
		}
	}
}

func TestDNSFailureOfANameWithoutAddresses(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host)
	s.only(finding.DNSFailure)
	s.Round.Endpoints[0].Probed = false // the round ended before its turn: nothing is known
	s.only(finding.ObserveIncomplete)
}

func TestDNSFailureOfSomeAddressesIsAWarning(t *testing.T) {
	s := newScene(t)
	e := s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	e.DNS.Failure = &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.ResolverFailed}
	s.only(finding.DNSFailure)
	s.one(finding.DNSFailure, finding.Warning)
}

func TestDNSFailureOfAHopIsToldOnce(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	redirect := func(ip string) observation.Address {
		a := ok(ip, leaf)
		a.HTTP.Status = 302
		a.HTTP.Hops = []observation.Hop{{URL: "https://gone.example.org/", Kind: target.HTTPS, Host: "gone.example.org", Port: 443,
			DNS: observation.DNS{Failure: &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.NotFound}}}}
		return a
	}
	s.HTTPS("api", host, redirect("10.0.0.1"), redirect("10.0.0.2"))
	f := s.one(finding.DNSFailure, finding.Critical)
	if f.Subject.Hop != "https://gone.example.org/" || !strings.Contains(f.Summary, "gone.example.org") {
		t.Errorf("%+v", f)
	}
}

// One family of addresses that fails while the other answers is no failure: it is worth knowing that nobody looked there.
func TestDNSFailureOfOneFamilyIsInfo(t *testing.T) {
	s := newScene(t)
	e := s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	e.DNS.Partial = &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.ResolverFailed}
	s.one(finding.DNSFailure, finding.Info)
	s.only(finding.DNSFailure)
}

// So it is of a redirect's target.
func TestDNSFailureOfOneFamilyOfAHopIsInfo(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	a := ok("10.0.0.1", leaf)
	a.HTTP.Status = 302
	a.HTTP.Hops = []observation.Hop{{URL: "https://" + host + ":8443/", Kind: target.HTTPS, Host: host, Port: 8443, Addresses: []observation.Address{ok("10.0.0.2", leaf)},
		DNS: observation.DNS{Addresses: []string{"10.0.0.2"}, Partial: &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.TimedOut}}}}
	s.HTTPS("api", host, a)
	if f := s.one(finding.DNSFailure, finding.Info); f.Subject.Hop != "https://"+host+":8443/" {
		t.Errorf("%+v", f)
	}
}
