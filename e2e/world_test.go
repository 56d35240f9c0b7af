package e2e

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"certdrift/internal/sim/edge"
	"certdrift/internal/sim/pki"
)

// world is the account that certdrift monitors: load balancers, their certificates, TLS servers that serve whatever is currently
// attached, and one server without a load balancer.
type world struct {
	elb      *elb.Client
	ca       *pki.Pair
	balanced []balanced
	// lone serves what the test sets.
	lone     *edge.Server
	loneMu   sync.Mutex
	lonePair *pki.Pair
	// right and stale are certificate ARNs, by environment; pairs are their contents.
	right, stale map[string]string
	pairs        map[string]*pki.Pair
	roles        []string // to assume, where all this is in another account than the stack
	// configuration replaces the one of this world; empty for none.
	configuration string
}

// balanced is one endpoint behind a classic load balancer.
type balanced struct {
	environment, name, host, balancer string
	service                           string // as the load balancer's tag names it
	edge                              *edge.Server
}

const loneHost = "status.monitoring.example.org"

func makeWorld(t *testing.T, cfg aws.Config) *world {
	t.Helper()
	now := time.Now()
	ca, err := pki.Root("certdrift end-to-end root", now)
	check(t, err)
	issuer, err := ca.Intermediate("certdrift end-to-end issuer", now)
	check(t, err)
	w := &world{elb: elb.NewFromConfig(cfg), ca: ca, right: map[string]string{}, stale: map[string]string{}, pairs: map[string]*pki.Pair{}}
	for environment, names := range map[string][]string{
		"production": {"monitoring.example.org", "*.monitoring.example.org"},
		"staging":    {"*.monitoring.example.org"},
	} {
		pair, err := issuer.Leaf(now, names)
		check(t, err)
		w.right[environment] = w.importACM(t, acm.NewFromConfig(cfg), pair)
	}
	stale, err := issuer.Leaf(now, []string{"webmonitoring.example.net", "*.webmonitoring.example.net"})
	check(t, err)
	w.stale["production"] = w.uploadIAM(t, iam.NewFromConfig(cfg), "web-monitoring-2017", stale)
	// ACM does not import expired certificates; IAM does.
	ended, err := issuer.Leaf(now, []string{"*.monitoring.example.org"}, pki.Valid(now.AddDate(0, -13, 0), now.AddDate(0, -1, 0)))
	check(t, err)
	w.stale["staging"] = w.uploadIAM(t, iam.NewFromConfig(cfg), "monitoring-2017", ended)
	w.lonePair, err = issuer.Leaf(now, []string{loneHost})
	check(t, err)
	w.lone = serve(t, func(string) (*tls.Certificate, error) {
		w.loneMu.Lock()
		defer w.loneMu.Unlock()
		c := w.lonePair.TLS()
		return &c, nil
	})
	return w
}

// theFour adds the incident's load balancers.
func (w *world) theFour(t *testing.T) {
	t.Helper()
	for _, b := range []balanced{
		{environment: "staging", name: "ui", host: "www-staging.monitoring.example.org", balancer: "a33d2e74a9fb6330abd5c28e714fa093"},
		{environment: "staging", name: "api", host: "api-staging.monitoring.example.org", balancer: "a44c3f85bafc7441bce6d39f825ab1a4"},
		{environment: "production", name: "ui", host: "www.monitoring.example.org", balancer: "a11f0c52e7d9411e89b3a06c5f2d8e71"},
		{environment: "production", name: "api", host: "api.monitoring.example.org", balancer: "a22e1d63f8ea522f9ac4b17d603e9f82"},
	} {
		b.service = b.environment + "/" + b.name
		w.balanced = append(w.balanced, w.balance(t, b))
	}
}

