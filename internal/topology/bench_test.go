package topology

import (
	"fmt"
	"testing"

	"certdrift/internal/observation"
)

// BenchmarkBuild joins a large account: many listeners, each with an endpoint of its own that serves what is attached.
func BenchmarkBuild(b *testing.B) {
	s := newScene(b)
	leaf := s.Leaf("*.example.org")
	arn := s.ACM("a", leaf)
	for i := range 2000 {
		name := fmt.Sprint("lb", i)
		s.Classic(name, arn).Tags = map[string]string{"kubernetes.io/service-name": "production/" + name}
		s.HTTPS(name, fmt.Sprintf("h%d.example.org", i), ok("10.0.0.1", leaf)).Target.Service = "production/" + name
		s.Round.Manifests = append(s.Round.Manifests, observation.Declaration{Service: "production/" + name, Port: 443, ARNs: []string{arn}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if t := s.build(); t.Endpoints[0].Listener == nil {
			b.Fatal("an endpoint has no listener")
		}
	}
}
