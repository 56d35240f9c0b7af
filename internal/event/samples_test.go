package event

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	acmARN  = "arn:aws:acm:us-west-2:111122223333:certificate/"
	right   = acmARN + "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
	staging = acmARN + "5e91c6d4-0a37-4c55-8f9e-2d3b7c4e8a02"
	expired = acmARN + "c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803"
	stale   = "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017"
	web     = "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/k8s-production-web-1f2e3d4c5b/50dc6c495c0c9188"
	webHTTP = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/k8s-production-web-1f2e3d4c5b/50dc6c495c0c9188/0467ef3c8400ae65"
	webTLS  = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/k8s-production-web-1f2e3d4c5b/50dc6c495c0c9188/f2f7dc8efc522ab2"
)

// meaning is what a sample must be understood as.
type meaning struct {
	Kind                   Kind
	Name, Failed           string
	LoadBalancer, Listener string
	Port                   int
	Certificates, Renamed  string
	Who, Session, Tool     string
}

// console and kubernetes are the two authors of the incident.
func console(lb, cert string) meaning {
	return meaning{Kind: Change, Name: "SetLoadBalancerListenerSSLCertificate", LoadBalancer: lb, Port: 443,
		Certificates: cert, Who: "Operator", Session: "operator", Tool: "AWS console"}
}

func kubernetes(name, lb, cert string) meaning {
	return meaning{Kind: Change, Name: name, LoadBalancer: lb, Port: 443, Certificates: cert,
		Who: "masters.cluster.example.org", Session: "i-0abc123def4567890", Tool: "Kubernetes cloud provider"}
}

func onWeb(name, cert, who, session, tool string) meaning {
	return meaning{Kind: Change, Name: name, LoadBalancer: web, Listener: webTLS, Certificates: cert, Who: who, Session: session, Tool: tool}
}

func onRules(name, who, session, tool string) meaning {
	m := onWeb(name, "", who, session, tool)
	m.Listener = webHTTP
	return m
}

func acm(name, cert string) meaning {
	return meaning{Kind: Certificate, Name: name, Certificates: cert}
}