// theForty adds forty endpoints behind one load balancer.
func (w *world) theForty(t *testing.T) {
	t.Helper()
	gateway := w.balance(t, balanced{environment: "production", service: "production/api", balancer: "a22e1d63f8ea522f9ac4b17d603e9f82"})
	for i := range 40 {
		gateway.name = fmt.Sprintf("api%02d", i)
		gateway.host = gateway.name + ".monitoring.example.org"
		w.balanced = append(w.balanced, gateway)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// halves returns the leaf, the rest of the chain and the key, in PEM.
func halves(t *testing.T, pair *pki.Pair) (leaf, chain, key []byte) {
	t.Helper()
	block, chain := pem.Decode(pair.PEM())
	key, err := pair.KeyPEM()
	check(t, err)
	return pem.EncodeToMemory(block), chain, key
}

func (w *world) importACM(t *testing.T, api *acm.Client, pair *pki.Pair) string {
	t.Helper()
	leaf, chain, key := halves(t, pair)
	out, err := api.ImportCertificate(t.Context(), &acm.ImportCertificateInput{Certificate: leaf, CertificateChain: chain, PrivateKey: key})
	check(t, err)
	w.pairs[aws.ToString(out.CertificateArn)] = pair
	return aws.ToString(out.CertificateArn)
}

func (w *world) uploadIAM(t *testing.T, api *iam.Client, name string, pair *pki.Pair) string {
	t.Helper()
	leaf, chain, key := halves(t, pair)
	out, err := api.UploadServerCertificate(t.Context(), &iam.UploadServerCertificateInput{
		ServerCertificateName: &name, CertificateBody: aws.String(string(leaf)), CertificateChain: aws.String(string(chain)), PrivateKey: aws.String(string(key)),
	})
	check(t, err)
	arn := aws.ToString(out.ServerCertificateMetadata.Arn)
	w.pairs[arn] = pair
	return arn
}

// balance creates a load balancer with the right certificate, tagged as the cluster's cloud provider does, and its TLS server.
func (w *world) balance(t *testing.T, b balanced) balanced {
	t.Helper()
	_, err := w.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		LoadBalancerName: &b.balancer, AvailabilityZones: []string{region + "a"},
		Listeners: []elbtypes.Listener{{
			Protocol: aws.String("HTTPS"), LoadBalancerPort: 443, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(30080),
			SSLCertificateId: aws.String(w.right[b.environment]),
		}},
		Tags: []elbtypes.Tag{{Key: aws.String("kubernetes.io/service-name"), Value: &b.service}},
	})
	check(t, err)
	b.edge = serve(t, func(string) (*tls.Certificate, error) {
		arn, err := w.attached(context.Background(), b.balancer)
		if err != nil {
			return nil, err
		}
		pair, ok := w.pairs[arn]
		if !ok {
			return nil, fmt.Errorf("no certificate %q", arn)
		}
		c := pair.TLS()
		return &c, nil
	})
	return b
}

func serve(t *testing.T, certificate edge.Certificate) *edge.Server {
	t.Helper()
	s, err := edge.Start(t.Context(), "127.0.0.1", certificate, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// attached is the certificate of a load balancer's port 443.
func (w *world) attached(ctx context.Context, balancer string) (string, error) {
	out, err := w.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{balancer}})
	if err != nil {
		return "", err
	}
	for _, lb := range out.LoadBalancerDescriptions {
		for _, l := range lb.ListenerDescriptions {
			if l.Listener.LoadBalancerPort == 443 {
				return aws.ToString(l.Listener.SSLCertificateId), nil
			}
		}
	}
	return "", fmt.Errorf("load balancer %q has no port 443", balancer)
}

// attach changes the certificate of a listener, as the console and kubectl do in the end.
func (w *world) attach(t *testing.T, balancer, arn string) {
	t.Helper()
	_, err := w.elb.SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
		LoadBalancerName: &balancer, LoadBalancerPort: 443, SSLCertificateId: &arn,
	})
	check(t, err)
}

// serveAlone changes what the lone server serves.
func (w *world) serveAlone(pair *pki.Pair) (before *pki.Pair) {
	w.loneMu.Lock()
	defer w.loneMu.Unlock()
	before, w.lonePair = w.lonePair, pair
	return before
}

// config is the certdrift.yaml of this world. The servers are on loopback, so each endpoint has connect_to.
func (w *world) config() string {
	if w.configuration != "" {
		return w.configuration
	}
	var b strings.Builder
	b.WriteString("version: 1\ntrust: {roots: mozilla, ca_files: [ca.pem]}\npolicy: {confirm: 2}\nenvironments:\n")
	for _, environment := range []string{"production", "staging"} {
		if !slices.ContainsFunc(w.balanced, func(e balanced) bool { return e.environment == environment }) {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    endpoints:\n", environment)
		for _, e := range w.balanced {
			if e.environment == environment {
				fmt.Fprintf(&b, "      - name: %s\n        url: https://%s/\n        connect_to: [%q]\n        expect: {body_contains: ok}\n"+
					"        certificate: {arn: %q}\n        load_balancer: {name: %s, port: 443}\n        service: %s\n",
					e.name, e.host, e.edge.Address, w.right[environment], e.balancer, e.service)
			}
		}
	}
	fmt.Fprintf(&b, "  public:\n    endpoints:\n      - name: status\n        url: https://%s/\n        connect_to: [%q]\n", loneHost, w.lone.Address)
	fmt.Fprintf(&b, "load_balancers: {regions: [%s], role_arns: %q}\n", region, w.roles)
	return b.String()
}

func (w *world) caPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.Certificate.Raw})
}

// write writes the configuration and the files it names into a new folder.
func (w *world) write(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "certdrift.yaml"), []byte(w.config()), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "ca.pem"), w.caPEM(), 0o600))
	return dir
}

// here replaces the certificates in events/ and in the manifests with those of this world.
func (w *world) here() *strings.Replacer {
	return strings.NewReplacer(
		"arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", w.right["production"],
		"arn:aws:acm:us-west-2:111122223333:certificate/5e91c6d4-0a37-4c55-8f9e-2d3b7c4e8a02", w.right["staging"],
		"arn:aws:acm:us-west-2:111122223333:certificate/c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803", w.stale["staging"],
	)
}
