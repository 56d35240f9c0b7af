package judge

import (
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

const host = "api.example.org"

// drifted is the incident: a classic listener has the certificate of another domain attached and serves it.
func driftedScene(t *testing.T) (s *scene, right, wrong string) {
	s = newScene(t)
	good, bad := s.Leaf(host), s.Leaf("old.example.net")
	right, wrong = s.ACM("right", good), s.ACM("wrong", bad)
	s.Classic("a1", wrong)
	behind(s.HTTPS("api", host, ok("10.0.0.1", bad)), "a1", right)
	return s, right, wrong
}

func TestDriftAttachedHoldsTheNameMismatch(t *testing.T) {
	s, right, wrong := driftedScene(t)
	s.Round.Changes = []observation.Change{
		{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.AddDate(0, 0, -30), Region: region, Account: account, LoadBalancer: "a1", Port: 443,
			Certificates: []string{right}, Author: &observation.Author{Name: "Operator", Tool: "AWS console"}},
		{Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Hour), Region: region, Account: account, LoadBalancer: "a1", Port: 443,
			Certificates: []string{wrong}, Author: &observation.Author{Principal: "arn:aws:sts::1:assumed-role/masters/i-1", Name: "masters", Tool: "Kubernetes cloud provider", SourceIP: "203.0.113.9"}},
		// A rule leaves the certificates as they are: its author attached none.
		{Event: "CreateRule", At: noon.Add(-time.Minute), Region: region, Account: account, LoadBalancer: "a1", Author: &observation.Author{Name: "ci-terraform", Tool: "Terraform"}},
	}
	s.only(finding.DriftAttached)
	f := s.one(finding.DriftAttached, finding.Critical)
	if f.Endpoint != "api" || f.Environment != "production" || f.Listener != "a1:443" || f.Cause != "listener:a1:443@us-west-2/111122223333" {
		t.Errorf("wrong subject: %+v", f)
	}
	if list, _ := f.Evidence["name_mismatches"].([]string); len(list) != 1 || !strings.HasPrefix(list[0], "production/api at 10.0.0.1:443: ") {
		t.Errorf("name mismatches: %v", f.Evidence["name_mismatches"])
	}
	by := f.AllEvidence()["changed_by"].(map[string]any)
	if by["tool"] != "Kubernetes cloud provider" || by["standing"] != "claimed" || by["source_ip"] != "203.0.113.9" {
		t.Errorf("changed_by: %v", by)
	}
	if before := f.AllEvidence()["before"].(map[string]any); before["arn"] != right {
		t.Errorf("before: %v", before)
	}
	want := "aws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1 --load-balancer-port 443 --ssl-certificate-id " + right
	if !strings.Contains(f.Remedy, want) {
		t.Errorf("remedy %q lacks %q", f.Remedy, want)
	}
	for _, truth := range []string{"declared", "attached", "served"} {
		if f.AllEvidence()[truth] == nil {
			t.Errorf("no evidence of what is %s", truth)
		}
	}
}

func TestDriftAttachedIsOneForAllEndpointsOfTheListener(t *testing.T) {
	s, right, _ := driftedScene(t)
	for _, name := range []string{"ui", "www"} {
		behind(s.HTTPS(name, host, s.Round.Endpoints[0].Addresses...), "a1", right)
	}
	s.only(finding.DriftAttached)
	f := s.one(finding.DriftAttached, finding.Critical)
	if f.Endpoint != "" || strings.Join(f.Affects, " ") != "production/api production/ui production/www" {
		t.Errorf("endpoint %q affects %v", f.Endpoint, f.Affects)
	}
}

func TestDriftAttachedLeavesExpiryItsOwnFinding(t *testing.T) {
	s := newScene(t)
	good, old := s.Leaf(host), s.LeafUntil(noon.AddDate(0, 0, -3), "*.example.org")
	right, wrong := s.ACM("right", good), s.ACM("wrong", old)
	s.Classic("a1", wrong)
	behind(s.HTTPS("api", host, ok("10.0.0.1", old)), "a1", right)
	s.only(finding.DriftAttached, finding.CertExpired, finding.ListenerCertExpired)
	for _, f := range s.judge().Findings {
		if f.Cause != "listener:a1:443@us-west-2/111122223333" {
			t.Errorf("%s has the cause %q: one repair ends all three", f.Code, f.Cause)
		}
		if f.Code != finding.DriftAttached && f.Remedy != "Reattaching the declared certificate fixes this too: see drift-attached on listener a1:443." {
			t.Errorf("%s has a remedy of its own: %s", f.Code, f.Remedy)
		}
	}
}

// TestADriftToTheBetterFixesNothingElse: the attached certificate stays, so what is wrong with it has to be fixed.
func TestADriftToTheBetterFixesNothingElse(t *testing.T) {
	s := newScene(t)
	gone, soon := s.LeafUntil(noon.AddDate(0, 0, -3), host), s.LeafUntil(noon.AddDate(0, 0, 3), host)
	declared, attached := s.ACM("gone", gone), s.ACM("soon", soon)
	s.Classic("a1", attached)
	behind(s.HTTPS("api", host, ok("10.0.0.1", soon)), "a1", declared)
	f := s.one(finding.CertExpiring, finding.Critical)
	if !s.one(finding.DriftAttached, finding.Critical).DeclarationOutdated() || strings.Contains(f.Remedy, "eattach") || f.Remedy == "" {
		t.Errorf("%+v", f)
	}
}

