package trail_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/awsio/trail"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// world is a classic and an application load balancer whose certificates were changed.
type world struct {
	*account.Account
	classic, app observation.LoadBalancer
	pair         *pki.Pair
	one, other   string
	mu           sync.Mutex
	lookups      map[string][]time.Time // by region
}

// client tells when it was asked, for the rate.
type client struct {
	*account.CloudTrail
	w      *world
	region string
}

func (c client) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	c.w.mu.Lock()
	c.w.lookups[c.region] = append(c.w.lookups[c.region], time.Now())
	c.w.mu.Unlock()
	return c.CloudTrail.LookupEvents(ctx, in, opts...)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Account: account.New(account.Options{}), lookups: map[string][]time.Time{}}
	leaf, err := pki.SelfSigned(time.Now(), []string{"www.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	w.pair = leaf
	w.one, w.other = w.AddCertificate("11111111-0000-4000-8000-000000000001", leaf), w.AddCertificate("22222222-0000-4000-8000-000000000002", leaf)
	listeners := []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{w.one}}}
	attached := []observation.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: w.one, Default: true}}}}
	for _, name := range []string{"a22e1d63", "a33d2e74"} {
		w.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: name, Listeners: listeners})
	}
	w.classic = observation.LoadBalancer{Kind: observation.Classic, Name: "a22e1d63", Region: w.Region(), Account: w.ID(), Listeners: attached}
	w.app = observation.LoadBalancer{Kind: observation.Application, Name: "web", Region: w.Region(), Account: w.ID()}
	w.app.ARN = w.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "web", Listeners: listeners})
	return w
}

func (w *world) options() trail.Options {
	return trail.Options{Now: time.Now, Client: func(region string, _ target.Role) trail.Client { return client{w.CloudTrailIn(region), w, region} }}
}

func (w *world) trail() *trail.Trail { return trail.New(w.options()) }

// set puts a certificate on a classic listener, as somebody.
func (w *world) set(t *testing.T, who account.Actor, name, arn string) {
	t.Helper()
	_, err := w.As(who).ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
		LoadBalancerName: aws.String(name), LoadBalancerPort: 443, SSLCertificateId: aws.String(arn),
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // CloudTrail's times are whole seconds
}

// told is a change a line.
func told(changes []observation.Change) []string {
	var out []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s:%d by %s with %s", c.Event, c.LoadBalancer, c.Port, c.Author.Name, c.Author.Tool)
		if !c.Confirmed || c.Account != "111122223333" || c.Region != "us-west-2" {
			line += fmt.Sprintf(" (%v %s %s)", c.Confirmed, c.Account, c.Region)
		}
		out = append(out, line)
	}
	return out
}

func TestWhoChangedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(t, account.Operator(), "a22e1d63", w.other)
		w.set(t, account.Operator(), "a33d2e74", w.other) // another load balancer's
		w.set(t, account.Kubernetes(), "a22e1d63", w.one)
		w.Deny("elb:SetLoadBalancerListenerSSLCertificate")
		refused := &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: aws.String("a22e1d63"), LoadBalancerPort: 443, SSLCertificateId: aws.String(w.other)}
		if _, err := w.ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), refused); err == nil {
			t.Fatal("not refused")
		}
		changes, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.classic})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"SetLoadBalancerListenerSSLCertificate a22e1d63:443 by Operator with AWS console",
			"SetLoadBalancerListenerSSLCertificate a22e1d63:443 by masters.cluster.example.org with Kubernetes cloud provider",
		}
		if diff := cmp.Diff(want, told(changes)); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

func TestListenersAndReimports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		listeners, err := w.ELBv2().DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: aws.String(w.app.ARN)})
		if err != nil {
			t.Fatal(err)
		}
		arn := listeners.Listeners[0].ListenerArn
		_, err = w.As(account.Operator()).ELBv2().ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
			ListenerArn: arn, Certificates: []types.Certificate{{CertificateArn: aws.String(w.other)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		fresh, err := pki.SelfSigned(time.Now(), []string{"www.example.org"})
		if err != nil {
			t.Fatal(err)
		}
		key, err := fresh.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		for _, cert := range []string{w.one, w.other} { // the second one is on no listener asked about
			if _, err := w.ACM().ImportCertificate(t.Context(), &acm.ImportCertificateInput{CertificateArn: aws.String(cert), Certificate: fresh.PEM(), PrivateKey: key}); err != nil {
				t.Fatal(err)
			}
		}
		changes, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.app, w.classic})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"ModifyListener " + w.app.ARN + ":443 by Operator with AWS console",
			"ImportCertificate :0 by certdrift with aws-sdk-go-v2",
		}
		if diff := cmp.Diff(want, told(changes)); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

