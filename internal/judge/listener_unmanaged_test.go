package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestListenerUnmanaged(t *testing.T) {
	s := newScene(t)
	leaf := s.leaf(host)
	lb := s.classic("a1", s.acm("a", leaf))
	s.one(finding.ListenerUnmanaged, finding.Info)
	behind(s.https("api", host, ok("10.0.0.1", leaf)), "a1", "")
	s.only()
	s.round.Endpoints = nil
	lb.Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
	s.round.Manifests = []observation.Declaration{{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arnOf("a")}}}
	s.only() // a manifest declares it
	s.round.Manifests = nil
	s.https("later", host).Probed = false // may turn out to sit behind it
	s.none(finding.ListenerUnmanaged)
	lb.Listeners[0].Protocol = "TCP"
	s.round.Endpoints = nil
	s.only()
}

// TestListenersOutOfScopeAreNotReported: a configuration that names its own load balancers hears nothing of others that were read
// on the way to them.
func TestListenersOutOfScopeAreNotReported(t *testing.T) {
	s := newScene(t)
	leaf := s.leaf(host)
	s.classic("other", s.acm("a", s.leafUntil(noon.AddDate(0, 0, -1), "other.example.net")))
	s.classic("a1", s.acm("b", leaf))
	behind(s.https("api", host, ok("10.0.0.1", leaf)), "a1", "")
	if len(s.judge().Findings) == 0 {
		t.Fatal("nothing is found of the other load balancer: the test shows nothing")
	}
	s.round.Unlisted = true
	s.only()
}
