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
		leaf := s.leafUntil(noon.AddDate(0, 0, c.days), host)
		s.classic("a1", s.acm("a", leaf))
		s.round.Certificates[0].Type, s.round.Certificates[0].RenewalEligibility = c.kind, c.eligibility
		behind(s.https("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
		if c.want == finding.None {
			s.none(finding.ACMRenewalIneligible)
			continue
		}
		s.one(finding.ACMRenewalIneligible, c.want)
	}
}