// attach is a classic load balancer that has a certificate.
func (w *world) attach(arn string) observation.LoadBalancer {
	lb := w.classic
	lb.Name, lb.Listeners = "a44f3b85", []observation.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: arn, Default: true}}}}
	return lb
}

// TestCertificatesThemselves: who deleted one is looked up where it is kept: an ACM certificate's region, and one region for
// IAM's, which are named without their paths.
func TestCertificatesThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		servers := map[string]string{}
		for _, name := range []string{"tls/web", "tls/other"} {
			servers[name] = w.AddServerCertificate(name, w.pair)
		}
		for _, arn := range []string{w.one, w.other, servers["tls/web"], servers["tls/other"]} { // others' among them
			w.As(account.Operator()).DeleteCertificate(arn)
			time.Sleep(time.Minute)
		}
		changes, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.classic, w.attach(servers["tls/web"])})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"DeleteCertificate :0 by Operator with AWS console", "DeleteServerCertificate :0 by Operator with AWS console (true 111122223333 us-east-1)"}
		if diff := cmp.Diff(want, told(changes)); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

// TestIAMsRegionIsAskedOnce: a load balancer in the region that keeps IAM's calls too is asked about together with them, at
// one request at a time.
func TestIAMsRegionIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for region, iam := range map[string]string{"us-east-1": "us-east-1", "eu-central-1": "us-east-1", "cn-northwest-1": "cn-north-1", "us-gov-east-1": "us-gov-west-1", "eusc-de-east-1": "eusc-de-east-1"} {
			w := newWorld(t)
			lb := w.attach(w.AddServerCertificate("tls/web", w.pair))
			lb.Region = region
			if _, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{lb}); err != nil {
				t.Fatal(err)
			}
			at := w.lookups[iam]
			if len(w.lookups) > 2 || len(w.lookups[region]) == 0 || len(at) < 3 {
				t.Errorf("%s: asked %v", region, w.lookups)
			}
			for i := 1; i < len(at); i++ {
				if at[i].Sub(at[i-1]) < 500*time.Millisecond {
					t.Errorf("%s: request %d came %s after the one before", region, i, at[i].Sub(at[i-1]))
				}
			}
		}
	})
}

func TestTwoRequestsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		server := w.attach(w.AddServerCertificate("tls/web", w.pair))
		if _, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.app, w.classic, server}); err != nil {
			t.Fatal(err)
		}
		if len(w.lookups[w.Region()]) == 0 || len(w.lookups["us-east-1"]) == 0 {
			t.Errorf("asked in %d regions", len(w.lookups))
		}
		for region, at := range w.lookups {
			for i := 1; i < len(at); i++ {
				if gap := at[i].Sub(at[i-1]); gap < 500*time.Millisecond {
					t.Errorf("request %d to %s came %s after the one before", i, region, gap)
				}
			}
		}
		if calls := w.Repeated(); len(calls) > 0 {
			t.Errorf("asked more than once: %v", calls)
		}
	})
}

func TestTheLookUpIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(t, account.Operator(), "a22e1d63", w.other)
		w.Inject(account.Failure{Operation: "cloudtrail:LookupEvents", After: 1, Delay: time.Hour})
		began := time.Now()
		changes, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.classic})
		if took := time.Since(began); took > 16*time.Second {
			t.Errorf("took %s", took)
		}
		if err == nil || len(changes) != 1 {
			t.Errorf("%d changes, error %v", len(changes), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		few := w.options()
		few.Calls = 2
		_, err := trail.New(few).LastChanges(t.Context(), []observation.LoadBalancer{w.classic})
		if err == nil || len(w.lookups[w.Region()]) != 2 {
			t.Errorf("%d requests, error %v", len(w.lookups[w.Region()]), err)
		}
	})
}

func TestARefusalIsNotAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Deny("cloudtrail:LookupEvents")
		_, err := w.trail().LastChanges(t.Context(), []observation.LoadBalancer{w.classic})
		if err == nil || !strings.Contains(err.Error(), "us-west-2") || len(w.lookups[w.Region()]) != 1 {
			t.Errorf("%d requests, error %v", len(w.lookups[w.Region()]), err)
		}
	})
}