func TestDriftAttachedComparesCertificates(t *testing.T) {
	s := newScene(t)
	declared := s.Leaf(host)
	copied, err := s.Root().LeafWithKey(noon, []string{host}, declared.Key)
	if err != nil {
		t.Fatal(err)
	}
	other := s.Leaf(host)
	for _, c := range []struct {
		name     string
		attached *pki.Pair
		arn      string
		want     finding.Severity
	}{
		{"another certificate under the same ARN: renewed", other, "declared", finding.None},
		{"the same certificate under another ARN", declared, "other", finding.Warning},
		{"another certificate with the same key and names", copied, "other", finding.Warning},
		{"another key", other, "other", finding.Critical},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			if c.arn != "declared" {
				s.ACM("declared", declared)
			}
			s.Classic("a1", s.ACM(c.arn, c.attached))
			behind(s.HTTPS("api", host, ok("10.0.0.1", c.attached)), "a1", arnOf("declared"))
			if c.want == finding.None {
				s.only()
				return
			}
			s.one(finding.DriftAttached, c.want)
		})
	}
}

func TestDriftAttachedByFingerprintAndIssuer(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Classic("a1", s.ACM("a", leaf))
	e := behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
	for _, c := range []struct {
		declared target.Declared
		drift    bool
	}{
		{target.Declared{FingerprintSHA256: topology.Fingerprint(leaf.Certificate)}, false},
		{target.Declared{FingerprintSHA256: strings.Repeat("0", 64)}, true},
		{target.Declared{Issuer: "Scene Root"}, false},
		{target.Declared{Issuer: "O = certdrift simulation, CN = Scene Root"}, false},
		{target.Declared{Issuer: "CN=Scene Root,O=certdrift simulation"}, false},
		{target.Declared{Issuer: "Somebody Else"}, true},
		{target.Declared{Issuer: "Scene Root", FingerprintSHA256: strings.Repeat("0", 64)}, true},
	} {
		e.Target.Declared = &c.declared
		if got := len(s.has(finding.DriftAttached)) == 1; got != c.drift {
			t.Errorf("%+v: drift %v, want %v", c.declared, got, c.drift)
		}
	}
}

func TestDriftAttachedSaysWhenTheDeclarationIsStale(t *testing.T) {
	s := newScene(t)
	good, bad := s.Leaf(host), s.Leaf("old.example.net")
	right, stale := s.ACM("right", good), s.ACM("stale", bad)
	s.Classic("a1", right)
	behind(s.HTTPS("api", host, ok("10.0.0.1", good)), "a1", stale)
	f := s.one(finding.DriftAttached, finding.Critical)
	if !strings.Contains(f.Summary, "the declaration is out of date") || !strings.Contains(f.Remedy, "certdrift.yaml:12") || strings.Contains(f.Remedy, "aws elb") {
		t.Errorf("summary %q, remedy %q", f.Summary, f.Remedy)
	}
}

func TestDriftAttachedCommandsOfALBs(t *testing.T) {
	s := newScene(t)
	a, b, wrong := s.Leaf("a.example.org"), s.Leaf("b.example.org"), s.Leaf("x.example.org")
	declared := s.ACM("a", a)
	s.ACM("b", b)
	s.ACM("wrong", wrong)
	s.ALB("web", arnOf("wrong"))
	behind(s.HTTPS("a", "a.example.org", ok("10.0.0.1", wrong)), "web", declared)
	f := s.one(finding.DriftAttached, finding.Critical)
	if !strings.Contains(f.Remedy, "aws elbv2 modify-listener --region us-west-2 --listener-arn arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc/0467 --certificates CertificateArn="+declared) {
		t.Errorf("remedy %q", f.Remedy)
	}
	// The default is another endpoint's: the declared certificate goes beside it.
	s.Round.LoadBalancers[0].Listeners[0].Certificates = attach(arnOf("b"))
	behind(s.HTTPS("b", "b.example.org", ok("10.0.0.1", b)), "web", arnOf("b"))
	s.Round.Endpoints[0].Addresses = []observation.Address{ok("10.0.0.1", b)}
	f = s.one(finding.DriftAttached, finding.Critical)
	if !strings.Contains(f.Remedy, "aws elbv2 add-listener-certificates") || f.Endpoint != "a" {
		t.Errorf("endpoint %q remedy %q", f.Endpoint, f.Remedy)
	}
}

func TestDriftAttachedWithoutAnyCertificate(t *testing.T) {
	s := newScene(t)
	right := s.ACM("right", s.Leaf(host))
	s.Balancer(observation.Classic, "a1", observation.Listener{Port: 443, Protocol: "TCP"})
	behind(s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseTLS, observation.Plaintext)), "a1", right)
	s.only(finding.DriftAttached, finding.TLSPlaintext)
}

func TestDriftAttachedAgrees(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Classic("a1", s.ACM("right", leaf))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf), ok("10.0.0.2", leaf)), "a1", arnOf("right"))
	s.only()
	if c := s.judge(); !c.Complete {
		t.Error("a healthy round is not complete")
	}
}
