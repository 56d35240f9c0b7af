// Package demo replays the incident that certdrift exists for, on one machine: a simulated account, real TLS servers on
// loopback, and the product's own rounds, functions' handler included. Nothing in it is canned: what it prints is what
// certdrift found and sent.
package demo

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/edge"
	"certdrift/internal/sim/pki"
)

// place is one endpoint of the story with the load balancer in front of it.
type place struct {
	environment, service, host, balancer string
	// right is the certificate that belongs there, stale the one that the templates come to name.
	right, stale string
}

// The story's certificates, by ARN.
const (
	arnPrefix     = "arn:aws:acm:us-west-2:111122223333:certificate/"
	productionARN = arnPrefix + "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
	stagingARN    = arnPrefix + "5e91c6d4-0a37-4c55-8f9e-2d3b7c4e8a02"
	expiredARN    = arnPrefix + "c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803"
	foreignARN    = "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017"
)

func places() []place {
	return []place{
		{"staging", "ui", "www-staging.monitoring.example.org", "a33d2e74a9fb6330abd5c28e714fa093", stagingARN, expiredARN},
		{"staging", "api", "api-staging.monitoring.example.org", "a44c3f85bafc7441bce6d39f825ab1a4", stagingARN, expiredARN},
		{"production", "ui", "www.monitoring.example.org", "a11f0c52e7d9411e89b3a06c5f2d8e71", productionARN, foreignARN},
		{"production", "api", "api.monitoring.example.org", "a22e1d63f8ea522f9ac4b17d603e9f82", productionARN, foreignARN},
	}
}

// clock is the story's time. It moves only when the story says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the story's present.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the stage: the account, its certificates, and a TLS server for each load balancer.
type world struct {
	clock   *clock
	account *account.Account
	ca      *pki.Pair
	pairs   map[string]*pki.Pair // by ARN
	servers []*edge.Server
	// addresses are the servers', by load balancer.
	addresses map[string]string
	topic     string
}

// newWorld sets the stage as it stood before the story: every load balancer has the right certificate.
func newWorld(ctx context.Context, start time.Time) (*world, error) {
	w := &world{clock: &clock{now: start}, pairs: map[string]*pki.Pair{}, addresses: map[string]string{}}
	w.account = account.New(account.Options{Now: w.clock.Now})
	w.topic = w.account.AddTopic("certdrift-alerts",
		account.Subscription{Protocol: "email", Endpoint: "oncall@example.org"},
		account.Subscription{Protocol: "sms", Endpoint: "+12065550100", Filter: map[string][]string{"severity": {"critical"}}})
	if err := w.issue(start); err != nil {
		return nil, err
	}
	for _, p := range places() {
		w.account.AddLoadBalancer(account.LoadBalancer{
			Kind: observation.Classic, Name: p.balancer,
			Tags: map[string]string{"kubernetes.io/service-name": p.environment + "/" + p.service, "kubernetes.io/cluster/main": "owned"},
			Listeners: []account.Listener{
				{Port: 443, Protocol: "HTTPS", Certificates: []string{p.right}},
			},
		})
		if err := w.serve(ctx, p); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// issue makes the certificates: two right ones, one for another domain, one that has expired.
func (w *world) issue(start time.Time) error {
	root, err := pki.Root("certdrift demo root", start)
	if err != nil {
		return err
	}
	w.ca = root
	issuer, err := root.Intermediate("certdrift demo issuer", start)
	if err != nil {
		return err
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		arn       string
		names     []string
		from, end time.Duration
	}{
		{productionARN, []string{"monitoring.example.org", "*.monitoring.example.org"}, -6 * day, 190 * day},
		{stagingARN, []string{"*.monitoring.example.org"}, -6 * day, 190 * day},
		{foreignARN, []string{"webmonitoring.example.net", "*.webmonitoring.example.net"}, -50 * day, 145 * day},
		{expiredARN, []string{"*.monitoring.example.org"}, -199 * day, -2 * day},
	} {
		pair, err := issuer.Leaf(start, c.names, pki.Valid(start.Add(c.from), start.Add(c.end)))
		if err != nil {
			return err
		}
		w.pairs[c.arn] = pair
		if c.arn == foreignARN {
			w.account.AddServerCertificate("web-monitoring-2017", pair)
		} else {
			w.account.AddCertificate(strings.TrimPrefix(c.arn, arnPrefix), pair)
		}
	}
	return nil
}

// serve starts the load balancer's public face.
func (w *world) serve(ctx context.Context, p place) error {
	certificate := func(string) (*tls.Certificate, error) { return w.attached(ctx, p.balancer) }
	answer := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Date", w.clock.Now().UTC().Format(http.TimeFormat))
		fmt.Fprintln(rw, "ok")
	})
	server, err := edge.Start(ctx, "127.0.0.1", certificate, answer)
	if err != nil {
		return fmt.Errorf("starting %q: %w", p.host, err)
	}
	w.servers = append(w.servers, server)
	w.addresses[p.balancer] = server.Address
	return nil
}

