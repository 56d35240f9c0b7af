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
