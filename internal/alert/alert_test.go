package alert

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files anew")

var began = time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)

var options = Options{
	RunbookURL: "https://example.org/certdrift/runbook.md", DashboardURL: "https://console.example.org/dashboards/certdrift",
	Stack: "monitoring",
}

// drifted is the incident that certdrift exists for, with forty endpoints behind the listener.
func drifted() incident.Notice {
	var affects []string
	for i := range 40 {
		affects = append(affects, fmt.Sprintf("production/api%02d", i))
	}
	f := finding.Finding{
		Code: finding.DriftAttached, Severity: finding.Critical, Environment: "production",
		Listener: "a22e1d63f8ea522f9ac4b17d603e9f82:443",
		Summary:  `the listener holds server-certificate/web-monitoring-2017, which covers none of its endpoints' names`,
		Evidence: finding.Evidence{
			"declared":        map[string]any{"arn": "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", "names": []any{"*.monitoring.example.org"}},
			"attached":        map[string]any{"arn": "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017", "names": []any{"*.web-monitoring.example.com"}, "fingerprint_sha256": "ab12"},
			"served":          map[string]any{"names": []any{"*.web-monitoring.example.com"}, "fingerprint_sha256": "ab12", "not_after": "2027-03-08T19:20:00Z"},
			"name_mismatches": []string{"production/api00: the certificate is for another name"},
			"changed_by": map[string]any{
				"name": "kubernetes-master", "tool": "Kubernetes cloud provider", "source_ip": "10.0.3.7", "at": began.Add(-time.Minute),
				"principal": "arn:aws:sts::111122223333:assumed-role/kubernetes-master/i-0abc", "standing": "confirmed",
				"event": "SetLoadBalancerListenerSSLCertificate",
			},
			"arn":    "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a22e1d63f8ea522f9ac4b17d603e9f82",
			"region": "us-west-2", "account": "111122223333", "changed_at": began.Add(-time.Minute),
			"undo": "aws elb set-load-balancer-listener-ssl-certificate --load-balancer-name a22e1d63f8ea522f9ac4b17d603e9f82 --load-balancer-port 443 --ssl-certificate-id arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01",
		},
		Remedy: "Reattach the declared certificate, then fix k8s/api.yaml line 7, or the next apply will undo this.",
		Cause:  "listener:arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a22e1d63f8ea522f9ac4b17d603e9f82:443", Affects: affects,
	}
	f.Lift()
	return incident.Notice{
		Event: incident.Opened, Severity: finding.Critical, At: began, Findings: []finding.Finding{f},
		URLs: []string{"https://api00.monitoring.example.org/", "https://api01.monitoring.example.org/", "https://api02.monitoring.example.org/"},
		Record: incident.Record{
			Key: "production " + f.Cause, Environment: "production", Cause: f.Cause, First: began, Opened: began, LastSeen: began,
			Severity: finding.Critical, Code: f.Code, Codes: []finding.Code{f.Code}, Findings: []finding.Finding{f},
			Affects: affects, AffectsCount: 40,
		},
	}
}

// claimed is drifted, its author known from an event alone.
func claimed() incident.Notice {
	n := drifted()
	by := n.Findings[0].Evidence["changed_by"].(map[string]any)
	by["standing"], by["name"], by["tool"] = "claimed", "jane", "AWS console"
	by["principal"] = "arn:aws:iam::111122223333:user/jane"
	n.Findings[0].Lift()
	return n
}

// deleted is an attached certificate that someone deleted; imported is one about to expire, imported over an ARN in use.
func deleted() incident.Notice {
	n := claimed()
	f := &n.Findings[0]
	f.Code, n.Record.Code, n.Record.Codes = finding.ListenerCertMissing, finding.ListenerCertMissing, []finding.Code{finding.ListenerCertMissing}
	f.Summary = "listener a22e1d63:443 has a certificate attached that no longer exists: server-certificate/tls/web; deleted by jane (AWS console) at 2026-11-23 02:13 UTC, as an event reports"
	f.Remedy = "Attach a certificate that exists:\naws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a22e1d63 --load-balancer-port 443 --ssl-certificate-id ARN"
	by := f.Evidence["changed_by"].(map[string]any)
	by["event"], by["action"], by["certificate"] = "DeleteServerCertificate", "deleted", "arn:aws:iam::111122223333:server-certificate/tls/web"
	f.Evidence = finding.Evidence{
		"certificate": map[string]any{"arn": by["certificate"], "missing": true}, "changed_by": by,
		"arn": f.Evidence["arn"], "region": "us-west-2", "account": "111122223333",
	}
	f.Lift()
	return n
}

