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
	s.HTTPS("api", host, ok("10.0.0.1", s.LeafUntil(noon.AddDate(0, 0, -1), "x"))).Probed = false
	s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Incomplete, Operation: "round", Environment: "production", Endpoint: "api", Detail: "the deadline came first"}}
	s.only(finding.ObserveIncomplete) // none of the endpoint's own
	if f := s.one(finding.ObserveIncomplete, finding.Warning); f.Endpoint != "api" || f.Environment != "production" {
		t.Errorf("%+v", f)
	}
	s.Round.ObserveErrors = append(s.Round.ObserveErrors, observation.ObserveError{Kind: observation.Incomplete, Operation: "round", Environment: "production", Endpoint: "ui"})
	if f := s.one(finding.ObserveIncomplete, finding.Warning); len(f.Affects) != 2 || f.Endpoint != "" {
		t.Errorf("%+v", f)
	}
}

func TestObserveIncompleteOfAURLWithoutEnvironment(t *testing.T) {
	s := newScene(t)
	s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Incomplete, Operation: "probe", Endpoint: "https://a.example.org", Detail: "cut short"}}
	if f := s.one(finding.ObserveIncomplete, finding.Warning); f.Endpoint != "https://a.example.org" || !strings.Contains(f.Summary, "(https://a.example.org)") {
		t.Errorf("%+v", f)
	}
}

func TestObserveIncompleteNamesAddressesLeftOut(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))).DNS.Omitted = 3
	s.only(finding.ObserveIncomplete)
	if s.one(finding.ObserveIncomplete, finding.Info); !s.judge().Complete {
		t.Error("a bound of certdrift's own makes no round incomplete")
	}
}

func TestObserveIncompleteNamesWhatWasNotCompared(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("right"))
	behind(s.HTTPS("ui", host, ok("10.0.0.1", leaf)), "a1", arnOf("right"))
	f := s.one(finding.ObserveIncomplete, finding.Warning)
	if len(f.Affects) != 2 || s.judge().Complete {
		t.Errorf("%+v", f)
	}
	// Attached under the declared ARN: that is agreement enough, though ACM would not say what it holds.
	s.Classic("a1", arnOf("right"))
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("right"), Unreadable: true}}
	s.only()
}

// TestObserveIncompleteNeedsNoObserveError: an endpoint that nobody probed is not clean, whether the round says why or not.
func TestObserveIncompleteNeedsNoObserveError(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))).Probed = false
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
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	s.Round.PassedOver = []observation.PassedOver{unread("k8s/a.yaml", 7), unread("k8s/a.yaml", 9)}
	s.only(finding.ObserveIncomplete)
	f := s.one(finding.ObserveIncomplete, finding.Warning)
	if f.Subject.Source.File != "k8s/a.yaml" || f.Subject.Source.Line != 7 || !strings.Contains(f.Summary, "does not read it (and 1 more in this file)") {
		t.Errorf("%+v", f)
	}
	if c := s.judge(); c.Complete || !c.Ran {
		t.Errorf("complete %v, ran %v; want false and true", c.Complete, c.Ran)
	}
	for i := range maxUnread + 4 {
		s.Round.PassedOver = append(s.Round.PassedOver, unread(fmt.Sprintf("k8s/%d.yaml", i), 1))
	}
	found := s.has(finding.ObserveIncomplete)
	if last := found[len(found)-1]; len(found) != maxUnread || !strings.Contains(fmt.Sprint(found), ", and 5 more files") {
		t.Errorf("%d findings, the last %q", len(found), last.Summary)
	}
	s.Round.PassedOver = nil
	undecided := observation.Declaration{
		Object: "Service store/shop", Service: "store/shop", Port: 443, ARNs: []string{arnOf("right")}, UndecidedBecause: "who makes its load balancer",
		Source: target.Position{File: "k8s/shop.yaml", Line: 3},
	}
	s.Round.Manifests = []observation.Declaration{undecided}
	if f := s.one(finding.ObserveIncomplete, finding.Warning); s.judge().Complete || !strings.Contains(f.Summary, "k8s/shop.yaml:3 (Service store/shop) was compared with nothing: not known is who") {
		t.Errorf("%+v", f)
	}
	s.Round.Manifests[0].ARNs = nil // it names no certificate that could be wrong
	s.only()
	s.Round.Manifests, s.Round.PassedOver = []observation.Declaration{undecided}, []observation.PassedOver{unread("k8s/a.yaml", 7)}
	s.Round.Planned = true // rows say it
	if c := s.judge(); len(s.has(finding.ObserveIncomplete)) > 0 || !c.Complete {
		t.Errorf("a plan: %+v", c)
	}
}
