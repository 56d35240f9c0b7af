package judge

import (
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
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

// TestObserveIncompleteNamesManifestsThatWereNotRead: a scheduled round says what its manifests hold that nothing compared. Every check
// ran nevertheless, which is what the heartbeat says.
func TestObserveIncompleteNamesManifestsThatWereNotRead(t *testing.T) {
	unread := func(file string, line int) observation.PassedOver {
		return observation.PassedOver{Position: target.Position{File: file, Line: line, Column: 1}, Object: "Kustomization a", Why: "certdrift does not read it"}
	}
	s := newScene(t)
	s.https("api", host, ok("10.0.0.1", s.leaf(host)))
	s.round.PassedOver = []observation.PassedOver{unread("k8s/a.yaml", 7), unread("k8s/a.yaml", 9)}
	s.only(finding.ObserveIncomplete)
	f := s.one(finding.ObserveIncomplete, finding.Warning)
	if f.Subject.Source.File != "k8s/a.yaml" || f.Subject.Source.Line != 7 || !strings.Contains(f.Summary, "does not read it (and 1 more in this file)") {
		t.Errorf("%+v", f)
	}
	if c := s.judge(); c.Complete || !c.Ran {
		t.Errorf("complete %v, ran %v; want false and true", c.Complete, c.Ran)
	}
	for i := range maxUnread + 4 {
		s.round.PassedOver = append(s.round.PassedOver, unread(fmt.Sprintf("k8s/%d.yaml", i), 1))
	}
	found := s.has(finding.ObserveIncomplete)
	if last := found[len(found)-1]; len(found) != maxUnread || !strings.Contains(fmt.Sprint(found), ", and 5 more files") {
		t.Errorf("%d findings, the last %q", len(found), last.Summary)
	}
	s.round.PassedOver = nil
	undecided := observation.Declaration{
		Object: "Service store/shop", Service: "store/shop", Port: 443, ARNs: []string{arnOf("right")}, UndecidedBecause: "who makes its load balancer",
		Source: target.Position{File: "k8s/shop.yaml", Line: 3},
	}
	s.round.Manifests = []observation.Declaration{undecided}
	if f := s.one(finding.ObserveIncomplete, finding.Warning); s.judge().Complete || !strings.Contains(f.Summary, "k8s/shop.yaml:3 (Service store/shop) was compared with nothing: not known is who") {
		t.Errorf("%+v", f)
	}
	s.round.Manifests[0].ARNs = nil // it names no certificate that could be wrong
	s.only()
	s.round.Manifests, s.round.PassedOver = []observation.Declaration{undecided}, []observation.PassedOver{unread("k8s/a.yaml", 7)}
	s.round.Planned = true // rows say it
	if c := s.judge(); len(s.has(finding.ObserveIncomplete)) > 0 || !c.Complete {
		t.Errorf("a plan: %+v", c)
	}
}
