package browser

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/policy"
	"certdrift/internal/report"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// scene is a round over endpoints with real certificates, judged by the product's own rules.
type scene struct {
	t      *testing.T
	root   *pki.Pair
	issuer *pki.Pair
	round  observation.Round
}

func newScene(t *testing.T) *scene {
	t.Helper()
	root, err := pki.Root("Example Root R1", noon)
	check(t, err)
	issuer, err := root.Intermediate("Example Issuing CA 7", noon)
	check(t, err)
	return &scene{t: t, root: root, issuer: issuer, round: observation.Round{
		Schema: observation.Schema, Started: noon, Finished: noon.Add(2300 * time.Millisecond), ListenersRead: true,
	}}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leaf creates a certificate for a name that expires in so many days.
func (s *scene) leaf(days int, names ...string) *pki.Pair {
	s.t.Helper()
	end := noon.AddDate(0, 0, days)
	p, err := s.issuer.Leaf(noon, names, pki.Valid(end.AddDate(0, 0, -90), end))
	check(s.t, err)
	return p
}

// endpoint adds an endpoint that serves a certificate at each of its addresses, behind a classic load balancer.
func (s *scene) endpoint(environment, name string, served [][]byte, declared, attached string, addresses int) {
	n := len(s.round.Endpoints)
	host := name + "." + environment + ".example.org"
	e := observation.Endpoint{Probed: true, Target: target.Endpoint{
		Environment: environment, Name: name, URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443,
		Timeout: 10 * time.Second, Trust: target.Trust{Roots: target.Mozilla},
		Source: target.Position{File: "certdrift.yaml", Line: 10 + n*4, Column: 9},
	}}
	for i := range addresses {
		ip := fmt.Sprintf("192.0.2.%d", (n*3+i)%250+1)
		ms := func(x int) time.Duration { return time.Duration(x+(n*7+i*13)%17) * time.Millisecond }
		p := observation.Phases{DNS: ms(2), Connect: ms(9), TLS: ms(21), FirstByte: ms(40)}
		p.Total = p.DNS + p.Connect + p.TLS + p.FirstByte + 3*time.Millisecond
		e.DNS.Addresses = append(e.DNS.Addresses, ip)
		e.Addresses = append(e.Addresses, observation.Address{
			Address: ip + ":443", Started: noon, Phases: p,
			TLS:  &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: served},
			HTTP: &observation.HTTP{Proto: "HTTP/2.0", Status: 200, Size: 512},
		})
	}
	if attached != "" {
		balancer := fmt.Sprintf("a%07x", n*2654435761%0xfffffff)
		e.Target.LoadBalancer = &target.LoadBalancerRef{Name: balancer, Port: 443}
		s.round.LoadBalancers = append(s.round.LoadBalancers, observation.LoadBalancer{
			Kind: observation.Classic, Name: balancer, Region: "us-west-2", Account: "111122223333",
			ARN:     "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/" + balancer,
			DNSName: balancer + ".us-west-2.elb.amazonaws.com",
			Listeners: []observation.Listener{{Port: 443, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-TLS-1-2-2017-01",
				Protocols: []string{"TLSv1.2"}, Certificates: []observation.Attachment{{ARN: attached, Default: true}}}},
		})
	}
	if declared != "" {
		e.Target.Declared = &target.Declared{ARN: declared, Source: target.Position{File: "certdrift.yaml", Line: 12 + n*4, Column: 24}}
	}
	s.round.Endpoints = append(s.round.Endpoints, e)
}

// hold puts a certificate into ACM.
func (s *scene) hold(id string, p *pki.Pair) string {
	arn := "arn:aws:acm:us-west-2:111122223333:certificate/" + id
	s.round.Certificates = append(s.round.Certificates, observation.Certificate{
		ARN: arn, Chain: p.Served(), Status: "ISSUED", Type: "IMPORTED", InUseBy: []string{"x"},
	})
	return arn
}

