package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestListenerMissing(t *testing.T) {
	base := func() *scene {
		s := newScene(t)
		behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))), "gone", "").Target.LoadBalancer.Region = region
		s.Classic("other", s.ACM("a", s.Leaf(host)))
		return s
	}
	s := base()
	f := s.one(finding.ListenerMissing, finding.Critical)
	if f.Listener != "gone:443" || f.Endpoint != "api" || f.AllEvidence()["region"] != region {
		t.Errorf("%+v", f)
	}
	denied := observation.ObserveError{Kind: observation.Denied, Operation: "elasticloadbalancing:DescribeLoadBalancers", Region: region}
	for name, spoil := range map[string]func(*scene){
		"AWS was not asked":      func(s *scene) { s.Round.ListenersRead = false },
		"the region was refused": func(s *scene) { s.Round.ObserveErrors = []observation.ObserveError{denied} },
		"another account was not reached": func(s *scene) {
			s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: "sts:AssumeRole"}}
		},
		"an event narrowed the round": func(s *scene) { s.Round.Only = []string{"other"} },
		"the round ended before its time": func(s *scene) {
			s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Incomplete, Operation: "round"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := base()
			spoil(s)
			s.none(finding.ListenerMissing)
		})
	}
	s = base()
	denied.Region = "eu-west-1"
	s.Round.ObserveErrors = []observation.ObserveError{denied, {Kind: observation.Incomplete, Operation: "probe", Environment: "production", Endpoint: "x"}}
	s.one(finding.ListenerMissing, finding.Critical) // an observe error elsewhere hides nothing here
	s.Round.Only = []string{"arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/gone"}
	s.one(finding.ListenerMissing, finding.Critical)
}

func TestListenerMissingPort(t *testing.T) {
	s := newScene(t)
	lb := s.Classic("a1", s.ACM("a", s.Leaf(host)))
	behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))), "a1", "").Target.LoadBalancer.Port = 8443
	behind(s.HTTPS("ui", host, ok("10.0.0.1", s.Leaf(host))), "a1", "").Target.LoadBalancer.Port = 8443
	f := s.one(finding.ListenerMissing, finding.Critical)
	if f.Listener != "a1:8443" || len(f.Affects) != 2 || f.Cause != "listener:a1:8443@us-west-2/111122223333" {
		t.Errorf("%+v", f)
	}
	lb.Partial = true
	s.none(finding.ListenerMissing)
}
