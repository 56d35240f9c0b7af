package config

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/policy"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

// TestEveryKey reads a file that has every key, and looks at what became of each.
func TestEveryKey(t *testing.T) {
	const file = "testdata/full.ok.yaml"
	cfg, diagnostics := Load(read(t, file), Options{File: file, ReadFile: beside(t)})
	if len(diagnostics) > 0 {
		t.Fatal(list(diagnostics))
	}
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	wantPolicy := policy.Thresholds{
		ExpiryWarning: policy.Threshold{Duration: 21 * 24 * time.Hour}, ExpiryCritical: policy.Threshold{Duration: 7 * 24 * time.Hour},
		Revocation: policy.RevocationFull, RootRemoval: 90 * 24 * time.Hour, Settle: 90 * time.Second,
	}
	if diff := cmp.Diff(wantPolicy, cfg.Policy); diff != "" {
		t.Errorf("policy: -want +got:\n%s", diff)
	}
	wantIncidents := policy.DefaultAlerting()
	wantIncidents.Confirm, wantIncidents.Recover, wantIncidents.Remind = 3, 1, 6*time.Hour
	wantIncidents.StormAfter, wantIncidents.SMSPerHour = 5, 3
	wantIncidents.Silences = []policy.Silence{
		{Environment: "staging", Code: "http-*", Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Reason: "rebuilt"},
		{Endpoint: "api-?", Until: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Reason: "over, and no fault"},
		{Environment: "*", Reason: "patching", Weekly: &policy.Weekly{
			Days: []time.Weekday{time.Saturday, time.Sunday}, Start: 23 * time.Hour, Length: 150 * time.Minute, Location: zurich,
		}},
	}
	sameZone := cmp.Comparer(func(a, b *time.Location) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	if diff := cmp.Diff(wantIncidents, cfg.Incidents, sameZone); diff != "" {
		t.Errorf("incidents: -want +got:\n%s", diff)
	}
	wantScope := target.Scope{
		Enabled: true, Walk: true, Listed: true, Regions: []string{"us-west-2", "eu-central-1"}, Tags: map[string]string{"team": "web"},
		Roles: []target.Role{
			{ARN: "arn:aws:iam::444455556666:role/certdrift"},
			{ARN: "arn:aws:iam::777788889999:role/certdrift", ExternalID: "x-1"},
		},
	}
	if diff := cmp.Diff(wantScope, cfg.Scope); diff != "" {
		t.Errorf("scope: -want +got:\n%s", diff)
	}
	if cfg.OtherEvery != 30*time.Minute || !cfg.MetricsPerCertificate || !cfg.MetricsWhileFailing || cfg.HeartbeatURL.Reveal() != "https://heartbeat.example.org/ping/s3cr3t" ||
		len(cfg.Manifests) != 2 || len(cfg.Certificates) != 1 || len(cfg.Certificates[0].Chain) != 1 {
		t.Errorf("the rest: %+v", cfg)
	}
	checkEndpoints(t, cfg.Endpoints)
}

func checkEndpoints(t *testing.T, endpoints []target.Endpoint) {
	t.Helper()
	var seen []string
	for _, e := range endpoints {
		seen = append(seen, fmt.Sprintf("%s %s %s %d", e.Key(), e.URL, e.Host, e.Port))
	}
	want := []string{
		"production/api https://api.example.org:8443/v0?x=[secret] api.example.org 8443",
		"staging/api https://api.example.org:8443/v0?x=[secret] api.example.org 8443",
		"production/mail smtp://mail.example.org mail.example.org 25",
		"production/relay smtp://relay.example.org relay.example.org 25",
		"production/directory ldap://ldap.example.org ldap.example.org 389",
		"production/shop mysql://db.example.org db.example.org 3306",
		"production/files ftp://ftp.example.org ftp.example.org 21",
		"production/chat xmpp://example.org example.org 5222",
		"production/federation xmpp-server://example.org example.org 5269",
		"production/news nntp://news.example.org news.example.org 119",
		"production/filters sieve://mail.example.org mail.example.org 4190",
		"production/imap imap://mail.example.org:1143/ mail.example.org 1143",
		"production/pop pop3://mail.example.org mail.example.org 110",
		"production/database postgres://[2001:db8::1] 2001:db8::1 5432",
		"production/broker tls://xn--bcher-kva.example.org:8883 xn--bcher-kva.example.org 8883",
		"production/plain http://192.0.2.1/health 192.0.2.1 80",
		"production/api-2 https://api.example.org:8443/v0?x=[secret] api.example.org 8443",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	api := endpoints[0]
	id, seven := "ok", "7"
	api.Trust.CAs, api.Request.ClientCertificate = nil, nil
	wantAPI := target.Endpoint{
		Environment: "production", Name: "api", URL: "https://api.example.org:8443/v0?x=[secret]", Kind: target.HTTPS,
		Host: "api.example.org", Port: 8443, Timeout: time.Minute, Service: "production/api", PerEndpointMetrics: true,
		ConnectTo: []string{"127.0.0.1:8443", "[::1]:8443", "backend.example.org:443"},
		Networks:  []string{"10.0.0.0/8", "fd12:3456::/32"},
		Trust:     target.Trust{Roots: target.System},
		Request: target.Request{
			Method: "POST", Username: "user", Password: "s3cr3t", Query: "x=s3cr3t",
			Headers: []target.Header{{Name: "Authorization", Value: "Bearer s3cr3t"}, {Name: "X-Probe", Value: "certdrift"}},
		},
		Expect: target.Expect{
			Status: []int{201}, BodyContains: "ok", BodyMatches: `^\{.*\}$`, MaxLatency: 2 * time.Second, MaxSize: 64 << 10, MaxRedirects: new(int),
			BodyJSON: []target.JSONValue{{Path: "$.status", Equals: &id}, {Path: "$.items[0].id", Equals: &seven}, {Path: `$["a b"]`}, {Path: "items.0x_y-z"}},
			Headers:  []target.HeaderValue{{Name: "Content-Type", Contains: "json"}, {Name: "X-Request-Id"}},
		},
		Declared: &target.Declared{
			ARN:               "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01",
			FingerprintSHA256: strings.Repeat("aabbccddeeff00112233445566778899", 2), Issuer: "Amazon RSA 2048 M02",
			Source: target.Position{File: "testdata/full.ok.yaml", Line: 40, Column: 16},
		},
		LoadBalancer: &target.LoadBalancerRef{Name: "a1b2c3", Port: 443, Region: "us-west-2"},
		Source:       target.Position{File: "testdata/full.ok.yaml", Line: 24, Column: 9},
	}
	if diff := cmp.Diff(wantAPI, api); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(endpoints[0].Trust.CAs); n != 3 {
		t.Errorf("%d CAs, want the two of all endpoints and the endpoint's own", n)
	}
	if endpoints[0].Request.ClientCertificate == nil {
		t.Error("the client certificate was not read")
	}
	if plain := endpoints[15]; plain.Timeout != 5*time.Second || len(plain.Expect.Status) != 2 || plain.Expect.MaxLatency != 2*time.Second {
		t.Errorf("defaults do not hold: %+v", plain)
	}
	if mail := endpoints[2]; mail.Expect.Status != nil {
		t.Errorf("an endpoint without HTTP has expectations: %+v", mail)
	}
	if a, b, c := endpoints[0].EHLOName, endpoints[2].EHLOName, endpoints[3].EHLOName; a != "" || b != "monitor.example.org" || c != "[IPv6:2001:db8::1]" {
		t.Errorf("the names for EHLO are %q, %q and %q", a, b, c)
	}
}

// TestSecretsStayInside: nothing of a configuration's secrets shows when endpoints are printed or saved.
func TestSecretsStayInside(t *testing.T) {
	const file = "testdata/full.ok.yaml"
	cfg, _ := Load(read(t, file), Options{File: file, ReadFile: beside(t)})
	saved, err := json.Marshal(cfg.Endpoints)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"JSON": string(saved), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg)} {
		if strings.Contains(text, "s3cr3t") || strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("%s shows a secret", name)
		}
	}
}

