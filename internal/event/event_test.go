package event

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestInvocationsWithoutAnEventAreTicks(t *testing.T) {
	for _, payload := range []string{"", " \n", "null", "{}", `{"environment":"production"}`} {
		if e, err := Decode([]byte(payload)); err != nil || e.Kind != Schedule {
			t.Errorf("%q: %v, %v", payload, e.Kind, err)
		}
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	for _, payload := range []string{"[]", `"x"`, "{", `{"id":`, "{} {}", strings.Repeat(" ", Limit+1)} {
		if _, err := Decode([]byte(payload)); err == nil {
			t.Errorf("%.20q was decoded", payload)
		}
	}
}

// changed is the sample of a console change, with one thing replaced.
func changed(t *testing.T, old, new string) Event {
	t.Helper()
	data, err := os.ReadFile("../../events/classic-set-certificate-console-production-api.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("the sample has no %s", old)
	}
	e, err := Decode([]byte(strings.Replace(string(data), old, new, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestForgedOrOddEvents(t *testing.T) {
	t.Run("a source of somebody's own", func(t *testing.T) {
		if e := changed(t, `"aws.elasticloadbalancing"`, `"my.app"`); e.Kind != Other || e.Change != nil {
			t.Errorf("believed: %+v", e)
		}
	})
	t.Run("a call that changes no certificate", func(t *testing.T) {
		if e := changed(t, `"SetLoadBalancerListenerSSLCertificate"`, `"DescribeLoadBalancers"`); e.Kind != Other || e.Change != nil {
			t.Errorf("taken for a change: %+v", e)
		}
	})
	t.Run("an account in the record that is not the envelope's", func(t *testing.T) {
		if e := changed(t, `"recipientAccountId": "111122223333"`, `"recipientAccountId": "999999999999"`); e.Change.Account != "111122223333" {
			t.Errorf("account %s", e.Change.Account)
		}
	})
	t.Run("control characters in names", func(t *testing.T) {
		e := changed(t, `"Mozilla/5.0`, `"\u001b[2J\u202e::error::Mozilla/5.0`)
		if strings.ContainsAny(e.Change.Author.UserAgent, "\x1b\u202e") {
			t.Errorf("passed on: %q", e.Change.Author.UserAgent)
		}
	})
	t.Run("a load balancer's name with a line break", func(t *testing.T) {
		if e := changed(t, `"loadBalancerName": "a22e1d63f8ea522f9ac4b17d603e9f82"`, `"loadBalancerName": "x\ny"`); e.Change.LoadBalancer != "" {
			t.Errorf("passed on: %q", e.Change.LoadBalancer)
		}
	})
	t.Run("a parameter of another type", func(t *testing.T) {
		if e := changed(t, `"loadBalancerPort": 443`, `"loadBalancerPort": {"x": 1}`); e.Change.LoadBalancer == "" || e.Change.Port != 0 {
			t.Errorf("the rest is lost: %+v", e.Change)
		}
	})
	t.Run("API capitals", func(t *testing.T) {
		if e := changed(t, `"sSLCertificateId"`, `"SSLCertificateId"`); len(e.Change.Certificates) != 1 {
			t.Errorf("not read: %+v", e.Change)
		}
	})
}

// TestIAMNamesACertificateWithoutItsPath: the new ARN is known where the request has the path, in the partition of the region.
func TestIAMNamesACertificateWithoutItsPath(t *testing.T) {
	const record = `{"eventSource": "iam.amazonaws.com", "eventName": "UpdateServerCertificate", "recipientAccountId": "111122223333", "awsRegion": "REGION",
		"requestParameters": {"serverCertificateName": "web"NEW}}`
	for name, tt := range map[string]struct{ region, more, names, renamed string }{
		"a path":             {"us-east-1", `, "newPath": "/old/"`, "arn:aws:iam::111122223333:server-certificate/web", "arn:aws:iam::111122223333:server-certificate/old/web"},
		"a name":             {"us-east-1", `, "newServerCertificateName": "next"`, "arn:aws:iam::111122223333:server-certificate/web", ""},
		"both, in China":     {"cn-north-1", `, "newPath": "/", "newServerCertificateName": "next"`, "arn:aws-cn:iam::111122223333:server-certificate/web", "arn:aws-cn:iam::111122223333:server-certificate/next"},
		"GovCloud":           {"us-gov-west-1", ``, "arn:aws-us-gov:iam::111122223333:server-certificate/web", ""},
		"a path of no path":  {"us-east-1", `, "newPath": "/a b/", "newServerCertificateName": "\u001b"`, "arn:aws:iam::111122223333:server-certificate/web", ""},
		"of a type not ours": {"us-east-1", `, "newPath": 7`, "arn:aws:iam::111122223333:server-certificate/web", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Record([]byte(strings.NewReplacer("REGION", tt.region, "NEW", tt.more).Replace(record)))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(c.Change.Certificates, " "); got != tt.names || c.Change.Renamed != tt.renamed {
				t.Errorf("%q renamed %q", got, c.Change.Renamed)
			}
		})
	}
}

func TestToolOf(t *testing.T) {
	for agent, want := range map[string]string{
		"APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go/1.44": "Terraform",
		"kubernetes/v1.8.7 aws-sdk-go/1.10.49 (go1.8.3; linux; amd64)":                      "Kubernetes cloud provider",
		"aws-cloud-controller-manager/v1.30.0 aws-sdk-go/1.55.5":                            "Kubernetes cloud provider",
		"elbv2.k8s.aws/v2.13.0 aws-sdk-go-v2/1.36.1 os/linux":                               "AWS Load Balancer Controller",
		"aws-cli/2.31.0 exec-env/CloudShell":                                                "AWS CLI",
		"cloudformation.amazonaws.com":                                                      "CloudFormation",
		"[S3Console/0.4, aws-internal/3]":                                                   "S3Console",
		"Boto3/1.40.1 md/Botocore#1.40.1":                                                   "Boto3",
		"console.amazonaws.com":                                                             "AWS console",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36":                                "AWS console",
		"": "",
	} {
		if got := tool(agent, "", false); got != want {
			t.Errorf("%q: %q, not %q", agent, got, want)
		}
	}
	if got := tool("aws-internal/3 aws-sdk-java/1.11", "", true); got != "AWS console" {
		t.Errorf("CloudTrail's own mark of the console gave %q", got)
	}
}

// FuzzDecode holds that no input panics, that what is decoded is printable, bounded and can be encoded again.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("../../events/*.json")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		out, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(out) || len(out) > 1<<20 {
			t.Errorf("%d bytes out of %d", len(out), len(data))
		}
		for _, s := range []string{e.ID, e.Name, e.Failed, e.Account, e.Region} {
			if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("a control character got through: %q", s)
			}
		}
		if (e.Kind == Change || e.Kind == Certificate) != (e.Change != nil) {
			t.Errorf("%s with %+v", e.Kind, e.Change)
		}
		if e.Change != nil && (e.Change.Confirmed || len(e.Change.Certificates) > maxItems) {
			t.Errorf("claims too much: %+v", e.Change)
		}
	})
}

// FuzzRecord: CloudTrail's records, which LookupEvents returns as text, never panic, and what is read of them is as clean as an event's.
func FuzzRecord(f *testing.F) {
	files, _ := filepath.Glob("../../events/*.json")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var e struct{ Detail json.RawMessage }
		if json.Unmarshal(data, &e) == nil && e.Detail != nil {
			f.Add([]byte(e.Detail))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Record(data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(r.Change); err != nil {
			t.Fatal(err)
		}
		if r.Change.Confirmed || len(r.Change.Certificates) > maxItems || strings.ContainsFunc(r.Change.LoadBalancer, func(c rune) bool { return c < ' ' }) {
			t.Errorf("claims too much: %+v", r.Change)
		}
	})
}
