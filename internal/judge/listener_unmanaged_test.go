package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestListenerUnmanaged(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	lb := s.Classic("a1", s.ACM("a", leaf))
	s.one(finding.ListenerUnmanaged, finding.Info)
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
	s.only()
	s.Round.Endpoints = nil
	lb.Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
	s.Round.Manifests = []observation.Declaration{{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arnOf("a")}}}
	s.only() // a manifest declares it
	s.Round.Manifests = nil
	s.HTTPS("later", host).Probed = false // may turn out to sit behind it
	s.none(finding.ListenerUnmanaged)
	lb.Listeners[0].Protocol = "TCP"
	s.Round.Endpoints = nil
	s.only()
}

// TestListenersOutOfScopeAreNotReported: a configuration that names its own load balancers hears nothing of others that were read
// on the way to them.
func TestListenersOutOfScopeAreNotReported(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Classic("other", s.ACM("a", s.LeafUntil(noon.AddDate(0, 0, -1), "other.example.net")))
	s.Classic("a1", s.ACM("b", leaf))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
	if len(s.judge().Findings) == 0 {
		t.Fatal("nothing is found of the other load balancer: the test shows nothing")
	}
	s.Round.Unlisted = true
	s.only()
}
