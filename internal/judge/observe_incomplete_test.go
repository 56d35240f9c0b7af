package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestObserveIncomplete(t *testing.T) {
	s := newScene(t)
	s.https("api", host, ok("10.0.0.1", s.leafUntil(noon.AddDate(0, 0, -1), "x"))).Probed = false
	s.round.ObserveErrors = []observation.ObserveError{{Kind: observation.Incomplete, Operation: "round", Environment: "production", Endpoint: "api", Detail: "the deadline came first"}}
	s.only(finding.ObserveIncomplete) // none of the endpoint's own
	if f := s.one(finding.ObserveIncomplete, finding.Warning); f.Endpoint != "api" || f.Environment != "production" {
		t.Errorf("%+v", f)
	}
	s.round.ObserveErrors = append(s.round.ObserveErrors, observation.ObserveError{Kind: observation.Incomplete, Operation: "round", Environment: "production", Endpoint: "ui"})
	if f := s.one(finding.ObserveIncomplete, finding.Warning); len(f.Affects) != 2 || f.Endpoint != "" {
		t.Errorf("%+v", f)
	}
}

func TestObserveIncompleteOfAURLWithoutEnvironment(t *testing.T) {
	s := newScene(t)
	s.round.ObserveErrors = []observation.ObserveError{{Kind: observation.Incomplete, Operation: "probe", Endpoint: "https://a.example.org", Detail: "cut short"}}
	if f := s.one(finding.ObserveIncomplete, finding.Warning); f.Endpoint != "https://a.example.org" || !strings.Contains(f.Summary, "(https://a.example.org)") {
		t.Errorf("%+v", f)
	}
}

func TestObserveIncompleteNamesAddressesLeftOut(t *testing.T) {
	s := newScene(t)
	s.https("api", host, ok("10.0.0.1", s.leaf(host))).DNS.Omitted = 3
	s.only(finding.ObserveIncomplete)
	if s.one(finding.ObserveIncomplete, finding.Info); !s.judge().Complete {
		t.Error("a bound of certdrift's own makes no round incomplete")
	}
}

func TestObserveIncompleteNamesWhatWasNotCompared(t *testing.T) {
	s := newScene(t)
	leaf := s.leaf(host)
	behind(s.https("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("right"))
	behind(s.https("ui", host, ok("10.0.0.1", leaf)), "a1", arnOf("right"))
	f := s.one(finding.ObserveIncomplete, finding.Warning)
	if len(f.Affects) != 2 || s.judge().Complete {
		t.Errorf("%+v", f)
	}
	// Attached under the declared ARN: that is agreement enough, though ACM would not say what it holds.
	s.classic("a1", arnOf("right"))
	s.round.Certificates = []observation.Certificate{{ARN: arnOf("right"), Unreadable: true}}
	s.only()
}

// TestObserveIncompleteNeedsNoObserveError: an endpoint that nobody probed is not clean, whether the round says why or not.
func TestObserveIncompleteNeedsNoObserveError(t *testing.T) {
	s := newScene(t)
	s.https("api", host, ok("10.0.0.1", s.leaf(host))).Probed = false
	s.only(finding.ObserveIncomplete)
	if f := s.one(finding.ObserveIncomplete, finding.Warning); f.Endpoint != "api" || s.judge().Complete {
		t.Errorf("%+v", f)
	}
}
