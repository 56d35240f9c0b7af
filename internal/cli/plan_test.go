package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/awsio/trail"
	"certdrift/internal/boot"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

const acmPrefix = "arn:aws:acm:us-west-2:111122223333:certificate/"

// deploy is an account with one classic load balancer of a Service, and what a plan over it is asked.
type deploy struct {
	account *account.Account
	// declared is what the configuration declares, manifest what the Service's annotation says; ARNs, declared may be
	// empty.
	declared, manifest string
	host               string
}

// newDeploy has the certificate "first" on the load balancer, put there by the cluster. "good" and "next" are for the
// same name, "foreign" is for another, "old" has expired, "short" ends in a few days; "gone" was never there.
func newDeploy(t *testing.T) *deploy {
	t.Helper()
	now := time.Now()
	d := &deploy{account: account.New(account.Options{}), host: "api.example.org"}
	root, err := pki.Root("Plan Root", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id, name string
		left     int
	}{
		{"first", "api.example.org", 60}, {"good", "*.example.org", 60}, {"next", "api.example.org", 80},
		{"foreign", "api.example.net", 60}, {"old", "api.example.org", -3}, {"short", "api.example.org", 4},
	} {
		end := now.AddDate(0, 0, c.left)
		pair, err := root.Leaf(now, []string{c.name}, pki.Valid(end.AddDate(0, 0, -90), end))
		if err != nil {
			t.Fatal(err)
		}
		d.account.AddCertificate(c.id, pair)
	}
	d.account.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Classic, Name: "a1b2c3", Tags: map[string]string{"kubernetes.io/service-name": "production/api"},
		Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{acmPrefix + "first"}}},
	})
	return d
}

