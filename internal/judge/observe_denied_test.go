package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestObserveDenied(t *testing.T) {
	s := newScene(t)
	for _, name := range []string{"b", "a", "a"} {
		s.Round.ObserveErrors = append(s.Round.ObserveErrors, observation.ObserveError{
			Kind: observation.Denied, Operation: "acm:DescribeCertificate", Region: region, Account: account, Resource: arnOf(name), Detail: "AccessDenied",
		})
	}
	f := s.one(finding.ObserveDenied, finding.Warning)
	if !strings.Contains(f.Remedy, `"Action": "acm:DescribeCertificate"`) || f.Evidence["resources_in_all"] != 2 || f.Cause != "api:us-west-2" {
		t.Errorf("%+v", f)
	}
	if s.judge().Complete {
		t.Error("complete despite an observe error")
	}
	s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: observation.Credentials, Detail: "no credentials"}}
	if f := s.one(finding.ObserveDenied, finding.Warning); !strings.Contains(f.Remedy, "AWS_PROFILE") || strings.Contains(f.Remedy, "Action") {
		t.Errorf("remedy %q", f.Remedy)
	}
	s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: "sts:AssumeRole", Resource: "arn:aws:iam::999:role/certdrift"}}
	if f := s.one(finding.ObserveDenied, finding.Warning); !strings.Contains(f.Remedy, `"Resource": "arn:aws:iam::999:role/certdrift"`) || !strings.Contains(f.Remedy, "external ID") {
		t.Errorf("remedy %q", f.Remedy)
	}
}

// TestObserveDeniedNamesWhatAWSRefuses: the remedy follows what AWS said, not which call it said it of. To add a permission helps neither
// against an expired session nor against an explicit deny, nor is it always the permission for the call.
func TestObserveDeniedNamesWhatAWSRefuses(t *testing.T) {
	for detail, want := range map[string][2]string{
		"ExpiredToken: The security token included in the request is expired": {"rejects certdrift's credentials in us-west-2: ExpiredToken", "aws sso login"},
		"RequestExpired": {"rejects certdrift's credentials", "aws sso login"},
		"UnrecognizedClientException: The security token included in the request is invalid.": {"rejects certdrift's credentials", "has not enabled this one"},
		"InvalidClientTokenId: The security token included in the request is invalid.":        {"rejects certdrift's credentials", "has not enabled this one"},
		"AccessDenied: User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/b": {
			"lacks the permission sts:AssumeRole", `"Action": "sts:AssumeRole"`,
		},
		"AccessDenied: User: arn:aws:iam::1:user/a is not authorized to perform: elasticloadbalancing:DescribeTags with an explicit deny in a service control policy": {
			"lacks the permission elasticloadbalancing:DescribeTags", "in a service control policy: an explicit deny",
		},
		"AccessDenied: User: a is not authorized to perform: x with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/p": {
			"lacks the permission sts:GetCallerIdentity", "in an identity-based policy: an explicit deny",
		},
		"AccessDenied": {"lacks the permission sts:GetCallerIdentity", `"Action": "sts:GetCallerIdentity"`},
		"AccessDenied: ExpiredToken is not the reason": {"lacks the permission sts:GetCallerIdentity", `"Action": "sts:GetCallerIdentity"`},
	} {
		s := newScene(t)
		s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: "sts:GetCallerIdentity", Region: region, Detail: detail}}
		f := s.one(finding.ObserveDenied, finding.Warning)
		if !strings.Contains(f.Summary, want[0]) || !strings.Contains(f.Remedy, want[1]) {
			t.Errorf("%s:\n%s\n%s", detail, f.Summary, f.Remedy)
		}
		if strings.Contains(want[0], "rejects") == strings.Contains(f.Remedy, "Action") && !strings.Contains(f.Remedy, "explicit deny") {
			t.Errorf("%s: the remedy is %q", detail, f.Remedy)
		}
		if len(f.RestsOn) == 0 || !strings.HasSuffix(f.RestsOn[0].Resource, "sts:GetCallerIdentity") { // the call that must succeed for an all-clear
			t.Errorf("%s: it rests on %v", detail, f.RestsOn)
		}
	}
}
