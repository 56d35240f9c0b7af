package judge

import (
	"testing"

	"certdrift/internal/finding"
)

func TestACMRenewalIneligible(t *testing.T) {
	for _, c := range []struct {
		kind, eligibility string
		days              int
		want              finding.Severity
	}{
		{"AMAZON_ISSUED", "ELIGIBLE", 60, finding.None}, {"AMAZON_ISSUED", "INELIGIBLE", 60, finding.Warning},
		{"PRIVATE", "INELIGIBLE", 60, finding.Warning},
		{"IMPORTED", "INELIGIBLE", 60, finding.Info}, {"IMPORTED", "INELIGIBLE", 20, finding.Warning},
		{"IMPORTED", "INELIGIBLE", -1, finding.None}, {"", "", 20, finding.None}, // IAM's have neither
	} {
		s := newScene(t)
		leaf := s.LeafUntil(noon.AddDate(0, 0, c.days), host)
		s.Classic("a1", s.ACM("a", leaf))
		s.Round.Certificates[0].Type, s.Round.Certificates[0].RenewalEligibility = c.kind, c.eligibility
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
		if c.want == finding.None {
			s.none(finding.ACMRenewalIneligible)
			continue
		}
		s.one(finding.ACMRenewalIneligible, c.want)
	}
}
