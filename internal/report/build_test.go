package report

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

func conclusion(complete bool, fs ...finding.Finding) finding.Conclusion {
	return finding.Conclusion{Findings: fs, Complete: complete}
}

func TestVerdictAndExitStatus(t *testing.T) {
	of := func(code finding.Code, s finding.Severity) finding.Finding {
		return finding.Finding{Code: code, Severity: s}
	}
	expired, slow := of(finding.CertExpired, finding.Critical), of(finding.HTTPSlow, finding.Warning)
	invalid, note := of(finding.ConfigInvalid, finding.Critical), of(finding.ListenerPlaintext, finding.Info)
	for _, tt := range []struct {
		name       string
		conclusion finding.Conclusion
		failOn     finding.Severity
		verdict    Verdict
		status     int
	}{
		{"clean", conclusion(true), finding.Critical, Pass, 0},
		{"info is clean", conclusion(true, note), finding.Warning, Pass, 0},
		{"warning below critical", conclusion(true, slow), finding.Critical, Pass, 0},
		{"warning asked for", conclusion(true, slow), finding.Warning, Fail, 1},
		{"critical", conclusion(true, expired), finding.Critical, Fail, 1},
		{"critical, never to fail", conclusion(true, expired), finding.None, Pass, 0},
		{"incomplete", conclusion(false), finding.Critical, Incomplete, 3},
		{"incomplete, never to fail", conclusion(false), finding.None, Incomplete, 3},
		{"incomplete with a warning", conclusion(false, slow), finding.Critical, Incomplete, 3},
		{"fail wins over incomplete", conclusion(false, expired), finding.Critical, Fail, 1},
		{"configuration only", conclusion(true, invalid), finding.Critical, Fail, 2},
		{"configuration and a warning", conclusion(true, invalid, slow), finding.Critical, Fail, 2},
		{"configuration, never to fail", conclusion(true, invalid), finding.None, Incomplete, 2},
		{"configuration and incomplete", conclusion(false, invalid), finding.Critical, Fail, 2},
		{"configuration and another", conclusion(true, invalid, expired), finding.Critical, Fail, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Build(Input{Conclusion: tt.conclusion, FailOn: tt.failOn})
			if r.Verdict != tt.verdict || ExitStatus(r) != tt.status {
				t.Errorf("%s and status %d, want %s and %d", r.Verdict, ExitStatus(r), tt.verdict, tt.status)
			}
		})
	}
}

// TestNoNulls holds that lists are never null, however empty a round is.
func TestNoNulls(t *testing.T) {
	in := fixture(t)
	in.Round.Endpoints = append(in.Round.Endpoints, observation.Endpoint{}, observation.Endpoint{Addresses: []observation.Address{{
		TLS: &observation.TLS{}, HTTP: &observation.HTTP{Hops: []observation.Hop{{}}}}}})
	in.Round.LoadBalancers = append(in.Round.LoadBalancers, observation.LoadBalancer{Listeners: []observation.Listener{{
		Certificates: []observation.Attachment{{ARN: "unknown"}}}}})
	in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{})
	for _, in := range []Input{{}, in} {
		raw, err := json.Marshal(Build(in))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		for _, path := range nulls("", doc) {
			switch path[strings.LastIndex(path, ".")+1:] {
			case "failure", "protocol", "http", "declared", "not_after": // a single thing that may not be there
			default:
				t.Errorf("%s is null", path)
			}
		}
	}
}

func nulls(path string, v any) (found []string) {
	switch v := v.(type) {
	case nil:
		return []string{path}
	case []any:
		for _, item := range v {
			found = append(found, nulls(path, item)...)
		}
	case map[string]any:
		for key, item := range v {
			found = append(found, nulls(path+"."+key, item)...)
		}
	}
	return found
}

func TestStates(t *testing.T) {
	r := Build(fixture(t))
	got := map[string]State{}
	for _, e := range r.Endpoints {
		got[e.Environment+"/"+e.Name] = e.State
	}
	for _, l := range r.Listeners {
		got[l.Listener] = l.State
	}
	want := map[string]State{
		"production/api": Critical, "production/ui": OK, "staging/api": Unknown, "staging/ui": Critical, "staging/docs": Unknown,
		"a1b2c3:443": Critical, "a1b2c3:80": OK,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLeftOut holds that an endpoint that the configuration gets wrong is counted among those nobody checked, once, and
// that neither a fault of a whole file nor one of an endpoint that was probed all the same adds any.
func TestLeftOut(t *testing.T) {
	in := Input{Round: observation.Round{
		Endpoints: []observation.Endpoint{{Target: target.Endpoint{Environment: "e", Name: "good"}, Probed: true}},
		Diagnostics: []observation.Diagnostic{
			{Message: "the file's"}, {Message: "an environment's", Environment: "e"}, {Message: "a namesake's", Environment: "e", Endpoint: "good"},
			{Message: "one", Environment: "e", Endpoint: "bad"}, {Message: "two", Environment: "e", Endpoint: "bad"},
			{Message: "elsewhere", Environment: "f", Endpoint: "good"},
		},
	}}
	for _, f := range in.Round.Diagnostics {
		in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
			Code: finding.ConfigInvalid, Severity: finding.Critical, Environment: f.Environment, Endpoint: f.Endpoint, Summary: f.Message})
	}
	r := Build(in)
	var got []string
	for _, e := range r.Endpoints {
		got = append(got, fmt.Sprintf("%s/%s %s %d", e.Environment, e.Name, e.State, len(e.findings)))
	}
	if diff := cmp.Diff([]string{"e/good critical 1", "e/bad unknown 2", "f/good unknown 1"}, got); diff != "" {
		t.Error(diff)
	}
	if line := CountingLine(r); !strings.Contains(line, "0 of 3 endpoints ok, 2 not checked") {
		t.Error(line)
	}
	raw, err := json.Marshal(r.Endpoints[1])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), `"addresses":null`) {
		t.Errorf("%s", raw)
	}
}

