package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestListenerPolicyOld(t *testing.T) {
	for _, c := range []struct {
		policy    string
		protocols []string
		old       bool
	}{
		{"", nil, false},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", []string{"TLSv1.2", "TLSv1.3"}, false},
		{"ELBSecurityPolicy-2016-08", []string{"TLSv1", "TLSv1.1", "TLSv1.2"}, true},
		{"mine", []string{"Protocol-TLSv1.1", "Protocol-TLSv1.2"}, true},
		{"mine", []string{"Protocol-TLSv1.2"}, false},
		{"ELBSecurityPolicy-2016-08", nil, true},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", nil, false},
		{"ELBSecurityPolicy-FS-1-2-Res-2020-10", nil, false},
	} {
		s := newScene(t)
		leaf := s.Leaf(host)
		l := &s.Classic("a1", s.ACM("a", leaf)).Listeners[0]
		l.Policy, l.Protocols = c.policy, c.protocols
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
		if !c.old {
			s.only()
			continue
		}
		s.only(finding.ListenerPolicyOld)
		s.one(finding.ListenerPolicyOld, finding.Warning)
		l.Protocol = "TCP"
		if s.Round.LoadBalancers[0].Kind = observation.Network; len(s.has(finding.ListenerPolicyOld)) > 0 {
			t.Error("a listener that ends no TLS has no policy")
		}
	}
}
