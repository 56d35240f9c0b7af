package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestDriftServed(t *testing.T) {
	s := newScene(t)
	right, old := s.Leaf(host), s.Leaf(host)
	s.Classic("a1", s.ACM("right", right))
	behind(s.HTTPS("api", host, ok("10.0.0.1", right), ok("10.0.0.2", old)), "a1", arnOf("right"))
	f := s.one(finding.DriftServed, finding.Critical)
	if f.Address != "10.0.0.2:443" || f.Listener != "a1:443" || f.Endpoint != "api" {
		t.Errorf("%+v", f)
	}
	s.Round.Endpoints[0].Addresses = []observation.Address{ok("10.0.0.1", old), ok("10.0.0.2", old)}
	if f := s.one(finding.DriftServed, finding.Critical); f.Address != "" {
		t.Errorf("both addresses serve it, the finding is on %s", f.Address)
	}
	s.Round.Endpoints[0].Addresses = []observation.Address{ok("10.0.0.1", right)}
	s.only()
}

func TestDriftServedOfATwinIsAWarning(t *testing.T) {
	s := newScene(t)
	right := s.Leaf(host)
	before, err := s.Root().LeafWithKey(noon, []string{host}, right.Key)
	if err != nil {
		t.Fatal(err)
	}
	s.Classic("a1", s.ACM("right", right))
	behind(s.HTTPS("api", host, ok("10.0.0.1", before)), "a1", arnOf("right"))
	s.one(finding.DriftServed, finding.Warning)
}

func TestDriftServedWaitsForTheSettleTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		change observation.Change
		waits  bool
	}{
		{"just changed", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Minute), LoadBalancer: "a1", Port: 443}, true},
		{"changed long ago", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-3 * time.Minute), LoadBalancer: "a1", Port: 443}, false},
		{"a rule's change", observation.Change{Event: "ModifyRule", At: noon.Add(-time.Minute), LoadBalancer: "a1"}, false},
		{"another port", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Minute), LoadBalancer: "a1", Port: 8443}, false},
		{"another load balancer", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Minute), LoadBalancer: "a2"}, false},
		{"another region", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Minute), LoadBalancer: "a1", Region: "eu-west-1"}, false},
		{"another account", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Minute), LoadBalancer: "a1", Account: "999"}, false},
		{"in the far future", observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(time.Hour), LoadBalancer: "a1"}, false},
		{"re-imported", observation.Change{Event: "ImportCertificate", At: noon.Add(-time.Minute), Certificates: []string{arnOf("right")}}, true},
		{"IAM's, from us-east-1", observation.Change{Event: "UploadServerCertificate", At: noon.Add(-time.Minute), Region: "us-east-1", Certificates: []string{arnOf("right")}}, true},
		{"only announced", observation.Change{Event: "ACM Certificate Approaching Expiration", At: noon.Add(-time.Minute), Certificates: []string{arnOf("right")}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.Classic("a1", s.ACM("right", s.Leaf(host)))
			behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))), "a1", arnOf("right"))
			s.Round.Changes = []observation.Change{c.change}
			if c.waits {
				s.none(finding.DriftServed)
				return
			}
			s.one(finding.DriftServed, finding.Critical)
		})
	}
}

// A young certificate is no sign of a change: only a reported change is.
func TestDriftServedIgnoresTheCertificatesDates(t *testing.T) {
	s := newScene(t)
	s.Classic("a1", s.ACM("right", s.LeafUntil(noon.Add(90*24*time.Hour-time.Second), host)))
	behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))), "a1", arnOf("right"))
	s.one(finding.DriftServed, finding.Critical)
}

// Where served is neither what is attached nor for the name, both are reported: the mismatch does not depend on the drift.
func TestDriftServedLeavesTheNameMismatch(t *testing.T) {
	s := newScene(t)
	s.Classic("a1", s.ACM("wrong", s.Leaf("old.example.net")))
	behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf("stray.example.net"))), "a1", s.ACM("right", s.Leaf(host)))
	s.only(finding.DriftAttached, finding.DriftServed, finding.CertNameMismatch)
}