func (s *scene) report() report.Report {
	store := chain.NewStore([]chain.Anchor{{Certificate: s.root.Certificate}})
	conclusion := judge.Judge(judge.Input{
		Policy: policy.DefaultThresholds(), Roots: func(target.Roots) *chain.Store { return store }, Now: noon, Round: s.round,
	})
	return report.Build(report.Input{Round: s.round, Conclusion: conclusion, FailOn: finding.Critical})
}

// incidentReport has one of everything: drift, an expired certificate, one that expires soon, an incomplete chain, a refused
// connection, and healthy endpoints.
func incidentReport(t *testing.T) report.Report {
	s := newScene(t)
	good := s.leaf(61, "*.production.example.org", "production.example.org")
	stale := s.leaf(-12, "old.example.com")
	soon := s.leaf(6, "docs.production.example.org")
	goodARN, staleARN := s.hold("0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", good), s.hold("9c1e4d77-0a53-4a5e-8f16-2f6f0d1c7e02", stale)
	s.endpoint("production", "api", stale.Served(), goodARN, staleARN, 2)
	s.endpoint("production", "ui", good.Served(), goodARN, goodARN, 2)
	s.endpoint("production", "docs", soon.Served(), "", "", 1)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	other, err := s.issuer.LeafWithKey(noon, []string{"docs.production.example.org"}, key, pki.Valid(noon.AddDate(0, 0, -57), noon.AddDate(0, 0, 33)))
	check(t, err)
	pair := &s.round.Endpoints[len(s.round.Endpoints)-1].Addresses[0]
	pair.Other = &observation.OtherCertificate{KeyType: observation.RSA, TLS: &observation.TLS{Version: "TLS 1.2", Cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Chain: other.Served()}}
	lone := s.leaf(80, "status.production.example.org")
	s.endpoint("production", "status", lone.Served()[:1], "", "", 1)
	s.endpoint("staging", "ui", s.leaf(44, "ui.staging.example.org").Served(), "", "", 1)
	s.endpoint("staging", "api", nil, "", "", 1)
	refused := &s.round.Endpoints[len(s.round.Endpoints)-1].Addresses[0]
	*refused = observation.Address{Address: refused.Address, Started: noon, Phases: observation.Phases{DNS: 3 * time.Millisecond, Connect: 12 * time.Millisecond, Total: 15 * time.Millisecond},
		Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused, Detail: "connection refused"}}
	s.deafen()
	return s.report()
}

// deafen adds problems outside the endpoints: alerts about staging reach nobody, and a region is throttled.
func (s *scene) deafen() {
	const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"
	s.round.AlertPath = &observation.AlertPath{Environments: []string{"production", "staging"}, Topics: []observation.Topic{{
		ARN: topic, Read: true, Subscriptions: []observation.Subscription{
			{ARN: topic + ":1", Protocol: "email", Endpoint: "ops@example.org", FilterPolicy: `{"environment":["production","none"]}`},
			{Protocol: "email", Endpoint: "staging@example.org", Pending: true},
		},
	}}}
	s.round.ObserveErrors = []observation.ObserveError{{
		Kind: observation.Throttled, Operation: "elasticloadbalancing:DescribeLoadBalancers", Region: "eu-west-1", Account: "111122223333", Detail: "Throttling: Rate exceeded",
	}}
}

