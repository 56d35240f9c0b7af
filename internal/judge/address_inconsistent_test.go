package judge

import (
	"slices"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

func TestAddressInconsistent(t *testing.T) {
	s := newScene(t)
	a, b := s.Leaf(host), s.Leaf(host)
	wider := s.Leaf(host, "www.example.org")
	expired := s.LeafUntil(noon.AddDate(0, 0, -1), host)
	broken := func(ip string) observation.Address { // the same certificate, with something after it that nobody can read
		address := ok(ip, a)
		address.TLS.Chain = append(slices.Clone(address.TLS.Chain), []byte("garbage"))
		return address
	}
	for _, c := range []struct {
		name      string
		addresses []observation.Address
		declared  *target.Declared
		want      finding.Severity
	}{
		{"one certificate", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", a)}, nil, finding.None},
		{"a rollout, nothing declared", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", b)}, nil, finding.Info},
		{"other names", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", wider)}, nil, finding.Warning},
		{"one of them bad", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", a), ok("10.0.0.3", expired)}, nil, finding.Warning},
		{"a rollout, one chain broken", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", b), broken("10.0.0.3")}, nil, finding.Warning},
		{"a rollout, the first chain broken", []observation.Address{broken("10.0.0.1"), ok("10.0.0.2", b), ok("10.0.0.3", a)}, nil, finding.Warning},
		{"both as declared", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", b)}, &target.Declared{Issuer: "Scene Root"}, finding.None},
		{"one not as declared", []observation.Address{ok("10.0.0.1", a), ok("10.0.0.2", b)}, &target.Declared{FingerprintSHA256: topology.Fingerprint(a.Certificate)}, finding.Warning},
		{"one does not answer", []observation.Address{ok("10.0.0.1", a), failing("10.0.0.2", observation.PhaseTLS, observation.TimedOut)}, nil, finding.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.HTTPS("api", host, c.addresses...).Target.Declared = c.declared
			if c.want == finding.None {
				s.none(finding.AddressInconsistent)
				return
			}
			if f := s.one(finding.AddressInconsistent, c.want); len(f.AllEvidence()["served"].([]any)) != 2 {
				t.Errorf("evidence %v", f.Evidence)
			}
		})
	}
}

func TestAddressInconsistentWithTwoAttachedOrSettling(t *testing.T) {
	s := newScene(t)
	a, b := s.Leaf(host), s.Leaf(host)
	s.ALB("web", s.ACM("default", s.Leaf("other.example.org")), s.ACM("a", a), s.ACM("b", b))
	behind(s.HTTPS("api", host, ok("10.0.0.1", a), ok("10.0.0.2", b)), "web", "")
	s.only() // both are attached for the name, and the load balancer may choose either
	s.Round.LoadBalancers[0].Listeners[0].Certificates = attach(arnOf("a"))
	s.only(finding.AddressInconsistent, finding.DriftServed)
	s.Round.Changes = []observation.Change{{Event: "ModifyListener", At: noon.Add(-time.Minute), LoadBalancer: "web", Region: region}}
	s.only()
}
