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
	s.round.Manifests = []observation.Declaration{{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arn("a")}}}
	s.only() // a manifest declares it
	s.round.Manifests = nil
	s.https("later", host).Probed = false // may turn out to sit behind it
	s.only()
	lb.Listeners[0].Protocol = "TCP"
	s.round.Endpoints = nil
	s.only()
}