func TestWithoutReadFileTheKeysAreFaults(t *testing.T) {
	_, diagnostics := Load([]byte("version: 1\ntrust: {ca_files: [ca.pem]}\nmanifests: [k8s/]\n"), Options{File: "s3://bucket/key"})
	if len(diagnostics) != 1 || diagnostics[0].Line != 2 || !strings.Contains(diagnostics[0].Message, "cannot be read") {
		t.Errorf("%+v", diagnostics)
	}
}

func TestScopeFollowsWhatIsNamed(t *testing.T) {
	const arn = `certificate: {arn: "arn:aws:iam::111122223333:server-certificate/a"}`
	enabled, walk, listed := target.Scope{Enabled: true}, target.Scope{Enabled: true, Walk: true}, target.Scope{Enabled: true, Walk: true, Listed: true}
	for _, c := range []struct {
		keys, rest string
		want       target.Scope
	}{
		{"", "", target.Scope{}},
		{"certificate: {issuer: x}", "", target.Scope{}},
		{arn, "", walk},
		{arn + `, connect_to: ["127.0.0.1:8443"]`, "", target.Scope{}},
		{"service: a/b", "", walk},
		{"load_balancer: {name: a}", "", enabled},
		{"load_balancer: {name: a}, connect_to: ['127.0.0.1:1']", "", enabled},
		{"load_balancer: {name: a}", "manifests: [k8s/]", walk},
		{"load_balancer: {name: a}", "load_balancers: {}", listed},
	} {
		cfg, diagnostics := Load([]byte("version: 1\nenvironments: {a: {endpoints: [{name: b, url: 'https://b.example.org', "+c.keys+"}]}}\n"+c.rest+"\n"), Options{})
		if diff := cmp.Diff(c.want, cfg.Scope); len(diagnostics) > 0 || diff != "" {
			t.Errorf("%q %s: -want +got:\n%s%v", c.keys, c.rest, diff, diagnostics)
		}
	}
}

