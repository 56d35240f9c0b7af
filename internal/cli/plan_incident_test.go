package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
)

const incidentForeign = "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017"

// fixedByHand is the account of DESIGN §1: four load balancers that an operator has fixed by hand, while the templates
// stayed stale.
func fixedByHand(t *testing.T) (a *account.Account, config string) {
	t.Helper()
	now := time.Now()
	a = account.New(account.Options{})
	root, err := pki.Root("Incident Root", now)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(left int, name string) *pki.Pair {
		end := now.AddDate(0, 0, left)
		pair, err := root.Leaf(now, []string{name}, pki.Valid(end.AddDate(0, 0, -198), end))
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	production := a.AddCertificate("0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", issue(150, "*.monitoring.example.org"))
	staging := a.AddCertificate("5e91c6d4-0a37-4c55-8f9e-2d3b7c4e8a02", issue(150, "*.monitoring.example.org"))
	expired := a.AddCertificate("c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803", issue(-2, "*.monitoring.example.org"))
	foreign := a.AddServerCertificate("web-monitoring-2017", issue(150, "*.webmonitoring.example.net"))
	if foreign != incidentForeign {
		t.Fatalf("the foreign certificate is %s", foreign)
	}
	var b strings.Builder
	b.WriteString("version: 1\nload_balancers: {regions: [us-west-2]}\nenvironments:\n")
	for _, e := range []struct{ name, right, stale, suffix string }{{"production", production, foreign, ""}, {"staging", staging, expired, "-staging"}} {
		fmt.Fprintf(&b, "  %s:\n    endpoints:\n", e.name)
		for service, host := range map[string]string{"ui": "www", "api": "api"} {
			balancer, port := e.name+"-"+service, int32(443)
			a.AddLoadBalancer(account.LoadBalancer{
				Kind: observation.Classic, Name: balancer, Tags: map[string]string{"kubernetes.io/service-name": e.name + "/" + service},
				Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{e.stale}}, {Port: 80, Protocol: "HTTP"}},
			})
			_, err := a.As(account.Operator()).ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
				LoadBalancerName: &balancer, LoadBalancerPort: port, SSLCertificateId: &e.right,
			})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "      - {name: %s, url: \"https://%s%s.monitoring.example.org/\", service: %s/%s, certificate: {arn: %q}}\n",
				service, host, e.suffix, e.name, service, e.right)
		}
	}
	return a, b.String()
}

// TestPlanStopsTheIncident holds that the reorganised but stale templates would have been stopped before staging, and
// that the right ones pass.
func TestPlanStopsTheIncident(t *testing.T) {
	manifests, err := filepath.Abs("../manifest/testdata/incident")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	readySignals(t)
	for templates, c := range map[string]struct {
		status int
		want   []string
	}{
		"right":         {0, []string{"4 listeners: 4 unchanged. Safe to apply."}},
		"stale":         {1, []string{"4 listeners: 4 refused. Do not apply.", "undoes the change by Operator", "0b7d2f3a… → web-monitoring-2017 (does not cover the name)"}},
		"stale/staging": {1, []string{"c4a8e1b2…, expired", "2 listeners: 2 refused."}},
	} {
		t.Run(templates, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, config := fixedByHand(t)
				write(t, filepath.Join(dir, "certdrift.yaml"), config)
				d := &deploy{account: a}
				status, stdout, stderr := run(t, d.plans, nil, "plan", "-f", filepath.Join(manifests, filepath.FromSlash(templates)))
				if status != c.status {
					t.Errorf("exit status %d, want %d", status, c.status)
				}
				for _, want := range c.want {
					if !strings.Contains(stdout, want) {
						t.Errorf("it does not say %q", want)
					}
				}
				if t.Failed() {
					t.Logf("%s%s", stdout, stderr)
				}
			})
		})
	}
}
