package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertNotYetValid(t *testing.T) {
	fs := newShop(t).serve(t, lasting(-5*time.Hour, 90*dayLong)).expect(t, critical(finding.CertNotYetValid))
	says(t, fs, "2026-06-01 17:00 UTC", "in 5 hours")

	inter := newShop(t, lasting(-3*dayLong, 900*dayLong))
	issuer := inter.serve(t).expect(t, critical(finding.CertNotYetValid))
	says(t, issuer, `the issuer "Test Intermediate"`)
	if !strings.Contains(issuer[0].Remedy, "this issuer's currently valid certificate") || strings.Contains(fs[0].Remedy, "this issuer's currently valid certificate") {
		t.Errorf("%q, %q", fs[0].Remedy, issuer[0].Remedy)
	}
}

// TestCertNotYetValidNamesBothClocks: what time it is here and at the server, since one of the two may be wrong.
func TestCertNotYetValidNamesBothClocks(t *testing.T) {
	issue := func(s *scene) *pki.Pair { return s.LeafUntil(noon.AddDate(0, 0, 90).Add(5*time.Hour), host) }
	for name, c := range map[string]struct {
		ahead []time.Duration // of the server's clock, for each address
		says  string
		has   string
	}{
		"as the server's":        {[]time.Duration{0}, "(in 5 hours): certdrift's clock says 2026-11-20 12:00 UTC, the server's 2026-11-20 12:00 UTC", "2026-11-20 12:00:00 UTC"},
		"the server's is later":  {[]time.Duration{-6 * time.Hour}, "certdrift's clock says 2026-11-20 12:00 UTC, but the server's 2026-11-20 18:00 UTC, when the certificate is valid", "2026-11-20 18:00:00 UTC"},
		"the server's is behind": {[]time.Duration{time.Hour}, "certdrift's clock says 2026-11-20 12:00 UTC, the server's 2026-11-20 11:00 UTC", "2026-11-20 11:00:00 UTC"},
		"of two addresses":       {[]time.Duration{time.Hour, time.Minute}, "certdrift's clock says 2026-11-20 12:00 UTC, the server's 2026-11-20 11:59 UTC", "2026-11-20 11:59:00 UTC"},
		"without a Date":         {nil, "certdrift's clock says 2026-11-20 12:00 UTC, the server's is not known", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			p := issue(s)
			addresses := []observation.Address{ok("10.0.0.1", p)}
			for i, ahead := range c.ahead {
				addresses = append(addresses[:i], at(fmt.Sprintf("10.0.0.%d", i+1), p, ahead))
			}
			s.HTTPS("api", host, addresses...)
			f := s.one(finding.CertNotYetValid, finding.Critical) // one for all addresses
			clock, _ := f.Evidence["server_clock"].(string)
			if !strings.HasSuffix(f.Summary, c.says+". Refused by: all clients") || clock != c.has || f.Evidence["certdrift_clock"] != "2026-11-20 12:00:00 UTC" {
				t.Errorf("got %q, %v", f.Summary, f.Evidence)
			}
		})
	}
}