func imported() incident.Notice {
	n := expiring()
	n.Before, n.Record.First, n.Record.Opened = finding.None, began, began
	n.Findings[0].Evidence["listener"] = "a22e1d63:443"
	n.Findings[0].Evidence["changed_by"] = map[string]any{
		"name": "Operator", "session": "jane", "tool": "AWS CLI", "source_ip": "198.51.100.23", "at": began.Add(-time.Minute), "standing": "confirmed",
		"principal": "arn:aws:sts::111122223333:assumed-role/Operator/jane", "event": "ImportCertificate", "action": "imported",
		"certificate": "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01",
	}
	n.Findings[0].Lift()
	return n
}

// expiring is one endpoint with a certificate near its end.
func expiring() incident.Notice {
	f := finding.Finding{
		Code: finding.CertExpiring, Severity: finding.Critical, Environment: "staging", Endpoint: "ui",
		Summary: `the certificate of "www-staging.monitoring.example.org" ends in 8 days, on 2026-12-01 00:00 UTC`,
		Remedy:  "Renew the certificate and attach it.", Cause: "certificate:abcd",
		Evidence: finding.Evidence{"days_left": 8.0, "not_after": "2026-12-01T00:00:00Z", "issuer": `"CN=<b>Evil\x0d\x0a & Co"`},
	}
	return incident.Notice{
		Event: incident.Opened, Severity: finding.Critical, Before: finding.Warning, At: began, Findings: []finding.Finding{f},
		URLs: []string{"https://www-staging.monitoring.example.org/"},
		Record: incident.Record{
			Key: "staging certificate:abcd", Environment: "staging", Cause: f.Cause, First: began.Add(-12 * 24 * time.Hour),
			Opened: began.Add(-12 * 24 * time.Hour), Severity: finding.Critical, Notified: finding.Warning, Code: f.Code,
			Codes: []finding.Code{f.Code}, Affects: []string{"staging/ui"}, AffectsCount: 1,
		},
	}
}

func own() incident.Notice {
	f := finding.Finding{
		Code: finding.ObserveDenied, Severity: finding.Warning, Cause: "api:us-west-2",
		Summary: "elasticloadbalancing:DescribeLoadBalancers was denied in us-west-2", Remedy: "Grant the action to the function's role.",
	}
	return incident.Notice{
		Event: incident.Opened, Severity: finding.Warning, At: began, Findings: []finding.Finding{f}, Repetition: true,
		Record: incident.Record{
			Key: "- api:us-west-2", Cause: f.Cause, First: began, Opened: began, Severity: finding.Warning, Code: f.Code,
			Codes: []finding.Code{f.Code},
		},
	}
}

