package html

import (
	"bytes"
	"encoding/pem"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	xhtml "golang.org/x/net/html"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	goodARN  = "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
	staleARN = "arn:aws:acm:us-west-2:111122223333:certificate/9c1e4d77-0a53-4a5e-8f16-2f6f0d1c7e02"
	hostile  = "\x1b[31m</style></script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"alert(3) ' {{.}} javascript:alert(4) \u202e\x00\xff"
)

// chainOf reads the chains that package report is tested with; api.pem's leaf has expired and carries a hostile name.
func chainOf(t testing.TB, file string) [][]byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var chain [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	return chain
}

// drifted is an endpoint whose load balancer drifted to an expired certificate, a healthy one, one that refuses, and one
// that was not reached in time.
func drifted(t testing.TB) report.Input {
	t.Helper()
	stale, good := chainOf(t, "api.pem"), chainOf(t, "ui.pem")
	endpoint := func(name string, line int) target.Endpoint {
		return target.Endpoint{
			Environment: "production", Name: name, URL: "https://" + name + ".monitoring.example.org/", Kind: target.HTTPS,
			Host: name + ".monitoring.example.org", Port: 443, Source: target.Position{File: "certdrift.yaml", Line: line},
		}
	}
	probed := func(address string, chain [][]byte) observation.Address {
		return observation.Address{
			Address: address, Started: noon,
			Phases: observation.Phases{DNS: time.Millisecond, Connect: 4 * time.Millisecond, TLS: 10 * time.Millisecond, FirstByte: 20 * time.Millisecond, Total: 36 * time.Millisecond},
			TLS:    &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: chain},
			HTTP:   &observation.HTTP{Proto: "HTTP/2.0", Status: 200},
		}
	}
	api := endpoint("api", 10)
	api.Declared = &target.Declared{ARN: goodARN, Source: target.Position{File: "certdrift.yaml", Line: 12}}
	api.LoadBalancer = &target.LoadBalancerRef{Name: "a1b2c3", Port: 443}
	ui := probed("192.0.2.3:443", good)
	ui.TLS.Revocation = []observation.Revocation{{Source: observation.CRL, URL: "http://ca.example/c.crl", Status: observation.NoAnswer, Detail: "status 500"}}
	round := observation.Round{
		Started: noon, Finished: noon.Add(2 * time.Second), ListenersRead: true,
		Endpoints: []observation.Endpoint{
			{Target: endpoint("ui", 20), Probed: true, Addresses: []observation.Address{ui}},
			{Target: api, Probed: true, Addresses: []observation.Address{probed("192.0.2.1:443", stale), probed("192.0.2.2:443", good)}},
			{Target: endpoint("docs", 30), Probed: true, Addresses: []observation.Address{{
				Address: "192.0.2.9:443", Started: noon, Phases: observation.Phases{Total: 3 * time.Millisecond},
				Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused}}}},
			{Target: endpoint("late", 40)},
		},
		LoadBalancers: []observation.LoadBalancer{{
			Kind: observation.Classic, Name: "a1b2c3", Region: "us-west-2", Account: "111122223333", DNSName: "a1b2c3.us-west-2.elb.amazonaws.com",
			Listeners: []observation.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: staleARN, Default: true}}}},
		}},
		Certificates: []observation.Certificate{{ARN: staleARN, Chain: stale}},
	}
	return report.Input{Round: round, FailOn: finding.Critical, Conclusion: finding.Conclusion{Findings: []finding.Finding{
		{Code: finding.DriftAttached, Severity: finding.Critical, Environment: "production", Listener: "a1b2c3:443", Affects: []string{"production/api"},
			Summary:  "the listener has another certificate attached than production/api declares",
			Evidence: finding.Evidence{"region": "us-west-2", "account": "111122223333", "changed_at": noon.Add(-time.Hour)},
			Remedy:   "Put the declared certificate back:\naws elb set-load-balancer-listener-ssl-certificate --load-balancer-name a1b2c3\nThen run `certdrift check`."},
		{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api", Address: "192.0.2.1:443",
			Summary: "the certificate expired 3 days ago", Evidence: finding.Evidence{"subject": finding.Clean(hostile, 300)}, Remedy: "Renew it."},
		{Code: finding.ConnectRefused, Severity: finding.Critical, Environment: "production", Endpoint: "docs", Summary: "192.0.2.9:443 refuses connections"},
	}}}
}

