package draft

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/config"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shop is an account with a classic load balancer of a Service, an ALB with SNI certificates, one by hand with a
// wildcard only, and an NLB; and the manifests of the first two, one of them stale.
func shop(t *testing.T) Input {
	t.Helper()
	now := time.Now()
	a := account.New(account.Options{})
	root, err := pki.Root("Draft Root", now)
	if err != nil {
		t.Fatal(err)
	}
	arns := map[string]string{}
	for id, names := range map[string][]string{
		"api": {"api.example.org"}, "shop": {"shop.example.org", "www.example.org"}, "wild": {"*.example.org"}, "mqtt": {"mqtt.example.org"},
	} {
		pair, err := root.Leaf(now, names)
		if err != nil {
			t.Fatal(err)
		}
		arns[id] = a.AddCertificate(id, pair)
	}
	cluster := func(service string) map[string]string {
		return map[string]string{"kubernetes.io/cluster/main": "owned", "kubernetes.io/service-name": service}
	}
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "a1", Tags: cluster("production/api"), Listeners: []account.Listener{
		{Port: 443, Protocol: "HTTPS", Certificates: []string{arns["api"]}}, {Port: 80, Protocol: "HTTP"},
	}})
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "shop", Tags: cluster(""), Listeners: []account.Listener{
		{Port: 443, Protocol: "HTTPS", Certificates: []string{arns["wild"], arns["shop"]}},
	}})
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "byhand", Tags: cluster(""), Listeners: []account.Listener{
		{Port: 8443, Protocol: "HTTPS", Certificates: []string{arns["wild"]}},
	}})
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Network, Name: "queue", Tags: cluster("staging/mqtt"), Listeners: []account.Listener{
		{Port: 8883, Protocol: "TLS", Certificates: []string{arns["mqtt"]}},
	}})
	in := Input{Asked: true, Regions: []string{"us-west-2"}, Paths: []string{"k8s"}}
	in.Attached = listener.New(listener.Options{
		Home: "us-west-2",
		Clients: func(string, target.Role) listener.Clients {
			return listener.Clients{Classic: a.ELB(), Modern: a.ELBv2(), ACM: a.ACM(), IAM: a.IAM()}
		},
		Account: func(context.Context, target.Role) (string, error) { return a.ID(), nil },
	}).Inspect(t.Context(), target.Wanted{Scope: target.Scope{Enabled: true, Walk: true}})
	if len(in.Attached.ObserveErrors) > 0 {
		t.Fatal(in.Attached.ObserveErrors)
	}
	in.Manifests = []observation.Declaration{
		{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{"arn:aws:acm:us-west-2:111122223333:certificate/stale"},
			Source: target.Position{File: "k8s/api.yaml", Line: 7}},
		{Object: "Ingress shop/web", Service: "shop/web", LoadBalancer: "shop", Port: 443, ARNs: []string{arns["wild"], arns["shop"]},
			Hosts: []string{"shop.example.org", "blog.example.org", "*.eu.example.org"}, Source: target.Position{File: "k8s/web.yaml", Line: 9}},
	}
	return in
}

func TestWrite(t *testing.T) {
	got := Write(shop(t)).Text
	const golden = "testdata/shop.yaml"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	cfg := loads(t, got)
	if !cfg.Scope.Enabled || len(cfg.Endpoints) != 4 {
		t.Errorf("scope %+v, endpoints %+v", cfg.Scope, cfg.Endpoints)
	}
	for _, e := range cfg.Endpoints {
		if e.Declared == nil || e.LoadBalancer == nil {
			t.Errorf("%s lacks its certificate or load balancer", e.Key())
		}
	}
}

func loads(t testing.TB, text []byte) config.Config {
	t.Helper()
	cfg, faults := config.Load(text, config.Options{File: "certdrift.yaml"})
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults, text)
	}
	return cfg
}

// TestNothingIsThere holds that even an empty account gives a configuration.
func TestNothingIsThere(t *testing.T) {
	for _, in := range []Input{{}, {Asked: true}, {Asked: true, Regions: []string{"us-west-2"}}, {Paths: []string{"k8s"}}} {
		loads(t, Write(in).Text)
	}
}

// TestManyHosts holds that a certificate with very many names does not drown the rest.
func TestManyHosts(t *testing.T) {
	d := observation.Declaration{Service: "a/b", Port: 443, ARNs: []string{"arn:aws:acm:us-west-2:111122223333:certificate/x"}}
	for i := range 100 {
		d.Hosts = append(d.Hosts, fmt.Sprintf("h%03d.example.org", i))
	}
	text := Write(Input{Manifests: []observation.Declaration{d}}).Text
	if n := len(loads(t, text).Endpoints); n != maxHosts {
		t.Errorf("%d endpoints, want %d", n, maxHosts)
	}
	if !strings.Contains(string(text), "left out: h020.example.org") {
		t.Error("what is left out is not said")
	}
}

