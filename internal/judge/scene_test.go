package judge

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// noon is the time at which every scene is judged.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	region  = "us-west-2"
	account = "111122223333"
)

// authority is one root for all scenes: making keys is what takes time.
var authority = sync.OnceValues(func() (*pki.Pair, error) { return pki.Root("Scene Root", noon) })

// scene is a round under construction, with everything a healthy world has.
type scene struct {
	t      testing.TB
	round  observation.Round
	policy policy.Thresholds
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return &scene{t: t, policy: policy.DefaultThresholds(), round: observation.Round{Schema: observation.Schema, Started: noon, Finished: noon}}
}

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

// acm puts a certificate into ACM and gives its ARN.
func (s *scene) acm(name string, p *pki.Pair) string {
	s.round.Certificates = append(s.round.Certificates, observation.Certificate{
		ARN: arnOf(name), Chain: p.Served(), Status: "ISSUED", Type: "AMAZON_ISSUED", RenewalEligibility: "ELIGIBLE",
		Names: p.Certificate.DNSNames, NotBefore: p.Certificate.NotBefore, NotAfter: p.Certificate.NotAfter,
	})
	return arnOf(name)
}

// https adds an endpoint of production for host with the addresses' answers.
func (s *scene) https(name, host string, addresses ...observation.Address) *observation.Endpoint {
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
	s.round.Endpoints = append(s.round.Endpoints, e)
	return &s.round.Endpoints[len(s.round.Endpoints)-1]
}

// ok is an address that serves a certificate and answers 200.
func ok(ip string, p *pki.Pair) observation.Address {
	return observation.Address{
		Address: ip + ":443", Started: noon,
		TLS:  &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: p.Served()},
		HTTP: &observation.HTTP{Proto: "HTTP/1.1", Status: 200},
	}
}

// failing is an address whose probe stopped.
func failing(ip string, phase observation.Phase, kind observation.FailureKind) observation.Address {
	return observation.Address{Address: ip + ":443", Started: noon, Failure: &observation.Failure{Phase: phase, Kind: kind}}
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

// behind says that an endpoint names its load balancer and declares a certificate.
func behind(e *observation.Endpoint, balancer, declared string) *observation.Endpoint {
	e.Target.LoadBalancer = &target.LoadBalancerRef{Name: balancer, Port: 443}
	if declared != "" {
		e.Target.Declared = &target.Declared{ARN: declared, Source: target.Position{File: "certdrift.yaml", Line: 12}}
	}
	return e
}

func (s *scene) input() Input {
	s.t.Helper()
	store := chain.NewStore([]chain.Anchor{{Certificate: s.root().Certificate}})
	return Input{Policy: s.policy, Roots: func(target.Roots) *chain.Store { return store }, Now: noon, Round: s.round}
}

func (s *scene) judge() finding.Conclusion { s.t.Helper(); return Judge(s.input()) }

// has gives the findings of a code.
func (s *scene) has(code finding.Code) []finding.Finding {
	s.t.Helper()
	var out []finding.Finding
	for _, f := range s.judge().Findings {
		if f.Code == code {
			out = append(out, f)
		}
	}
	return out
}

// one asks for exactly one finding of a code.
func (s *scene) one(code finding.Code, severity finding.Severity) finding.Finding {
	s.t.Helper()
	fs := s.has(code)
	if len(fs) != 1 {
		s.t.Fatalf("%d findings of %s, want 1; all: %v", len(fs), code, codes(s.judge().Findings))
	}
	if fs[0].Severity != severity {
		s.t.Errorf("%s is %s, want %s: %s", code, fs[0].Severity, severity, fs[0].Summary)
	}
	return fs[0]
}

// none asks for no finding of a code.
func (s *scene) none(code finding.Code) {
	s.t.Helper()
	if fs := s.has(code); len(fs) > 0 {
		s.t.Errorf("unexpected %s: %s", code, fs[0].Summary)
	}
}

// only asks for these codes and no others, info included.
func (s *scene) only(want ...finding.Code) {
	s.t.Helper()
	got := codes(s.judge().Findings)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("findings %v, want %v", got, want)
		for _, f := range s.judge().Findings {
			s.t.Logf("%s %s %s", f.Severity, f.Code, f.Summary)
		}
	}
}

func codes(fs []finding.Finding) []finding.Code {
	out := []finding.Code{}
	for _, f := range fs {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return out
}