func meanings() map[string]meaning {
	const set = "SetLoadBalancerListenerSSLCertificate"
	const stagingUI, stagingAPI = "a33d2e74a9fb6330abd5c28e714fa093", "a44c3f85bafc7441bce6d39f825ab1a4"
	const productionUI, productionAPI = "a11f0c52e7d9411e89b3a06c5f2d8e71", "a22e1d63f8ea522f9ac4b17d603e9f82"
	created := onWeb("CreateListener", right, "masters.cluster.example.org", "i-0abc123def4567890", "AWS Load Balancer Controller")
	created.Port = 443
	modified := onWeb("ModifyListener", expired, "ci-terraform", "", "Terraform")
	modified.Port = 443
	deleted := onWeb("DeleteLoadBalancer", "", "ci-terraform", "", "Terraform")
	deleted.Listener = ""
	return map[string]meaning{
		"scheduler":                     {Kind: Schedule, Name: "Scheduled Event"},
		"scheduled-rule":                {Kind: Schedule, Name: "Scheduled Event"},
		"cloudwatch-alarm-state-change": {Kind: Alarm, Name: "CloudWatch Alarm State Change"},

		"classic-set-certificate-console-staging-ui":     console(stagingUI, staging),
		"classic-set-certificate-console-staging-api":    console(stagingAPI, staging),
		"classic-set-certificate-console-production-ui":  console(productionUI, right),
		"classic-set-certificate-console-production-api": console(productionAPI, right),

		"classic-set-certificate-kubernetes-staging-ui":     kubernetes(set, stagingUI, expired),
		"classic-set-certificate-kubernetes-staging-api":    kubernetes(set, stagingAPI, expired),
		"classic-set-certificate-kubernetes-production-ui":  kubernetes(set, productionUI, stale),
		"classic-set-certificate-kubernetes-production-api": kubernetes(set, productionAPI, stale),

		"classic-create-listeners-kubernetes": kubernetes("CreateLoadBalancerListeners", productionAPI, stale),
		"classic-delete-listeners-kubernetes": kubernetes("DeleteLoadBalancerListeners", productionAPI, ""),
		"classic-set-certificate-denied":      {Kind: Change, Name: set, Failed: "AccessDenied", Who: "ci-terraform", Tool: "Terraform"},

		"v2-create-listener-controller":  created,
		"v2-modify-listener-terraform":   modified,
		"v2-add-certificates-controller": onWeb("AddListenerCertificates", right, "masters.cluster.example.org", "i-0abc123def4567890", "AWS Load Balancer Controller"),
		"v2-remove-certificates-console": onWeb("RemoveListenerCertificates", right, "Operator", "operator", "AWS console"),
		"v2-delete-load-balancer":        deleted,

		"v2-create-rule-terraform":         onRules("CreateRule", "ci-terraform", "", "Terraform"),
		"v2-modify-rule-console":           onRules("ModifyRule", "Operator", "operator", "AWS console"),
		"v2-delete-rule-console":           onRules("DeleteRule", "Operator", "operator", "AWS console"),
		"v2-set-rule-priorities-terraform": onRules("SetRulePriorities", "ci-terraform", "", "Terraform"),

		"acm-import-certificate":        {Kind: Change, Name: "ImportCertificate", Certificates: right, Who: "Operator", Session: "operator", Tool: "AWS console"},
		"acm-delete-certificate":        {Kind: Change, Name: "DeleteCertificate", Certificates: right, Who: "Operator", Session: "operator", Tool: "AWS console"},
		"iam-delete-server-certificate": {Kind: Change, Name: "DeleteServerCertificate", Certificates: stale, Who: "ci-terraform", Tool: "AWS CLI"},
		"iam-update-server-certificate": {Kind: Change, Name: "UpdateServerCertificate", Certificates: stale, Renamed: "arn:aws:iam::111122223333:server-certificate/old/web-monitoring-2017-retired", Who: "ci-terraform", Tool: "AWS CLI"},
		"iam-upload-server-certificate": {Kind: Change, Name: "UploadServerCertificate", Certificates: "arn:aws:iam::111122223333:server-certificate/tls/web-monitoring-2026", Who: "ci-terraform", Tool: "AWS CLI"},
		"acm-approaching-expiration":    acm("ACM Certificate Approaching Expiration", right),
		"acm-expired":                   acm("ACM Certificate Expired", expired),
		"acm-available":                 acm("ACM Certificate Available", right),
		"acm-renewal-action-required":   acm("ACM Certificate Renewal Action Required", staging),
		"acm-revoked":                   acm("ACM Certificate Revoked", right),
		"acm-rotated":                   acm("ACM Certificate Rotated", right),
	}
}

func understood(e Event) meaning {
	m := meaning{Kind: e.Kind, Name: e.Name, Failed: e.Failed}
	if c := e.Change; c != nil {
		m.LoadBalancer, m.Listener, m.Port, m.Certificates = c.LoadBalancer, c.Listener, c.Port, strings.Join(c.Certificates, " ")
		m.Renamed = c.Renamed
		if c.Author != nil {
			m.Who, m.Session, m.Tool = c.Author.Name, c.Author.Session, c.Author.Tool
		}
	}
	return m
}

func TestEverySampleMeansWhatItShould(t *testing.T) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	want := meanings()
	var seen []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		seen = append(seen, name)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[name], understood(e)); diff != "" {
				t.Errorf("understood otherwise (-want +got):\n%s", diff)
			}
			if e.ID == "" || e.At.IsZero() || e.Account != "111122223333" || e.Region == "" {
				t.Errorf("the envelope is not read: %+v", e)
			}
			if c := e.Change; c != nil && (c.Confirmed || c.Account != e.Account || c.Region != e.Region || c.At.IsZero()) {
				t.Errorf("the change says more or less than the envelope: %+v", c)
			}
		})
	}
	for name := range want {
		if !slices.Contains(seen, name) {
			t.Errorf("events/%s.json is gone", name)
		}
	}
}

func TestREADMENamesEverySample(t *testing.T) {
	readme, err := os.ReadFile("../../events/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range meanings() {
		row := name
		for _, group := range []string{"classic-set-certificate-console-", "classic-set-certificate-kubernetes-"} {
			if strings.HasPrefix(name, group) {
				row = group + "*"
			}
		}
		if !strings.Contains(string(readme), "`"+row+".json`") {
			t.Errorf("the table does not name %s", row)
		}
	}
}