// A subject holds ASCII only. What cannot be written in it gives way to something that can, and never to question marks.
func TestSubjectsOfNamesThatAreNotASCII(t *testing.T) {
	for _, c := range []struct{ environment, endpoint, listener, want string }{
		{"Größe", "žádost", "", "CRITICAL Grosse: zadost: certificate expired (cert-expired)"},
		{"pro\u0308d", "api–eu", "", "CRITICAL prod: api-eu: certificate expired (cert-expired)"},
		{"生产", "api", "", "CRITICAL: api: certificate expired (cert-expired)"},
		{"production", "接口", "a1b2c3:443", "CRITICAL production: a1b2c3:443: certificate expired (cert-expired)"},
		{"生产", "接口", "", "CRITICAL: 3 endpoints: certificate expired (cert-expired)"},
		{"прод", "prod-接口", "", "CRITICAL: 3 endpoints: certificate expired (cert-expired)"},
		{"what?", "ui", "", "CRITICAL what?: ui and 2 more: certificate expired (cert-expired)"},
	} {
		n := incident.Notice{Event: incident.Opened, Severity: finding.Critical, At: began,
			Findings: []finding.Finding{{Code: finding.CertExpired, Severity: finding.Critical, Endpoint: c.endpoint, Listener: c.listener}},
			Record:   incident.Record{Environment: c.environment, Code: finding.CertExpired, First: began, AffectsCount: 3}}
		if !strings.Contains(c.want, "endpoints") && !strings.Contains(c.want, "more") {
			n.Record.AffectsCount = 1
		}
		m := Compose(n, Options{})
		if m.Subject != c.want {
			t.Errorf("%q, want %q", m.Subject, c.want)
		}
		if !strings.Contains(m.SMS, c.endpoint) || m.Attributes["environment"] != finding.Clean(c.environment, 100) {
			t.Errorf("the other forms have the names as they are: %q %v", m.SMS, m.Attributes)
		}
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	good := Compose(drifted(), options).JSON
	for _, change := range [][2]string{
		{`"certdrift.alert/1"`, `"certdrift.alert/2"`}, {`"event":"opened"`, `"event":"closed"`},
		{`"severity":"critical"`, `"severity":"bad"`}, {`"incident":`, `"incidentt":`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == good {
			t.Fatalf("%v does not change the document: %v", change, err)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}

func TestEveryCodeHasAPhrase(t *testing.T) {
	source, err := os.ReadFile("../finding/code.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code = "([a-z-]+)"|= "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 50 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for _, match := range codes {
		if _, ok := phrases()[finding.Code(match[1]+match[2])]; !ok {
			t.Errorf("%s has no phrase", match[1]+match[2])
		}
	}
	for c, p := range phrases() {
		if len(p) > 54 || !SMSFits(p) {
			t.Errorf("%s: %q is too long for a text message", c, p)
		}
	}
}

func TestHeldTextMessagesGoOutByMail(t *testing.T) {
	m := Compose(drifted(), Options{HoldSMS: true})
	if m.Attributes["sms"] != "held" || m.Email == "" {
		t.Errorf("attributes %v", m.Attributes)
	}
}

// Anyone who may put events on the bus can name anyone: only what CloudTrail confirms is stated as a fact, in every form.
func TestAClaimedAuthorIsNoFact(t *testing.T) {
	for _, code := range []finding.Code{finding.DriftAttached, finding.DriftManifest} {
		n := claimed()
		n.Findings[0].Code, n.Record.Code, n.Record.AffectsCount = code, code, 1
		m := Compose(n, options)
		if !strings.Contains(m.SMS, "by jane (unconfirmed)") || !SMSFits(m.SMS) {
			t.Errorf("%s: SMS %q", code, m.SMS)
		}
		for name, text := range map[string]string{"chat": m.Chat, "email": m.Email} {
			if !strings.Contains(text, "jane (AWS console)") || !strings.Contains(text, "not yet confirmed by CloudTrail") {
				t.Errorf("%s: the %s states the author as a fact:\n%s", code, name, text)
			}
		}
		delete(n.Findings[0].Evidence["changed_by"].(map[string]any), "standing")
		n.Findings[0].Lift()
		if again := Compose(n, options); again.SMS != m.SMS || again.Chat != m.Chat {
			t.Errorf("%s: without a standing it is a fact: %s", code, again.SMS)
		}
	}
}

func TestOneThreadPerIncident(t *testing.T) {
	thread := func(n incident.Notice) string {
		var c notification
		if err := json.Unmarshal([]byte(Compose(n, options).Chat), &c); err != nil {
			t.Fatal(err)
		}
		return c.Metadata.ThreadID
	}
	opened := drifted()
	if thread(opened) != thread(later(opened, time.Hour, incident.Recovered)) {
		t.Error("the recovery goes to another thread than the alert")
	}
	if thread(opened) == thread(expiring()) {
		t.Error("two incidents share a thread")
	}
	again := drifted()
	again.Record.Opened = began.Add(90 * 24 * time.Hour)
	if thread(opened) == thread(again) {
		t.Error("the next incident of the same cause goes to the old thread")
	}
}

func indent(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(pretty) + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
