package listener_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
)

func sortedCopy(s []string) []string { return slices.Sorted(slices.Values(s)) }

// large is an account with 2,000 TLS listeners and 500 certificates: 500 application load balancers with three of them
// each and a plain one that redirects, 250 network ones, 250 classic ones.
func large(tb testing.TB) (*account.Account, *listener.Inspector) {
	tb.Helper()
	w := newWorld(tb)
	a := account.New(account.Options{Now: now})
	certs := make([]string, 500)
	for i := range certs {
		if i%50 == 0 {
			certs[i] = a.AddServerCertificate(fmt.Sprintf("server-%03d", i), w.pair)
		} else {
			certs[i] = a.AddCertificate(fmt.Sprintf("00000000-0000-4000-8000-%012d", i), w.pair)
		}
	}
	pick := func(n int) string { return certs[n%len(certs)] }
	for i := range 500 {
		lb := account.LoadBalancer{Kind: observation.Application, Name: fmt.Sprintf("app-%03d", i)}
		for j := range 3 {
			lb.Listeners = append(lb.Listeners, account.Listener{Port: 443 + j, Protocol: "HTTPS", Certificates: []string{pick(i + j), pick(i + 7)}})
		}
		lb.Listeners = append(lb.Listeners, account.Listener{Port: 80, Protocol: "HTTP", Redirect: true})
		a.AddLoadBalancer(lb)
	}
	for i := range 250 {
		a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Network, Name: fmt.Sprintf("net-%03d", i),
			Listeners: []account.Listener{{Port: 443, Protocol: "TLS", Certificates: []string{pick(i)}}}})
		a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: fmt.Sprintf("classic-%03d", i),
			Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{pick(i)}, Policy: "ELBSecurityPolicy-2016-08"}}})
	}
	in := listener.New(listener.Options{Home: "us-west-2", Account: w.account, Clients: func(string, target.Role) listener.Clients {
		return listener.Clients{Classic: a.ELB(), Modern: a.ELBv2(), ACM: a.ACM(), IAM: a.IAM()}
	}})
	return a, in
}

// The calls of a round over 2,000 listeners: each listing once a page of 400, tags by twenties, one call a load
// balancer for its listeners (or classic policies), one a listener for its certificates (or rules), two a certificate
// of ACM, one a certificate of IAM, one a region for the policies. None is made twice.
func TestCallsOfALargeRound(t *testing.T) {
	a, in := large(t)
	got := in.Inspect(t.Context(), everything())
	secure := 0
	for _, lb := range got.LoadBalancers {
		for _, l := range lb.Listeners {
			if l.Secure() {
				secure++
			}
		}
	}
	if secure != 2000 || len(got.Certificates) != 500 || len(got.ObserveErrors) > 0 {
		t.Fatalf("%d listeners, %d certificates, errors %v", secure, len(got.Certificates), got.ObserveErrors)
	}
	want := map[string]int{
		"elb:DescribeLoadBalancers":          1,    // 250 load balancers
		"elb:DescribeTags":                   13,   // by 20
		"elb:DescribeLoadBalancerPolicies":   250,  // one each
		"elbv2:DescribeLoadBalancers":        2,    // 750 load balancers
		"elbv2:DescribeTags":                 38,   // by 20
		"elbv2:DescribeListeners":            750,  // one each
		"elbv2:DescribeListenerCertificates": 1750, // one a TLS listener
		"elbv2:DescribeRules":                500,  // one a plain HTTP listener
		"elbv2:DescribeSSLPolicies":          1,
		"acm:DescribeCertificate":            490,
		"acm:GetCertificate":                 490,
		"iam:GetServerCertificate":           10,
	}
	if diff := cmp.Diff(want, a.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	sum := 0
	for n := range maps.Values(a.Calls()) {
		sum += n
	}
	page, err := os.ReadFile("../../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	if tags := fmt.Sprintf("%d,%03d calls for 2,000 TLS listeners", sum/1000, sum%1000); !strings.Contains(string(page), tags) {
		t.Errorf("docs/cost.md does not say %q", tags)
	}
	if calls := a.Repeated(); len(calls) > 0 {
		t.Errorf("asked more than once: %v", calls)
	}
}

func BenchmarkInspect(b *testing.B) {
	a, in := large(b)
	for b.Loop() {
		if got := in.Inspect(b.Context(), everything()); len(got.LoadBalancers) != 1000 {
			b.Fatalf("%d load balancers", len(got.LoadBalancers))
		}
	}
	calls := 0
	for n := range maps.Values(a.Calls()) {
		calls += n
	}
	b.ReportMetric(float64(calls)/float64(b.N), "calls/op")
}