// attached is the certificate on a load balancer at this moment.
func (w *world) attached(ctx context.Context, balancer string) (*tls.Certificate, error) {
	out, err := w.account.ELB().DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{balancer}})
	if err != nil {
		return nil, fmt.Errorf("describing %q: %w", balancer, err)
	}
	for _, l := range out.LoadBalancerDescriptions[0].ListenerDescriptions {
		if pair := w.pairs[*l.Listener.SSLCertificateId]; pair != nil {
			certificate := pair.TLS()
			return &certificate, nil
		}
	}
	return nil, fmt.Errorf("%q has no certificate", balancer)
}

// attach puts certificates on the load balancers of an environment, as an actor.
func (w *world) attach(ctx context.Context, actor account.Actor, environment string, which func(place) string) error {
	client := w.account.As(actor).ELB()
	for _, p := range places() {
		if p.environment != environment {
			continue
		}
		port, arn := int32(443), which(p)
		_, err := client.SetLoadBalancerListenerSSLCertificate(ctx, &elb.SetLoadBalancerListenerSSLCertificateInput{
			LoadBalancerName: &p.balancer, LoadBalancerPort: port, SSLCertificateId: &arn,
		})
		if err != nil {
			return fmt.Errorf("attaching %q to %q: %w", arn, p.balancer, err)
		}
	}
	return nil
}

// configuration is the story's certdrift.yaml. What it names is read from files.
func (w *world) configuration() string {
	var b strings.Builder
	b.WriteString("version: 1\ntrust: {ca_files: [demo-ca.pem]}\nload_balancers: {regions: [us-west-2]}\nmanifests: [k8s]\nenvironments:\n")
	environment := ""
	for _, p := range places() {
		if p.environment != environment {
			environment = p.environment
			fmt.Fprintf(&b, "  %s:\n    endpoints:\n", environment)
		}
		fmt.Fprintf(&b, "      - name: %s\n        url: https://%s/\n        connect_to: [%q]\n        expect: {status: [200], body_contains: ok}\n"+
			"        certificate: {arn: %q}\n        load_balancer: {name: %s, port: 443}\n        service: %s/%s\n",
			p.service, p.host, w.addresses[p.balancer], p.right, p.balancer, p.environment, p.service)
	}
	return b.String()
}

// files are what the configuration names.
func (w *world) file(name string) ([]byte, error) {
	if name == "demo-ca.pem" {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.Certificate.Raw}), nil
	}
	return nil, fmt.Errorf("the demo has no file %q", name)
}

// manifestOf is a Service template of the story.
func manifestOf(p place, arn string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: %s
  namespace: %s
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-backend-protocol: http
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: https
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: %s
spec:
  type: LoadBalancer
  ports:
    - {name: https, port: 443, targetPort: 3000}
`, p.service, p.environment, arn)
}

func (w *world) close() error {
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