func render(t testing.TB, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden holds the page but for its style sheet, which is not worth reading twice.
func TestGolden(t *testing.T) {
	page := render(t, report.Build(drifted(t)))
	got := strings.Replace(page, styleText, "", 1)
	const path = "testdata/page.html"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-update writes it anew):\n%s", path, diff)
	}
	if again := render(t, report.Build(drifted(t))); again != page {
		t.Error("the same round gives another page the second time")
	}
}

// TestEmpty holds that a report without anything is a page all the same.
func TestEmpty(t *testing.T) {
	page := render(t, report.Build(report.Input{Conclusion: finding.Conclusion{Complete: true}, FailOn: finding.Critical}))
	if !strings.Contains(page, "Pass") || strings.Contains(page, "<section") {
		t.Errorf("an empty report is no plain pass:\n%s", page[strings.Index(page, "<body"):])
	}
}

// TestNothingRemoteRuns puts hostile text wherever a server, a cloud or a configuration may, and reads the page as a
// browser does: no script, no handler, no address but those of the page itself.
func TestNothingRemoteRuns(t *testing.T) {
	in := drifted(t)
	for i := range in.Round.Endpoints {
		e := &in.Round.Endpoints[i]
		e.Target.Name, e.Target.URL = e.Target.Name+hostile, "javascript:"+hostile
		e.DNS.CanonicalName = hostile
		for j := range e.Addresses {
			e.Addresses[j].Address = hostile
			if seen := e.Addresses[j].TLS; seen != nil {
				seen.Revocation = []observation.Revocation{{Source: observation.CRL, URL: hostile, Status: observation.NoAnswer, Detail: hostile}}
			}
			if e.Addresses[j].Failure != nil {
				e.Addresses[j].Failure.Alert = hostile
			}
		}
	}
	lb := &in.Round.LoadBalancers[0]
	lb.Region, lb.Listeners[0].Policy, lb.Listeners[0].Protocol, lb.Listeners[0].MutualTLS = hostile, hostile, hostile, hostile
	lb.Listeners[0].Certificates[0].ARN = hostile
	for i := range in.Conclusion.Findings {
		f := &in.Conclusion.Findings[i]
		f.Summary, f.Remedy, f.Endpoint, f.Affects = hostile, "aws "+hostile+"\n"+hostile+"`"+hostile+"`", hostile, []string{hostile}
		f.Evidence = finding.Evidence{hostile: hostile}
	}
	root, err := xhtml.Parse(strings.NewReader(render(t, report.Build(in))))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == xhtml.TextNode && strings.ContainsAny(n.Data, "\x1b\x00\u202e") {
			t.Errorf("what is invisible stands in the page: %q", n.Data)
		}
		if n.Type != xhtml.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "img", "iframe", "object", "embed", "base", "form":
			t.Errorf("the page holds a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			address := a.Key == "href" || a.Key == "src"
			if strings.HasPrefix(a.Key, "on") || address && !strings.HasPrefix(a.Val, "#") && a.Val != "data:," {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}

// What certdrift itself lacks is not said of an endpoint.
func TestTheVerdictSaysWhoseFaultItIs(t *testing.T) {
	own := finding.Finding{Code: finding.AlertPathBroken, Severity: finding.Critical, Summary: "nobody is subscribed"}
	expired := finding.Finding{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api"}
	for _, c := range []struct {
		findings []finding.Finding
		want     string
	}{{[]finding.Finding{own}, "certdrift itself"}, {[]finding.Finding{own, expired}, "Clients are failing"}} {
		r := report.Build(report.Input{FailOn: finding.Critical, Conclusion: finding.Conclusion{Findings: c.findings, Complete: true}})
		if got := report.Sentence(r); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestMutualTLS holds that a listener that wants client certificates says so, and one that doesn't is not noise.
func TestMutualTLS(t *testing.T) {
	for mode, shown := range map[string]bool{"verify": true, "passthrough": true, "off": false, "": false} {
		in := drifted(t)
		in.Round.LoadBalancers[0].Listeners[0].MutualTLS = mode
		page := render(t, report.Build(in))
		if got := strings.Contains(page, "client certificates: "+mode+"<"); got != shown {
			t.Errorf("mode %q: shown %t, want %t", mode, got, shown)
		}
		if got := strings.Contains(page, "client certificates: "); got != shown {
			t.Errorf("mode %q: a note, %t", mode, got)
		}
	}
}

func TestWhatHasEnded(t *testing.T) {
	for since, want := range map[time.Duration]string{
		30 * time.Minute: "less than an hour ago", time.Hour: "1 hour ago", 47 * time.Hour: "47 hours ago", 72 * time.Hour: "3 days ago",
	} {
		b := builder{Report: report.Report{At: time.Unix(1e9, 0)}}
		if got := b.left(time.Unix(1e9, 0).Add(-since), finding.None).Text; got != "expired "+want {
			t.Errorf("%s after its end it is %q", since, got)
		}
	}
}

// A plan has its table, with every cell escaped, and is about applying rather than about endpoints.
func TestPlan(t *testing.T) {
	lost, kept := false, true
	rows := []plan.Row{
		{State: plan.Refused, Object: "Service production/api", Port: 443, Listener: "a1b2c3:443", Action: plan.Change, Verdict: plan.Refuse, AttachedKnown: true,
			Names: []plan.Name{{Name: "<script>alert(1)</script>\x1b", Covered: &lost, Problem: "does not cover the name"}}, Reasons: []string{"it would not be covered"}},
		{State: plan.Unchanged, Object: "Service staging/api", Port: 443, Action: plan.Keep, Verdict: plan.Pass, Names: []plan.Name{{Name: "api.example.org", Covered: &kept}}},
		{State: plan.NotDecided, Object: "Ingress web/site", Port: 443, Action: plan.Discover, Verdict: plan.Undecided, NotKnown: []string{"what ACM holds"}},
	}
	critical := finding.Finding{Code: finding.DriftManifest, Severity: finding.Critical, Environment: "production", Endpoint: "api", Summary: "refused"}
	r := report.BuildPlan(report.Input{FailOn: finding.Critical, Conclusion: finding.Conclusion{Findings: []finding.Finding{critical}, Complete: true}}, rows)
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"Do not apply", "<dt>After apply</dt>", "<h3>Service production/api:443</h3>", "→&nbsp;a1b2c3:<wbr>443", "refused", "undecided", "unchanged", "<b>3</b>listeners", "<b>1</b>undecided",
		"✗</span> <b>&lt;script&gt;alert(1)&lt;/script&gt;\\x1b</b>", "what ACM holds", "<li>it would not be covered</li>", "href=\"#plan\"",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, no := range []string{"endpoints ok", "<script>alert", "Clients are failing"} {
		if strings.Contains(page, no) {
			t.Errorf("the page says %q", no)
		}
	}
	b.Reset()
	if err := Write(&b, report.BuildPlan(report.Input{FailOn: finding.Critical, Conclusion: finding.Conclusion{Complete: true}}, nil)); err != nil || !strings.Contains(b.String(), "No load balancer") {
		t.Errorf("an empty plan: %v", err)
	}
}

// TestAChainThatClientsRejectIsNotGreen: a drift's finding holds the name mismatch, and the chain shows it.
func TestAChainThatClientsRejectIsNotGreen(t *testing.T) {
	in := drifted(t)
	in.Conclusion.Findings = in.Conclusion.Findings[:1]
	for name, c := range map[string]struct {
		mismatches []string
		want       string
	}{
		"rejected": {[]string{"production/api at 192.0.2.1:443: the certificate doesn't match"}, "critical"},
		"namesake": {[]string{"production/api-2: the certificate doesn't match"}, "ok"},
		"accepted": {nil, "ok"},
	} {
		in.Conclusion.Findings[0].Evidence["name_mismatches"] = c.mismatches
		view := viewOf(report.Build(in))
		if len(view.Chains) == 0 || view.Chains[0].Sign.Class != c.want {
			t.Errorf("%s: the worst chain is %q, want %q", name, view.Chains[0].Sign.Class, c.want)
		}
	}
}

// TestTheOtherCertificateOfAPair stands beside the first, in the timeline and among the chains.
func TestTheOtherCertificateOfAPair(t *testing.T) {
	in := drifted(t)
	ui := &in.Round.Endpoints[0].Addresses[0]
	ui.Other = &observation.OtherCertificate{KeyType: observation.RSA, TLS: &observation.TLS{Version: "TLS 1.2", Chain: chainOf(t, "api.pem")}}
	in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
		Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "ui", Subject: finding.Subject{Other: true, KeyType: "RSA"}})
	view := viewOf(report.Build(in))
	page := render(t, report.Build(in))
	if !strings.Contains(page, "to clients that support only RSA") {
		t.Error("the page does not show it")
	}
	for _, c := range view.Chains {
		if first, other := c.Users == "production/ui", strings.HasPrefix(c.Users, "production/ui, to clients that support only RSA"); first && c.Sign.Class != "ok" || other && c.Sign.Class != "critical" {
			t.Errorf("%s is %s", c.Users, c.Sign.Class)
		}
	}
	ui.Other.Fallback = true
	if page := render(t, report.Build(in)); strings.Contains(page, "to clients that support only RSA") {
		t.Error("a certificate for any name is no second one of this")
	}
}

// TestNothingIsClaimedThatWasNotCompared: without declarations and listeners there are no such columns, and no sign between them.
func TestNothingIsClaimedThatWasNotCompared(t *testing.T) {
	in := drifted(t)
	in.Round.Endpoints, in.Round.LoadBalancers, in.Conclusion.Findings = in.Round.Endpoints[:1], nil, nil
	in.Conclusion.Complete = true
	page := render(t, report.Build(in))
	for _, no := range []string{">Attached</th>", ">Declared</th>", `class="between`, "serves the declared certificate", ">=<"} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if !strings.Contains(page, "No certificate is declared") {
		t.Error("the page does not say that nothing was compared")
	}
	for _, want := range []string{"<dt>Configuration</dt><dd>certdrift.yaml</dd>", "<dt>Environment</dt><dd>production</dd>", "<title>certdrift pass, certdrift.yaml, 2026-11-23 12:00 UTC</title>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestProblemsAreGrouped: a consequence stands under its cause, with a place of its own to link to, and only the cause says what to do.
func TestProblemsAreGrouped(t *testing.T) {
	in := drifted(t)
	for i := range in.Conclusion.Findings[:2] {
		in.Conclusion.Findings[i].Cause = "listener:a1b2c3:443@us-west-2/111122223333"
	}
	view := viewOf(report.Build(in))
	if len(view.Problems) != 2 || view.Problems[0].Code != string(finding.DriftAttached) || len(view.Problems[0].Also) != 1 {
		t.Fatalf("%+v", view.Problems)
	}
	page := render(t, report.Build(in))
	if also := view.Problems[0].Also[0]; !strings.Contains(page, `<li id="`+also.ID+`">`) || strings.Contains(page, "Renew it.") {
		t.Errorf("the consequence %s is not shown as one", also.ID)
	}
}
