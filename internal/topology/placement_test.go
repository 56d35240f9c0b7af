package topology

import (
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// sits gives the label of the listener that the scene's only endpoint sits behind.
func sits(s *scene) string {
	t := s.build()
	if l := t.Endpoints[0].Listener; l != nil {
		return l.Label() + "@" + l.LoadBalancer.Region
	}
	return ""
}

func TestPlacement(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *scene, e *observation.Endpoint, lb *observation.LoadBalancer)
		want string
	}{
		{"nothing known", func(*scene, *observation.Endpoint, *observation.LoadBalancer) {}, ""},
		{"by name", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "a1"}
		}, "a1:443@us-west-2"},
		{"by name, in another region", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "a1", Port: 443, Region: "eu-west-1"}
		}, ""},
		{"by the in-tree provider's tag", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"kubernetes.io/service-name": "production/api"}
		}, "a1:443@us-west-2"},
		{"by the controller's tag for Services", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"service.k8s.aws/stack": "production/api"}
		}, "a1:443@us-west-2"},
		{"by EKS Auto Mode's tag for Services", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"service.eks.amazonaws.com/stack": "production/api"}
		}, "a1:443@us-west-2"},
		{"by EKS Auto Mode's tag for Ingresses", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"ingress.eks.amazonaws.com/stack": "production/api"}
		}, "a1:443@us-west-2"},
		{"by an Ingress's group", func(s *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"ingress.k8s.aws/stack": "shared"}
			s.Round.Manifests = []observation.Declaration{{Service: "production/api", Group: "shared", Port: 443}}
		}, "a1:443@us-west-2"},
		{"by another Service's tag", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, lb.Tags = "production/api", map[string]string{"kubernetes.io/service-name": "production/ui"}
		}, ""},
		{"by CNAME", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.DNS.CanonicalName = "a1.elb.amazonaws.com"
		}, "a1:443@us-west-2"},
		{"by dual-stack CNAME", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.DNS.CanonicalName = "dualstack.a1.elb.amazonaws.com"
		}, "a1:443@us-west-2"},
		{"by its own name", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.Target.Host = "a1.elb.amazonaws.com"
		}, "a1:443@us-west-2"},
		{"by addresses", func(_ *scene, _ *observation.Endpoint, lb *observation.LoadBalancer) {
			lb.Addresses = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}
		}, "a1:443@us-west-2"},
		{"by some of the addresses only", func(_ *scene, _ *observation.Endpoint, lb *observation.LoadBalancer) {
			lb.Addresses = []string{"10.0.0.1"}
		}, ""},
		{"not by DNS with connect_to", func(_ *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.ConnectTo, e.DNS.Skipped = []string{"10.0.0.1:443"}, true
			lb.Addresses = []string{"10.0.0.1", "10.0.0.2"}
		}, ""},
		{"another port", func(_ *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.DNS.CanonicalName, e.Target.Port = "a1.elb.amazonaws.com", 8443
		}, ""},
		{"the name before the DNS", func(s *scene, e *observation.Endpoint, _ *observation.LoadBalancer) {
			e.DNS.CanonicalName = "a1.elb.amazonaws.com"
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "a2", Port: 443}
			s.Classic("a2", arnOf("a"))
		}, "a2:443@us-west-2"},
		{"a service in two clusters, told apart by DNS", func(s *scene, e *observation.Endpoint, lb *observation.LoadBalancer) {
			e.Target.Service, e.DNS.CanonicalName = "production/api", "a2.elb.amazonaws.com"
			lb.Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
			s.Classic("a2", arnOf("a")).Tags = lb.Tags
		}, "a2:443@us-west-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			leaf := s.Leaf(host)
			e := s.HTTPS("api", host, ok("10.0.0.1", leaf), ok("10.0.0.2", leaf))
			c.do(s, e, s.Classic("a1", s.ACM("a", leaf)))
			if got := sits(s); got != c.want {
				t.Errorf("sits behind %q, want %q", got, c.want)
			}
		})
	}
}

func TestDeclarationsByHostWhereNothingElseIsKnown(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	s.Round.Manifests = []observation.Declaration{
		{Object: "Ingress web/site", Port: 443, Hosts: []string{"*.example.org"}},
		{Object: "Ingress web/other", Port: 443, Hosts: []string{"other.example.org"}},
		{Object: "Ingress web/port", Port: 8443, Hosts: []string{host}},
	}
	ds := s.build().Endpoints[0].Declarations
	if len(ds) != 1 || ds[0].Object != "Ingress web/site" {
		t.Errorf("%d declarations", len(ds))
	}
}
