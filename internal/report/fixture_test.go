package report

import (
	"encoding/pem"
	"os"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// hostile is what a server may put into a name, a header or a body, every format's own poison in one.
const hostile = "\x1b[31m\r\n::error::owned\r\n##[error]x | `a` <script>alert(1)</script> ]]> \u202e @all #1 [a](http://evil.example) \"q\" \\ %0A {0}\x00\xff"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	goodARN  = "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
	staleARN = "arn:aws:acm:us-west-2:111122223333:certificate/9c1e4d77-0a53-4a5e-8f16-2f6f0d1c7e02"
)

func chainOf(t testing.TB, file string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var chain [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	return chain
}

func probed(address string, chain [][]byte) observation.Address {
	return observation.Address{
		Address: address, Started: noon,
		Phases: observation.Phases{
			DNS: 1200 * time.Microsecond, Connect: 3 * time.Millisecond, TLS: 8 * time.Millisecond,
			FirstByte: 15 * time.Millisecond, Total: 27500 * time.Microsecond,
		},
		TLS:  &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", ALPN: "h2", Chain: chain},
		HTTP: &observation.HTTP{Proto: "HTTP/2.0", Status: 200, Size: 512},
	}
}

// fixture is a round with one of everything: an expired certificate behind a listener that drifted, a healthy endpoint,
// one that was not reached in time, one that nobody answers for, and a fault of the configuration.
func fixture(t testing.TB) Input {
	t.Helper()
	api, ui := chainOf(t, "testdata/api.pem"), chainOf(t, "testdata/ui.pem")
	endpoint := func(environment, name, url string, line int) target.Endpoint {
		return target.Endpoint{
			Environment: environment, Name: name, URL: url, Kind: target.HTTPS, Host: name + ".monitoring.example.org", Port: 443,
			Source: target.Position{File: "certdrift.yaml", Line: line, Column: 9},
		}
	}
	uiProbed := probed("[2001:db8::5]:443", ui)
	uiProbed.TLS.Revocation = []observation.Revocation{
		{Source: observation.CRL, URL: "http://ca.example/c.crl", Status: observation.NoAnswer, Detail: "status 500"},
		{Source: observation.OCSP, URL: "http://ocsp.ca.example", Status: observation.NoAnswer, Detail: "no answer within 5s"},
	}
	apiTarget := endpoint("production", "api", "https://api.monitoring.example.org/api/v0", 12)
	apiTarget.Declared = &target.Declared{ARN: goodARN, Source: target.Position{File: "certdrift.yaml", Line: 15, Column: 24}}
	apiTarget.LoadBalancer = &target.LoadBalancerRef{Name: "a1b2c3", Port: 443}
	round := observation.Round{
		Schema: observation.Schema, Started: noon, Finished: noon.Add(4 * time.Second), ListenersRead: true,
		Endpoints: []observation.Endpoint{
			{Target: apiTarget, Probed: true, DNS: observation.DNS{Addresses: []string{"192.0.2.1", "192.0.2.2"}},
				Addresses: []observation.Address{probed("192.0.2.1:443", api), probed("192.0.2.2:443", api)}},
			{Target: endpoint("production", "ui", "https://ui.monitoring.example.org/", 20), Probed: true,
				DNS:       observation.DNS{CanonicalName: "a1b2c3.us-west-2.elb.amazonaws.com", Addresses: []string{"2001:db8::5"}},
				Addresses: []observation.Address{uiProbed}},
			{Target: endpoint("staging", "api", "https://api.staging.monitoring.example.org/", 31)},
			{Target: endpoint("staging", "ui", "https://ui.staging.monitoring.example.org/", 35), Probed: true,
				Addresses: []observation.Address{{Address: "192.0.2.9:443", Started: noon, Failure: &observation.Failure{
					Phase: observation.PhaseConnect, Kind: observation.Refused, Detail: "connection refused"}}}},
		},
		LoadBalancers: []observation.LoadBalancer{{
			Kind: observation.Classic, Name: "a1b2c3", ARN: "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a1b2c3",
			Region: "us-west-2", Account: "111122223333", DNSName: "a1b2c3.us-west-2.elb.amazonaws.com",
			Tags: map[string]string{"kubernetes.io/service-name": "production/api"},
			Listeners: []observation.Listener{
				{Port: 443, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-TLS-1-2-2017-01", Certificates: []observation.Attachment{{ARN: staleARN, Default: true}}},
				{Port: 80, Protocol: "HTTP"},
			},
		}},
		Certificates: []observation.Certificate{{ARN: staleARN, Chain: api}},
		Manifests: []observation.Declaration{{
			Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{staleARN},
			Source: target.Position{File: "k8s/api.yaml", Line: 7, Column: 5},
		}},
		Diagnostics: []observation.Diagnostic{{
			Position: target.Position{File: "certdrift.yaml", Line: 41, Column: 7}, Message: `unknown key "ulr"`, Hint: `did you mean "url"?`,
			Environment: "staging", Endpoint: "docs",
		}},
		ObserveErrors: []observation.ObserveError{{Kind: observation.Incomplete, Operation: "probe", Environment: "staging", Endpoint: "api", Detail: "time over"}},
	}
	return Input{Round: round, Conclusion: finding.Conclusion{Findings: findings()}, FailOn: finding.Critical}
}

func findings() []finding.Finding {
	fs := []finding.Finding{
		{Code: finding.DriftAttached, Severity: finding.Critical, Environment: "production", Listener: "a1b2c3:443",
			Summary: "the listener has another certificate attached than production/api declares",
			Evidence: finding.Evidence{"region": "us-west-2", "account": "111122223333", "declared": goodARN, "attached": staleARN,
				"changed_at": noon.Add(-time.Hour), "changed_by": map[string]any{"name": "deploy", "tool": "Kubernetes cloud provider"}},
			Remedy:  "Attach the declared certificate:\naws elb set-load-balancer-listener-ssl-certificate --load-balancer-name a1b2c3",
			Affects: []string{"production/api"}},
		{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api",
			Summary: "the certificate expired 3 days ago, on 2026-11-20",
			Evidence: finding.Evidence{"subject": finding.Clean(hostile, 200), "not_after": noon.AddDate(0, 0, -3),
				"addresses": []string{"192.0.2.1:443", "192.0.2.2:443"}, "names": []string{"api.monitoring.example.org", "*.example.org"}},
			Remedy: "Renew the certificate."},
		{Code: finding.ConnectRefused, Severity: finding.Critical, Environment: "staging", Endpoint: "ui", Address: "192.0.2.9:443",
			Summary: "192.0.2.9:443 refuses connections", Remedy: "See that the server listens."},
		{Code: finding.ConfigInvalid, Severity: finding.Critical, Environment: "staging", Endpoint: "docs",
			Summary:  `unknown key "ulr"`,
			Evidence: finding.Evidence{"file": "certdrift.yaml", "line": 41, "column": 7}, Remedy: `Did you mean "url"?`},
		{Code: finding.ObserveIncomplete, Severity: finding.Warning, Environment: "staging", Endpoint: "api",
			Summary: "the endpoint was not probed: the round's time was over", Remedy: "Raise the deadline."},
		{Code: finding.ACMRenewalIneligible, Severity: finding.Info, Summary: "an imported certificate is not renewed by ACM",
			Evidence: finding.Evidence{"arn": staleARN}},
	}
	for i := range fs {
		fs[i].Lift()
	}
	finding.Sort(fs)
	return fs
}