// TestACertificateIsListedOnce: the default certificate is one of the listener's, whether it is in the SNI list, too, or not.
func TestACertificateIsListedOnce(t *testing.T) {
	lb := observation.LoadBalancer{Name: "lb", Listeners: []observation.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: "a", Default: true}, {ARN: "a"}, {ARN: "b"}}}}}
	got := Build(Input{Round: observation.Round{LoadBalancers: []observation.LoadBalancer{lb}}}).Listeners[0].Certificates
	if len(got) != 2 || got[0].ARN != "a" || !got[0].Default || got[1].ARN != "b" || got[1].Default {
		t.Errorf("listed: %+v", got)
	}
}

// TestListenerBehind holds the ways by which an endpoint finds its listener.
func TestListenerBehind(t *testing.T) {
	lb := observation.LoadBalancer{
		Name: "lb", Region: "us-west-2", DNSName: "lb-1.elb.amazonaws.com", Addresses: []string{"192.0.2.1"},
		Tags: map[string]string{"service.k8s.aws/stack": "web/site"}, Listeners: []observation.Listener{{Port: 443}},
	}
	for _, tt := range []struct {
		name string
		edit func(*observation.Endpoint)
		want string
	}{
		{"nothing", func(*observation.Endpoint) {}, ""},
		{"canonical name", func(e *observation.Endpoint) { e.DNS.CanonicalName = "lb-1.elb.amazonaws.com" }, "lb:443"},
		{"dualstack name", func(e *observation.Endpoint) { e.DNS.CanonicalName = "dualstack.lb-1.elb.amazonaws.com" }, "lb:443"},
		{"address", func(e *observation.Endpoint) { e.DNS.Addresses = []string{"192.0.2.1"} }, "lb:443"},
		{"address that was given", func(e *observation.Endpoint) { e.DNS.Addresses, e.DNS.Skipped = []string{"192.0.2.1"}, true }, ""},
		{"service", func(e *observation.Endpoint) { e.Target.Service = "web/site" }, "lb:443"},
		{"another service", func(e *observation.Endpoint) { e.Target.Service = "web/other" }, ""},
		{"another service, but the address", func(e *observation.Endpoint) {
			e.Target.Service, e.DNS.Addresses = "web/other", []string{"192.0.2.1"}
		}, "lb:443"},
		{"a name", func(e *observation.Endpoint) { e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb"} }, "lb:443"},
		{"a name elsewhere", func(e *observation.Endpoint) {
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb", Region: "eu-west-1"}
		}, ""},
		{"port without listener", func(e *observation.Endpoint) { e.Target.Service, e.Target.Port = "web/site", 8443 }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := observation.Endpoint{Probed: true}
			e.Target.Port = 443
			tt.edit(&e)
			r := Build(Input{Round: observation.Round{Endpoints: []observation.Endpoint{e}, LoadBalancers: []observation.LoadBalancer{lb}}})
			if got := r.Endpoints[0].Listener; got != tt.want {
				t.Errorf("behind %q, want %q", got, tt.want)
			}
			if got := len(r.Listeners[0].Endpoints); got != len(tt.want)/6 {
				t.Errorf("the listener has %d endpoints", got)
			}
		})
	}
}

// TestListenerMutualTLS holds that the document tells a listener that asks for client certificates from one that does not,
// and both from a kind that can't.
func TestListenerMutualTLS(t *testing.T) {
	var lb observation.LoadBalancer
	modes := []string{"verify", "passthrough", "off", ""}
	for i, mode := range modes {
		lb.Listeners = append(lb.Listeners, observation.Listener{Port: i, MutualTLS: mode})
	}
	raw, err := json.Marshal(Build(Input{Round: observation.Round{LoadBalancers: []observation.LoadBalancer{lb}}}))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Listeners []map[string]any `json:"listeners"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for i, mode := range modes {
		if got := doc.Listeners[i]["mutual_tls"]; got != mode {
			t.Errorf("mutual_tls %v, want %q", got, mode)
		}
	}
}

func TestCertificateIsBounded(t *testing.T) {
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("n%d.example.org", i))
	}
	many, err := pki.SelfSigned(noon, names, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(255) })
	if err != nil {
		t.Fatal(err)
	}
	c := certificate(many.Certificate.Raw)
	if len(c.Names) != MaxNames || c.NameCount != 500 || c.Serial != "ff" || c.Key != "ECDSA P-256" {
		t.Errorf("%d names of %d, serial %q, key %q", len(c.Names), c.NameCount, c.Serial, c.Key)
	}
	if broken := certificate([]byte("no DER")); broken.Malformed == "" || len(broken.FingerprintSHA256) != 64 {
		t.Errorf("%+v", broken)
	}
	chain := make([][]byte, 3*MaxChain)
	a := addresses([]observation.Address{{TLS: &observation.TLS{Chain: chain}}}, time.Time{})[0]
	if len(a.Chain) != MaxChain || a.ChainLength != len(chain) {
		t.Errorf("%d of %d certificates", len(a.Chain), a.ChainLength)
	}
}