// TestSeveralCertificates holds that none of an Ingress's certificates is passed over in silence.
func TestSeveralCertificates(t *testing.T) {
	arns := []string{"arn:aws:acm:us-west-2:111122223333:certificate/a", "arn:aws:acm:us-west-2:111122223333:certificate/b", "arn:aws:acm:us-west-2:111122223333:certificate/c"}
	in := Input{Manifests: []observation.Declaration{{
		Object: "Ingress web/site", Service: "web/site", Port: 443, ARNs: arns, Hosts: []string{"a.example.org", "b.example.org"},
	}}}
	text := string(Write(in).Text)
	for _, arn := range arns {
		if !strings.Contains(text, "#   "+arn) {
			t.Errorf("%s is not named:\n%s", arn, text)
		}
	}
	if n := strings.Count(text, "# the default: no certificate above is known"); n != 2 {
		t.Errorf("%d endpoints say that theirs is a guess, want 2:\n%s", n, text)
	}
	in.Attached.Certificates = []observation.Certificate{{ARN: arns[0], Names: []string{"a.example.org"}}, {ARN: arns[1], Names: []string{"b.example.org"}}}
	text = string(Write(in).Text)
	got := loads(t, []byte(text)).Endpoints
	if strings.Contains(text, "is known to be for this host") || got[0].Declared.ARN != arns[0] || got[1].Declared.ARN != arns[1] {
		t.Errorf("each host has its certificate:\n%s", text)
	}
	if in.Manifests[0].ARNs = arns[:1]; strings.Contains(string(Write(in).Text), "certificates stand here") {
		t.Error("one is none of several")
	}
}

// FuzzWrite holds that a draft loads, whatever names it meets.
func FuzzWrite(f *testing.F) {
	f.Add("production", "api", "api.example.org", "a1", "k8s/api.yaml")
	f.Add("yes", "8443", "*.example.org", "null", "- x: {{ }}")
	f.Add("a:b", "\"#", "EXAMPLE.org.", "[", "a\n#: b")
	f.Fuzz(func(t *testing.T, namespace, name, host, balancer, file string) {
		const arn = "arn:aws:acm:us-west-2:111122223333:certificate/x"
		in := Input{
			Manifests: []observation.Declaration{{Object: name, Service: namespace + "/" + name, LoadBalancer: balancer, Port: 443, ARNs: []string{arn},
				Hosts: []string{host}, Source: target.Position{File: file, Line: 1}}},
			Attached: observation.Attached{LoadBalancers: []observation.LoadBalancer{{
				Name: balancer, Region: "us-west-2", Tags: map[string]string{"kubernetes.io/service-name": name + "/" + namespace, "kubernetes.io/cluster/" + name: host},
				Listeners: []observation.Listener{{Port: 8443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: arn, Default: true}}}},
			}}, Certificates: []observation.Certificate{{ARN: arn, Names: []string{host, "www.example.org"}}}},
			Asked: true, Regions: []string{"us-west-2"}, Paths: []string{file},
		}
		if !sane(namespace) || !sane(name) || !sane(balancer) || file == "" {
			return // Kubernetes and AWS give no such names; a file may have any
		}
		text := Write(in).Text
		loads(t, text)
		loads(t, uncommented(text))
	})
}

// uncommented is a draft as an editor leaves it that toggles the comments of the lines which begin with one: without the first "# " of
// each line, indented or not. The two lines at the top are no part of it. HOST is filled in.
func uncommented(text []byte) []byte {
	var out []string
	for i, line := range strings.Split(string(text), "\n") {
		if rest, found := strings.CutPrefix(line, "# "); found && i >= 2 {
			line = rest
		}
		out = append(out, strings.ReplaceAll(line, "//HOST", "//host.example.net"))
	}
	return []byte(strings.Join(out, "\n"))
}

// TestUncommented holds that a draft loads with all that is commented out, and has an endpoint for each listener then.
func TestUncommented(t *testing.T) {
	bare := shop(t)
	bare.Asked, bare.Attached = false, observation.Attached{}
	for i := range bare.Manifests {
		bare.Manifests[i].Hosts = nil
	}
	mixed := shop(t)
	mixed.Manifests = append(mixed.Manifests, observation.Declaration{
		Object: "Service shop/aaa", Service: "shop/aaa", Port: 8443, ARNs: []string{"arn:aws:acm:us-west-2:111122223333:certificate/x"}, Source: target.Position{File: "k8s/aaa.yaml", Line: 3},
	})
	for name, c := range map[string]struct {
		in               Input
		before, hostless int
	}{
		"the account": {shop(t), 4, 1}, "manifests without hosts": {bare, 0, 2}, "some of an environment": {mixed, 4, 2},
	} {
		drafted := Write(c.in)
		if drafted.Endpoints != c.before || drafted.Hostless != c.hostless || len(loads(t, drafted.Text).Endpoints) != c.before {
			t.Errorf("%s: %d endpoints and %d without a host, want %d and %d\n%s", name, drafted.Endpoints, drafted.Hostless, c.before, c.hostless, drafted.Text)
		}
		loads(t, []byte(strings.Replace(string(drafted.Text), "  # tags:", "  tags:", 1)))
		if n := len(loads(t, uncommented(drafted.Text)).Endpoints); n != c.before+c.hostless {
			t.Errorf("%s: %d endpoints once uncommented, want %d\n%s", name, n, c.before+c.hostless, uncommented(drafted.Text))
		}
	}
}

// sane reports whether a name could be Kubernetes's, Terraform's or AWS's.
func sane(name string) bool {
	return name != "" && len(name) < 64 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
