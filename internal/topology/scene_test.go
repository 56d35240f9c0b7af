package topology

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

// noon is the time of every scene.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	region  = "us-west-2"
	account = "111122223333"
	host    = "api.example.org"
)

// authority is one root for all scenes: making keys is what takes time.
var authority = sync.OnceValues(func() (*pki.Pair, error) { return pki.Root("Scene Root", noon) })

// scene is a round under construction.
type scene struct {
	t     testing.TB
	round observation.Round
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return &scene{t: t, round: observation.Round{Schema: observation.Schema, Started: noon, Finished: noon}}
}

func (s *scene) build() *Topology { return Build(s.round, noon) }

func (s *scene) root() *pki.Pair {
	s.t.Helper()
	root, err := authority()
	if err != nil {
		s.t.Fatal(err)
	}
	return root
}

// leaf issues a certificate with 60 of its 90 days left.
func (s *scene) leaf(names ...string) *pki.Pair {
	s.t.Helper()
	return s.leafUntil(noon.AddDate(0, 0, 60), names...)
}

func (s *scene) leafUntil(end time.Time, names ...string) *pki.Pair {
	s.t.Helper()
	leaf, err := s.root().Leaf(noon, names, pki.Valid(end.AddDate(0, 0, -90), end))
	if err != nil {
		s.t.Fatal(err)
	}
	return leaf
}

func arnOf(name string) string {
	return fmt.Sprintf("arn:aws:acm:%s:%s:certificate/%s", region, account, name)
}

// acm puts a certificate into ACM and returns its ARN.
func (s *scene) acm(name string, p *pki.Pair) string {
	s.round.Certificates = append(s.round.Certificates, observation.Certificate{
		ARN: arnOf(name), Chain: p.Served(), Status: "ISSUED", Type: "AMAZON_ISSUED",
		Names: p.Certificate.DNSNames, NotBefore: p.Certificate.NotBefore, NotAfter: p.Certificate.NotAfter,
	})
	return arnOf(name)
}

// https adds an endpoint of production whose addresses serve certificates.
func (s *scene) https(name, host string, addresses ...observation.Address) *observation.Endpoint {
	e := observation.Endpoint{
		Target: target.Endpoint{Environment: "production", Name: name, URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443},
		Probed: true, Addresses: addresses,
	}
	for _, a := range addresses {
		ip, _, _ := net.SplitHostPort(a.Address)
		e.DNS.Addresses = append(e.DNS.Addresses, ip)
	}
	slices.Sort(e.DNS.Addresses)
	s.round.Endpoints = append(s.round.Endpoints, e)
	return &s.round.Endpoints[len(s.round.Endpoints)-1]
}

// ok is an address that serves a certificate.
func ok(ip string, p *pki.Pair) observation.Address {
	return observation.Address{Address: ip + ":443", TLS: &observation.TLS{Version: "TLS 1.3", Chain: p.Served()}}
}

// classic adds a classic load balancer with one HTTPS listener.
func (s *scene) classic(name, certificate string) *observation.LoadBalancer {
	return s.balancer(observation.Classic, name, observation.Listener{Port: 443, Protocol: "HTTPS", Certificates: attach(certificate)})
}

// alb adds an Application Load Balancer with one HTTPS listener; the first certificate is the default.
func (s *scene) alb(name string, certificates ...string) *observation.LoadBalancer {
	return s.balancer(observation.Application, name, observation.Listener{
		ARN:  fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener/app/%s/50dc/0467", region, account, name),
		Port: 443, Protocol: "HTTPS", Certificates: attach(certificates...),
	})
}

func (s *scene) balancer(kind observation.LoadBalancerKind, name string, listeners ...observation.Listener) *observation.LoadBalancer {
	s.round.ListenersRead = true
	s.round.LoadBalancers = append(s.round.LoadBalancers, observation.LoadBalancer{
		Kind: kind, Name: name, Region: region, Account: account, DNSName: name + ".elb.amazonaws.com",
		ARN:       fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/%s", region, account, name),
		Listeners: listeners,
	})
	return &s.round.LoadBalancers[len(s.round.LoadBalancers)-1]
}

func attach(arns ...string) []observation.Attachment {
	var out []observation.Attachment
	for i, a := range arns {
		out = append(out, observation.Attachment{ARN: a, Default: i == 0})
	}
	return out
}
