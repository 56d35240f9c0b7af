package judge

import (
	"fmt"
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// largeScene is an account with many listeners, and one listener that many endpoints share.
func largeScene(t testing.TB, listeners, endpoints int) *scene {
	s := newScene(t)
	leaf, shared := s.Leaf(host), s.Leaf("*.shared.example.org")
	s.ACM("a", leaf)
	var all []string
	for i := range 20 {
		all = append(all, s.ACM(fmt.Sprint("shared", i), shared))
	}
	for i := range listeners {
		name := fmt.Sprint("lb", i)
		s.Classic(name, arnOf("a")).Tags = map[string]string{"kubernetes.io/service-name": "production/" + name}
		s.Round.Manifests = append(s.Round.Manifests, observation.Declaration{Service: "production/" + name, Port: 443, ARNs: []string{arnOf("a")}})
	}
	s.ALB("shared", all...)
	for i := range endpoints {
		e := behind(s.HTTPS(fmt.Sprint("shared", i), fmt.Sprintf("h%d.shared.example.org", i), ok("10.0.0.1", shared)), "shared", "")
		e.Target.Declared = &target.Declared{FingerprintSHA256: topology.Fingerprint(leaf.Certificate)}
	}
	return s
}

// A round over a large account is judged in a moment: no rule may cost listeners times endpoints times certificates.
func BenchmarkJudge(b *testing.B) {
	in := largeScene(b, 2000, 5000).input()
	b.ReportAllocs()
	for b.Loop() {
		Judge(in)
	}
}

// What most rounds are: endpoints of which nothing is wrong.
func BenchmarkJudgeHealthy(b *testing.B) {
	s := newScene(b)
	leaf := s.Leaf("*.example.org")
	for i := range 1000 {
		s.HTTPS(fmt.Sprint("e", i), fmt.Sprintf("h%d.example.org", i), ok("10.0.0.1", leaf))
	}
	in := s.input()
	b.ReportAllocs()
	for b.Loop() {
		if c := Judge(in); len(c.Findings) > 0 {
			b.Fatal(c.Findings[0].Summary)
		}
	}
}