func TestThresholdsOfTwoKindsAreNotCompared(t *testing.T) {
	_, diagnostics := Load([]byte("version: 1\nload_balancers: {}\npolicy: {expiry: {warning: 1d, critical: 10%}}\n"), Options{})
	if len(diagnostics) > 0 {
		t.Error(list(diagnostics))
	}
}

func TestLargeFilesAreBounded(t *testing.T) {
	_, diagnostics := Load(make([]byte, maxConfig+1), Options{File: "f"})
	if len(diagnostics) != 1 || !strings.Contains(diagnostics[0].Message, "larger") {
		t.Error(diagnostics)
	}
}

// inventory is a configuration with n endpoints.
func inventory(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\nenvironments:\n  production:\n    endpoints:\n")
	for i := range n {
		fmt.Fprintf(&b, `      - name: service-%d
        url: https://service-%d.monitoring.example.org/api/v0
        certificate: {arn: "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-%012d"}
        load_balancer: {name: k8s-service-%d, region: us-west-2}
`, i, i, i, i)
	}
	return []byte(b.String())
}

// TestCostGrowsWithTheEndpoints checks that twice the endpoints take about twice the work, and that the limit on visited
// nodes leaves room for 10,000 endpoints.
func TestCostGrowsWithTheEndpoints(t *testing.T) {
	const few = 200
	cost := func(n int) (allocations float64, visits int) {
		data := inventory(n)
		file, problem := yamldoc.Parse(data)
		if problem != nil {
			t.Fatal(problem)
		}
		b := &builder{decoder: newDecoder("certdrift.yaml")}
		b.decodeFile(file.Docs[0].Body)
		return testing.AllocsPerRun(1, func() {
			if cfg, diagnostics := Load(data, Options{}); len(diagnostics) > 0 || len(cfg.Endpoints) != n {
				t.Fatalf("%d endpoints, diagnostics %v", len(cfg.Endpoints), diagnostics)
			}
		}), b.doc.Visits()
	}
	small, visited := cost(few)
	large, visitedMore := cost(2 * few)
	if large > 2.2*small {
		t.Errorf("%.0f allocations for %d endpoints, %.0f for %d", small, few, large, 2*few)
	}
	if all := (visitedMore - visited) * 10_000 / few; all > yamldoc.MaxVisits {
		t.Errorf("10,000 endpoints would take %d visits, and %d are allowed", all, yamldoc.MaxVisits)
	}
}