// attach puts a certificate on the load balancer, as somebody.
func (d *deploy) attach(t *testing.T, who account.Actor, id string) {
	t.Helper()
	name, arn := "a1b2c3", acmPrefix+id
	_, err := d.account.As(who).ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
		LoadBalancerName: &name, LoadBalancerPort: 443, SSLCertificateId: &arn,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// plan runs certdrift plan over the account.
func (d *deploy) plan(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	endpoint := fmt.Sprintf("{name: api, url: %q, service: production/api", "https://"+d.host+"/")
	if d.declared != "" {
		endpoint += fmt.Sprintf(", certificate: {arn: %q}", acmPrefix+d.declared)
	}
	write(t, filepath.Join(dir, "certdrift.yaml"), "version: 1\nload_balancers: {regions: [us-west-2]}\nenvironments:\n  production:\n    endpoints:\n      - "+endpoint+"}\n")
	annotation := "service.beta.kubernetes.io/aws-load-balancer-ssl-cert: " + acmPrefix + d.manifest
	if d.manifest == "" {
		annotation = "team: web"
	}
	write(t, filepath.Join(dir, "api.yaml"), `apiVersion: v1
kind: Service
metadata:
  name: api
  namespace: production
  annotations:
    `+annotation+`
spec: {type: LoadBalancer, ports: [{name: https, port: 443}]}
`)
	return run(t, d.plans, nil, append([]string{"plan", "-f", "api.yaml"}, args...)...)
}

// plans has an App plan over the account.
func (d *deploy) plans(a *App) {
	a.Parts.Plan = func(ctx context.Context, q round.Request, _ bool, _ *slog.Logger) (boot.Planned, error) {
		return boot.Preview(ctx, d.runner(), q), nil
	}
}

// readySignals has the runtime begin its own part of signal handling, which must not happen in a bubble.
func readySignals(t *testing.T) {
	_, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	stop()
}

// runner asks the simulated account, and probes nothing.
func (d *deploy) runner() *round.Runner {
	in := d.account
	return &round.Runner{
		Now: time.Now, Roots: (&trust.Stores{}).Get, Prober: unprobed{},
		Inspector: listener.New(listener.Options{
			Home: "us-west-2",
			Clients: func(string, target.Role) listener.Clients {
				return listener.Clients{Classic: in.ELB(), Modern: in.ELBv2(), ACM: in.ACM(), IAM: in.IAM()}
			},
			Account: func(context.Context, target.Role) (string, error) { return in.ID(), nil },
		}),
		History: trail.New(trail.Options{Now: time.Now, Client: func(string, target.Role) trail.Client { return in.CloudTrail() }}),
	}
}

// unprobed gives endpoints as a plan sees them: nobody dials.
type unprobed struct{}

func (unprobed) Probe(_ context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	var out []observation.Endpoint
	for _, e := range endpoints {
		out = append(out, observation.Endpoint{Target: e, Probed: true, DNS: observation.DNS{Skipped: true}})
	}
	return out
}

func (unprobed) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPlanOverAWS holds the gate before a deploy against an account: what it refuses, and what it lets pass.
func TestPlanOverAWS(t *testing.T) {
	readySignals(t)
	for _, c := range []struct {
		name, declared, attached, manifest string
		byHand                             bool
		status                             int
		want                               []string
	}{
		{"nothing changes", "good", "good", "good", false, 0, []string{"= unchanged: Service production/api:443 → a1b2c3:443", "✓ api.example.org: good, as now", "1 listener: 1 unchanged. Safe to apply."}},
		{"the incident: stale, and fixed by hand", "good", "good", "old", true, 1,
			[]string{"✗ refused: Service", "- *.example.org (good, until", "+ api.example.org (old, expired", "✗ api.example.org: good → old (expired", "undoes the change by Operator", "declare\n", acmPrefix + "good\n", "1 listener: 1 refused. Do not apply."}},
		{"the incident's name", "good", "good", "foreign", true, 1, []string{"✗ api.example.org: good → foreign (does not cover the name)", "would not be covered by certificate/foreign"}},
		{"after the incident, fixed", "good", "old", "good", false, 0, []string{"~ changed: Service", "- api.example.org (old, expired", "attaches the declared certificate"}},
		{"another than declared", "good", "good", "next", false, 1, []string{"the configuration declares another certificate"}},
		{"a rotation by both", "next", "good", "next", false, 0, []string{"~ changed: Service", "attaches the declared certificate"}},
		{"a rotation where the configuration is silent", "", "good", "next", false, 0, []string{"! warning: Service", "the configuration declares none", "If this change is intended", "1 listener: 1 with a warning."}},
		{"undoes what somebody did", "", "good", "next", true, 1, []string{"undoes the change by Operator"}},
		{"uncovered, configuration silent", "", "good", "foreign", false, 1, []string{"✗ api.example.org"}},
		{"expired, configuration silent", "", "good", "old", false, 1, []string{"expired"}},
		{"ends sooner", "", "good", "short", false, 1, []string{"certificate/short expires"}},
		{"ends sooner, declared", "short", "good", "short", false, 1, []string{"certificate/short expires"}},
		{"was never there", "", "good", "gone", false, 1, []string{"gone (deleted)", "✗ api.example.org: good → gone (no longer exists)"}},
		{"the annotation is gone", "", "good", "", false, 1, []string{"after apply     no certificate", "✗ api.example.org: good → no certificate", "would be left without a certificate"}},
		{"broken already, and stays so", "", "foreign", "foreign", false, 1, []string{"✗ api.example.org"}},
	} {
		// A look-up of the author takes its time, which a bubble gives.
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDeploy(t)
				d.declared, d.manifest = c.declared, c.manifest
				who := account.Kubernetes()
				if c.byHand {
					who = account.Operator()
				}
				d.attach(t, who, c.attached)
				status, stdout, stderr := d.plan(t)
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

// TestPlanOfALoadBalancerToCome holds that a first deploy passes, judged by its certificate alone.
func TestPlanOfALoadBalancerToCome(t *testing.T) {
	for manifest, want := range map[string]int{"good": 0, "foreign": 1, "old": 1, "short": 1} {
		d := newDeploy(t)
		d.account.RemoveLoadBalancer("a1b2c3")
		d.manifest = manifest
		if status, stdout, _ := d.plan(t); status != want || !strings.Contains(stdout, "not created yet") || !strings.Contains(stdout, "+ ") {
			t.Errorf("%s: exit status %d, want %d\n%s", manifest, status, want, stdout)
		}
	}
}

// TestPlanWithoutTheAuthor holds that a change whose author could not be looked up fails nothing, and is said: it may be
// somebody's, and applying would undo it.
func TestPlanWithoutTheAuthor(t *testing.T) {
	readySignals(t)
	synctest.Test(t, func(t *testing.T) {
		d := newDeploy(t)
		d.manifest = "next"
		d.attach(t, account.Operator(), "good")
		d.account.Deny("cloudtrail:LookupEvents")
		note := "who attached certificate/good to a1b2c3:443 (CloudTrail could not be read): whether applying would undo someone's change"
		status, stdout, _ := d.plan(t)
		if status != 0 || !strings.Contains(stdout, "unknown         "+note) {
			t.Errorf("exit status %d, want 0; not said: %s\n%s", status, note, stdout)
		}
		_, stdout, _ = d.plan(t, "--format", "json")
		if !strings.Contains(stdout, "unknown: it could not be looked up in CloudTrail: ") || !strings.Contains(stdout, "AccessDenied") || strings.Contains(stdout, "neither an event") {
			t.Errorf("the finding does not say that the look-up failed:\n%s", stdout)
		}
	})
}

// TestPlanOfPlainPorts holds that a Service whose TLS ends elsewhere is none of the plan's business.
func TestPlanOfPlainPorts(t *testing.T) {
	d := newDeploy(t)
	d.account.RemoveLoadBalancer("a1b2c3")
	d.account.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Classic, Name: "a1b2c3", Tags: map[string]string{"kubernetes.io/service-name": "production/api"},
		Listeners: []account.Listener{{Port: 443, Protocol: "TCP"}},
	})
	if status, stdout, _ := d.plan(t); status != 0 || !strings.Contains(stdout, "No load balancer's certificate is declared") {
		t.Errorf("exit status %d, want 0\n%s", status, stdout)
	}
}

// TestPlanWithoutPermission holds that what AWS refuses to say is no pass, and hides nothing that is known.
func TestPlanWithoutPermission(t *testing.T) {
	d := newDeploy(t)
	d.account.Deny("elb:DescribeLoadBalancers")
	d.account.Deny("elbv2:DescribeLoadBalancers")
	d.declared, d.manifest = "good", "good"
	if status, stdout, _ := d.plan(t); status != 3 || !strings.Contains(stdout, "observe-denied") || !strings.Contains(stdout, "could not be read") {
		t.Errorf("exit status %d, want 3\n%s", status, stdout)
	}
	d.manifest = "foreign"
	if status, stdout, _ := d.plan(t); status != 1 || !strings.Contains(stdout, "would not be covered") {
		t.Errorf("exit status %d, want 1\n%s", status, stdout)
	}
}

// TestPlanOfManifestsThatAWSKeepsBack: that they cannot be read says nothing about them, and is no mistake of whoever
// wrote the configuration.
func TestPlanOfManifestsThatAWSKeepsBack(t *testing.T) {
	d := newDeploy(t)
	d.declared, d.manifest = "good", "good"
	kept := func(a *App) {
		d.plans(a)
		a.Parts.Declared = func(context.Context, []string, string, bool, io.Reader) manifest.Loaded {
			return manifest.Loaded{ObserveErrors: []observation.ObserveError{
				{Kind: observation.Denied, Operation: "s3:GetObject", Resource: "s3://bucket/k8s/", Detail: "AccessDenied: no"},
			}}
		}
	}
	d.plan(t) // writes the configuration
	status, stdout, stderr := run(t, kept, nil, "plan", "-f", "s3://bucket/k8s/")
	if status != 3 || !strings.Contains(stdout, "observe-denied") || strings.Contains(stdout+stderr, "config-invalid") {
		t.Errorf("exit status %d, want 3\n%s%s", status, stdout, stderr)
	}
}
