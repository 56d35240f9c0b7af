package judge

import (
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertLifetimeLong(t *testing.T) {
	at := func(year, month, day int) time.Time {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	}
	for _, test := range []struct {
		issued time.Time
		days   int
		over   time.Duration
		want   string
	}{
		{at(2020, 8, 31), 825, 0, ""},
		{at(2020, 8, 31), 825, time.Second, critical(finding.CertLifetimeLong)},
		{at(2020, 9, 1), 398, 0, ""},
		{at(2020, 9, 1), 398, time.Second, critical(finding.CertLifetimeLong)},
		{at(2026, 3, 14), 398, 0, ""},
		{at(2026, 3, 15), 200, 0, ""},
		{at(2026, 3, 15), 200, time.Second, warning(finding.CertLifetimeLong)},
		{at(2026, 3, 15), 399, 0, critical(finding.CertLifetimeLong)},
		{at(2026, 3, 15), 2912369, 0, critical(finding.CertLifetimeLong)}, // until 9999-12-31, further than a Duration goes
		{at(2027, 3, 14), 200, 0, ""},
		{at(2027, 3, 15), 100, 0, ""},
		{at(2027, 3, 15), 100, time.Second, warning(finding.CertLifetimeLong)},
		{at(2029, 3, 14), 100, 0, ""},
		{at(2029, 3, 15), 47, 0, ""},
		{at(2029, 3, 15), 48, 0, warning(finding.CertLifetimeLong)},
	} {
		root := must(t)(pki.Root("Public Root", test.issued))
		// The last second counts: 398 days end a second before the 398th midnight.
		end := test.issued.AddDate(0, 0, test.days).Add(test.over - time.Second)
		leaf := must(t)(root.Leaf(test.issued, []string{certHost}, pki.Valid(test.issued, end)))
		srv := server{chain: leaf.Served(), at: test.issued.Add(time.Hour), anchors: []chain.Anchor{{Certificate: root.Certificate, Public: true}}}
		if test.want == "" {
			srv.expect(t)
		} else {
			srv.expect(t, test.want)
		}
		srv.anchors = nil // a private CA sets its own limits
		srv.roots = []*pki.Pair{root}
		srv.expect(t)
	}
}
