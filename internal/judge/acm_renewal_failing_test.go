package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func TestACMRenewalFailing(t *testing.T) {
	for _, c := range []struct {
		status string
		days   int
		want   finding.Severity
	}{
		{"SUCCESS", 20, finding.None}, {"PENDING_AUTO_RENEWAL", 20, finding.None},
		{"PENDING_VALIDATION", 60, finding.None}, {"PENDING_VALIDATION", 20, finding.Warning}, {"PENDING_VALIDATION", 5, finding.Critical},
		{"FAILED", 60, finding.Warning}, {"FAILED", 5, finding.Critical}, {"FAILED", -1, finding.None},
	} {
		s := newScene(t)
		leaf := s.LeafUntil(noon.AddDate(0, 0, c.days), host)
		s.Classic("a1", s.ACM("a", leaf))
		s.Classic("a2", arnOf("a"))
		s.Round.Certificates[0].RenewalStatus = c.status
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
		if c.want == finding.None {
			s.none(finding.ACMRenewalFailing)
			continue
		}
		f := s.one(finding.ACMRenewalFailing, c.want) // once, though two listeners share it
		if f.Endpoint != "api" || f.Cause != "certificate:"+topology.Fingerprint(leaf.Certificate) {
			t.Errorf("%+v", f)
		}
	}
}

func TestACMRenewalFailingSaysWhatToDo(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.Classic("a1", s.ACM("a", leaf))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
	r := &s.Round.Certificates[0]
	r.RenewalStatus, r.RenewalStatusReason = "FAILED", "CAA_ERROR"
	if f := s.one(finding.ACMRenewalFailing, finding.Warning); !strings.Contains(f.Summary, "CAA record") || !strings.Contains(f.Remedy, "amazon.com") {
		t.Errorf("%q %q", f.Summary, f.Remedy)
	}
	r.RenewalStatusReason = ""
	r.PendingValidation = []observation.Validation{{Domain: host, Status: "PENDING_VALIDATION", Method: "DNS", RecordName: "_x.api.example.org.", RecordValue: "_y.acm-validations.aws."}}
	if f := s.one(finding.ACMRenewalFailing, finding.Warning); !strings.Contains(f.Remedy, "_x.api.example.org. CNAME _y.acm-validations.aws.") {
		t.Errorf("%q", f.Remedy)
	}
}