func BenchmarkTenThousandEndpoints(b *testing.B) {
	data := inventory(10_000)
	for b.Loop() {
		if cfg, diagnostics := Load(data, Options{}); len(diagnostics) > 0 || len(cfg.Endpoints) != 10_000 {
			b.Fatalf("%d endpoints, diagnostics %v", len(cfg.Endpoints), diagnostics)
		}
	}
}

// FuzzLoad: it never panics, faults have a place inside the file, good endpoints are whole, and loading twice gives the
// same.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.ok.yaml", "testdata/*.bad.yaml"} {
		for _, name := range cases(f, pattern) {
			if path.Base(name) != "bomb.bad.yaml" { // too slow a seed
				f.Add(read(f, name))
			}
		}
	}
	f.Add([]byte("version: 1\nmanifests: &a [*a]\ntrust: &b {<<: *b}\npolicy: {<<: [*b, *b]}\n"))
	readFile := beside(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := Options{File: "f", ReadFile: readFile}
		cfg, diagnostics := Load(data, opts)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		for _, diagnostic := range diagnostics {
			if diagnostic.File != "f" || diagnostic.Line < 1 || diagnostic.Line > lines || diagnostic.Column < 1 || diagnostic.Message == "" || diagnostic.Hint == "" {
				t.Fatalf("a diagnostic without position, message or hint: %+v", diagnostic)
			}
		}
		for _, e := range cfg.Endpoints {
			if e.Name == "" || e.URL == "" || e.Kind == "" || e.Host == "" || e.Port < 1 || e.Port > 65535 || e.Timeout <= 0 {
				t.Fatalf("an endpoint that is not whole: %+v", e)
			}
			if l, m := parseURL(e.URL); m != nil || l.shown != e.URL || l.host != e.Host {
				t.Fatalf("%q does not read back: %+v %+v", e.URL, l, m)
			}
		}
		again, diagnosticsAgain := Load(data, opts)
		sameZone := cmp.Comparer(func(a, b *time.Location) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
		if diff := cmp.Diff(cfg, again, sameZone); diff != "" {
			t.Fatalf("loading twice differs:\n%s", diff)
		}
		if diff := cmp.Diff(diagnostics, diagnosticsAgain); diff != "" {
			t.Fatalf("loading twice differs:\n%s", diff)
		}
	})
}

// FuzzURL: what is shown reads back as the same place, and holds no credentials.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://user:pass@example.org:8443/a?b=c", "tls://[::1]:1", "https://bücher.example/%2F", "postgres://h", "http://1.2.3.4./",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, m := parseURL(text)
		if m != nil {
			return
		}
		again, m := parseURL(l.shown)
		if m != nil || again.shown != l.shown || again.host != l.host || again.port != l.port || again.kind != l.kind {
			t.Fatalf("%q is shown as %q, which reads as %+v %+v", text, l.shown, again, m)
		}
		if again.user != "" || again.password != "" {
			t.Fatalf("%q is shown with credentials: %q", text, l.shown)
		}
	})
}

func TestJSONIsRead(t *testing.T) {
	const file = "testdata/json.ok.yaml"
	cfg, _ := Load(read(t, file), Options{File: file})
	if len(cfg.Endpoints) != 2 || cfg.Endpoints[0].URL != "https://api.example.org/?a=[secret]&b=[secret]" || cfg.Endpoints[0].Request.Query != "a=1&b=2" || cfg.Endpoints[1].URL != "https://api.example.org/" {
		t.Errorf("%+v", cfg.Endpoints)
	}
}
