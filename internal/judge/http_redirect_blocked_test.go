package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestHTTPRedirectBlocked(t *testing.T) {
	hop := observation.Hop{URL: "http://169.254.169.254/", Kind: target.HTTP, Host: "169.254.169.254", Port: 80}
	before, atDial, inDNS := hop, hop, hop
	before.Blocked = "link-local"
	atDial.Addresses = []observation.Address{{Address: "169.254.169.254:80", Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Blocked, Detail: "link-local"}}}
	inDNS.DNS.Failure = &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.Blocked}
	for name, h := range map[string]observation.Hop{"before the look-up": before, "at dial time": atDial, "all answers blocked": inDNS} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			a := ok("10.0.0.1", s.Leaf(host))
			a.HTTP.Status, a.HTTP.Hops = 302, []observation.Hop{h}
			s.HTTPS("api", host, a)
			s.only(finding.HTTPRedirectBlocked)
		})
	}
	s := newScene(t)
	s.HTTPS("api", host, redirecting(s, 200, "a.example.org"))
	s.only()
}
