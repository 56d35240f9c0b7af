package certtest

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// SceneTime is the time of every scene.
var SceneTime = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Region and Account are where the load balancers and certificates of every scene are.
const (
	Region  = "us-west-2"
	Account = "111122223333"
)

// authority is one root for all scenes: making keys is what takes time.
var authority = sync.OnceValues(func() (*pki.Pair, error) { return pki.Root("Scene Root", SceneTime) })

// Scene is a round under construction, for the tests of what is made of rounds.
type Scene struct {
	Round observation.Round

	t testing.TB
}

// NewScene returns a round in which nothing was observed yet.
func NewScene(t testing.TB) *Scene {
	t.Helper()
	return &Scene{t: t, Round: observation.Round{Schema: observation.Schema, Started: SceneTime, Finished: SceneTime}}
}

// Root returns the authority that issues every certificate of every scene.
func (s *Scene) Root() *pki.Pair {
	s.t.Helper()
	root, err := authority()
	if err != nil {
		s.t.Fatal(err)
	}
	return root
}

// Leaf issues a certificate with 60 of its 90 days left.
func (s *Scene) Leaf(names ...string) *pki.Pair {
	s.t.Helper()
	return s.LeafUntil(SceneTime.AddDate(0, 0, 60), names...)
}

// LeafUntil issues a certificate for 90 days that ends at a time.
func (s *Scene) LeafUntil(end time.Time, names ...string) *pki.Pair {
	s.t.Helper()
	leaf, err := s.Root().Leaf(SceneTime, names, pki.Valid(end.AddDate(0, 0, -90), end))
	if err != nil {
		s.t.Fatal(err)
	}
	return leaf
}

// CertificateARN returns the ARN of an ACM certificate of the scene's account.
func CertificateARN(name string) string {
	return fmt.Sprintf("arn:aws:acm:%s:%s:certificate/%s", Region, Account, name)
}

// ACM puts a certificate into ACM and returns its ARN.
func (s *Scene) ACM(name string, p *pki.Pair) string {
	s.Round.Certificates = append(s.Round.Certificates, observation.Certificate{
		ARN: CertificateARN(name), Chain: p.Served(), Status: "ISSUED", Type: "AMAZON_ISSUED", RenewalEligibility: "ELIGIBLE",
		Names: p.Certificate.DNSNames, NotBefore: p.Certificate.NotBefore, NotAfter: p.Certificate.NotAfter,
	})
	return CertificateARN(name)
}

// HTTPS adds an endpoint of production for host with the addresses' answers.
func (s *Scene) HTTPS(name, host string, addresses ...observation.Address) *observation.Endpoint {
	e := observation.Endpoint{
		Target: target.Endpoint{
			Environment: "production", Name: name, URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443,
			Timeout: 10 * time.Second, Trust: target.Trust{Roots: target.Mozilla},
		},
		Probed: true, Addresses: addresses,
	}
	for _, a := range addresses {
		ip, _, _ := net.SplitHostPort(a.Address)
		e.DNS.Addresses = append(e.DNS.Addresses, ip)
	}
	slices.Sort(e.DNS.Addresses)
	s.Round.Endpoints = append(s.Round.Endpoints, e)
	return &s.Round.Endpoints[len(s.Round.Endpoints)-1]
}

// Serving returns an address that serves a certificate and answers 200.
func Serving(ip string, p *pki.Pair) observation.Address {
	return observation.Address{
		Address: ip + ":443", Started: SceneTime,
		TLS:  &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: p.Served()},
		HTTP: &observation.HTTP{Proto: "HTTP/1.1", Status: 200},
	}
}

// Failing returns an address whose probe stopped.
func Failing(ip string, phase observation.Phase, kind observation.FailureKind) observation.Address {
	return observation.Address{Address: ip + ":443", Started: SceneTime, Failure: &observation.Failure{Phase: phase, Kind: kind}}
}

// Classic adds a classic load balancer with one HTTPS listener.
func (s *Scene) Classic(name, certificate string) *observation.LoadBalancer {
	return s.Balancer(observation.Classic, name, observation.Listener{Port: 443, Protocol: "HTTPS", Certificates: Attach(certificate)})
}

// ALB adds an Application Load Balancer with one HTTPS listener; the first certificate is the default.
func (s *Scene) ALB(name string, certificates ...string) *observation.LoadBalancer {
	return s.Balancer(observation.Application, name, observation.Listener{
		ARN:  fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener/app/%s/50dc/0467", Region, Account, name),
		Port: 443, Protocol: "HTTPS", Certificates: Attach(certificates...),
	})
}

// Balancer adds a load balancer.
func (s *Scene) Balancer(kind observation.LoadBalancerKind, name string, listeners ...observation.Listener) *observation.LoadBalancer {
	s.Round.ListenersRead = true
	s.Round.LoadBalancers = append(s.Round.LoadBalancers, observation.LoadBalancer{
		Kind: kind, Name: name, Region: Region, Account: Account, DNSName: name + ".elb.amazonaws.com",
		ARN:       fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/%s", Region, Account, name),
		Listeners: listeners,
	})
	return &s.Round.LoadBalancers[len(s.Round.LoadBalancers)-1]
}

// Attach makes attachments of ARNs; the first is the default.
func Attach(arns ...string) []observation.Attachment {
	var out []observation.Attachment
	for i, a := range arns {
		out = append(out, observation.Attachment{ARN: a, Default: i == 0})
	}
	return out
}
