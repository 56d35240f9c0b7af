package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

var everyKind = []observation.FailureKind{
	observation.NotFound, observation.ResolverFailed, observation.TimedOut, observation.Refused, observation.Reset, observation.Closed,
	observation.Unreachable, observation.Blocked, observation.Alert, observation.Plaintext, observation.NotTLS, observation.VersionOld,
	observation.ChainOversized, observation.ChainMalformed, observation.NoCertificate, observation.HandshakeFailed,
	observation.KeyUnusable, observation.ClientCertNeeded, observation.StartTLSRefused, observation.Invalid, observation.SpeaksTLS, observation.Unprocessed,
	observation.TooLarge, observation.Other, "unheard-of", "",
}

var everyPhase = []observation.Phase{
	observation.PhaseDNS, observation.PhaseConnect, observation.PhaseStartTLS, observation.PhaseTLS, observation.PhaseHeaders, observation.PhaseBody, "",
}

// Every failure, at whatever phase, is reported exactly once.
func TestEveryFailureHasExactlyOneFinding(t *testing.T) {
	for _, phase := range everyPhase {
		for _, kind := range everyKind {
			s := newScene(t)
			s.HTTPS("api", host, failing("10.0.0.1", phase, kind))
			fs := s.judge().Findings
			if len(fs) != 1 || fs[0].Severity != finding.Critical {
				t.Errorf("phase %q kind %q: %v", phase, kind, codes(fs))
			}
		}
	}
}

// So is one that kept the endpoint from having any address.
func TestEveryFailureOfALookUpHasExactlyOneFinding(t *testing.T) {
	for _, kind := range everyKind {
		s := newScene(t)
		s.HTTPS("api", host).DNS.Failure = &observation.Failure{Phase: observation.PhaseDNS, Kind: kind}
		if fs := s.judge().Findings; len(fs) != 1 || fs[0].Severity != finding.Critical {
			t.Errorf("kind %q: %v", kind, codes(fs))
		}
	}
}

// The same holds for a redirect's hop, which the finding names.
func TestEveryFailureOfAHopHasExactlyOneFinding(t *testing.T) {
	for _, phase := range everyPhase {
		for _, kind := range everyKind {
			s := newScene(t)
			a := ok("10.0.0.1", s.Leaf(host))
			a.HTTP.Status = 301
			a.HTTP.Hops = []observation.Hop{{
				URL: "https://www.example.org/", Kind: target.HTTPS, Host: "www.example.org", Port: 443,
				Addresses: []observation.Address{failing("10.0.0.9", phase, kind)},
			}}
			a.HTTP.Hops[0].DNS.Addresses = []string{"10.0.0.9"}
			s.HTTPS("api", host, a)
			fs := s.judge().Findings
			if len(fs) != 1 {
				t.Errorf("phase %q kind %q: %v", phase, kind, codes(fs))
				continue
			}
			named := fs[0].Subject.Hop != ""
			if !named && fs[0].Code != finding.HTTPRedirectBlocked && fs[0].Code != finding.DNSFailure {
				t.Errorf("phase %q kind %q: %s does not name the hop", phase, kind, fs[0].Code)
			}
		}
	}
}