// planReport is a plan of four listeners: one rejected, one changed, one unchanged, one undecided.
func planReport(t *testing.T) report.Report {
	t.Helper()
	lost, kept, end := false, true, noon.AddDate(0, 2, 0)
	arn := func(id string) []plan.Certificate {
		return []plan.Certificate{{ARN: "arn:aws:acm:us-west-2:111122223333:certificate/" + id + "-52c7-4f0e-9d1b-6a8f" + id, Names: []string{"*.monitoring.example.org"}, NotAfter: &end, Default: true}}
	}
	names := func(covered *bool, list ...string) (out []plan.Name) {
		for _, n := range list {
			one := plan.Name{Name: n, Covered: covered}
			if covered != nil {
				one.ARN = arn("5e91c6d4")[0].ARN
			}
			if covered == &lost {
				one.Problem = "does not cover the name"
			}
			out = append(out, one)
		}
		return out
	}
	rows := []plan.Row{
		{State: plan.Refused, Object: "Service production/api", Source: target.Position{File: "k8s/production/api-service.yaml", Line: 9}, Port: 443, Endpoints: []string{"production/api"}, Listener: "a22e1d63f8ea522f9ac4b17d603e9f82:443", Declared: arn("0b7d2f3a"), Attached: arn("0b7d2f3a"), AttachedKnown: true,
			WouldKnown: true, Would: arn("9c1e4d77"), Names: names(&lost, "api.monitoring.example.org"), Action: plan.Change, Verdict: plan.Refuse, Reasons: []string{"api.monitoring.example.org would not be covered"},
			Remedy: "Fix k8s/production/api-service.yaml:9 (Service production/api) before the next apply: declare\n" + arn("0b7d2f3a")[0].ARN},
		{State: plan.Changes, Object: "Service production/ui", Port: 443, Endpoints: []string{"production/ui"}, WouldKnown: true, Listener: "a11f0c52e7d9411e89b3a06c5f2d8e71:443", Declared: arn("5e91c6d4"), Attached: arn("0b7d2f3a"), AttachedKnown: true,
			Would: arn("5e91c6d4"), Names: names(&kept, "www.monitoring.example.org", "monitoring.example.org"), Action: plan.Change, Verdict: plan.Pass},
		{State: plan.Unchanged, Object: "Service staging/ui", Port: 443, Endpoints: []string{"staging/ui"}, WouldKnown: true, Listener: "a33d2e74a9fb6330abd5c28e714fa093:443", Declared: arn("5e91c6d4"), Attached: arn("5e91c6d4"), AttachedKnown: true,
			Would: arn("5e91c6d4"), Names: names(&kept, "www-staging.monitoring.example.org"), Action: plan.Keep, Verdict: plan.Pass},
		{State: plan.NotDecided, Object: "Ingress web/site", Port: 443, AttachedUnknown: plan.NotCreated, Names: names(nil, "site.example.org"), Action: plan.Discover, Verdict: plan.Undecided, NotKnown: []string{"which certificate the controller finds in ACM for site.example.org"}},
	}
	refused := finding.Finding{
		Code: finding.DriftManifest, Severity: finding.Critical, Environment: "production", Endpoint: "api", Listener: "a22e1d63f8ea522f9ac4b17d603e9f82:443",
		Subject: finding.Subject{Source: finding.Source{Object: "Service production/api", File: "k8s/production/api-service.yaml", Line: 9}},
		Summary: "k8s/production/api-service.yaml:9 would attach certificate/9c1e4d77…", Remedy: "Fix the manifest before the next apply.",
	}
	return report.BuildPlan(report.Input{
		Round: observation.Round{Started: noon, Finished: noon.Add(time.Second)}, FailOn: finding.Critical,
		Conclusion: finding.Conclusion{Findings: []finding.Finding{refused}, Complete: true},
	}, rows)
}

// large returns so many endpoints, every twentieth of them with an expired certificate.
func large(t *testing.T, n int) report.Report {
	s := newScene(t)
	bad := s.leaf(-1, "*.production.example.org")
	var good []*pki.Pair
	for i := range 40 {
		good = append(good, s.leaf(30+i, "*.production.example.org"))
	}
	for i := range n {
		p := good[i%len(good)]
		if i%20 == 7 {
			p = bad
		}
		s.endpoint("production", fmt.Sprintf("service-%03d", i), p.Served(), "", "", 2)
	}
	return s.report()
}
