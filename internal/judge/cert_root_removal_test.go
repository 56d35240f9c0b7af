package judge

import (
	"strings"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// TestCertRootRemoval: a chain whose root leaves within policy.root_removal is a warning; one that another root holds up is none.
func TestCertRootRemoval(t *testing.T) {
	s, other := newShop(t), must(t)(pki.Root("Another Root", certNow))
	in := func(days int) time.Time { return certNow.AddDate(0, 0, days) }
	cross := crossSigned(t, s.inter, other)
	for _, test := range []struct {
		name        string
		anchor      chain.Anchor
		second      *chain.Anchor // of the cross-sign
		from, until int           // the leaf's
		want, says  string
	}{
		{"no date is known", chain.Anchor{}, nil, -10, 300, "", ""},
		{"far away", chain.Anchor{Removal: in(181)}, nil, -10, 300, "", ""},
		{"soon", chain.Anchor{Removal: in(180)}, nil, -10, 300, warning(finding.CertRootRemoval), "leaves Mozilla's trust store on 2026-11-28 (in 180 days), by its schedule"},
		{"soon, but the certificate ends before", chain.Anchor{Removal: in(100)}, nil, -10, 80, notice(finding.CertRootRemoval), "the next one needs another root"},
		{"over, and still there", chain.Anchor{Removal: in(-3)}, nil, -10, 80, warning(finding.CertRootRemoval), "was to leave Mozilla's trust store on 2026-05-29, by its schedule"},
		{"another root stays", chain.Anchor{Removal: in(10)}, &chain.Anchor{}, -10, 300, "", ""},
		{"another root stays for longer", chain.Anchor{Removal: in(10)}, &chain.Anchor{Removal: in(400)}, -10, 300, "", ""},
		{"both leave", chain.Anchor{Removal: in(10)}, &chain.Anchor{Removal: in(20)}, -10, 300, warning(finding.CertRootRemoval), `the root "Another Root" leaves`},
		{"what it issues later is distrusted", chain.Anchor{DistrustAfter: in(30)}, nil, -10, 300, warning(finding.CertRootRemoval), "a renewed one will be refused"},
		{"what it issued later is distrusted, and this was issued before", chain.Anchor{DistrustAfter: in(-5)}, nil, -10, 300, warning(finding.CertRootRemoval), "after 2026-05-27 12:00 UTC: this certificate"},
		{"far away, what it issues later", chain.Anchor{DistrustAfter: in(300)}, nil, -10, 300, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := s.serve(t, pki.Valid(in(test.from), in(test.until)))
			test.anchor.Certificate, srv.roots = s.root.Certificate, nil
			srv.anchors = []chain.Anchor{test.anchor}
			if test.second != nil {
				test.second.Certificate = other.Certificate
				srv.anchors, srv.chain = append(srv.anchors, *test.second), append(srv.chain, cross.Raw)
			}
			if test.want == "" {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, test.want), test.says, "Refused by: none yet")
			until := "or by another CA, before that"
			switch {
			case !test.anchor.DistrustAfter.IsZero():
				until = "or by another CA, when it is renewed"
			case test.anchor.Removal.Before(certNow):
				until = "or by another CA, now"
			}
			if remedy := srv.expect(t, test.want)[0].Remedy; !strings.Contains(remedy, until) {
				t.Error(remedy)
			}
		})
	}
	// An unknown is no evidence: without a trust store nothing is said of roots.
	srv := s.serve(t)
	srv.anchors, srv.roots, srv.noStore = []chain.Anchor{{Certificate: s.root.Certificate, Removal: in(1)}}, nil, true
	srv.expect(t)
}
