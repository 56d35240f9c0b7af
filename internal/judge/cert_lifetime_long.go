package judge

import (
	"crypto/x509"
	"fmt"
	"math"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func findLifetimeLong(c *connection) []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || c.built == nil || !c.built.Public() {
		return nil
	}
	limit := lifetimeLimit(leaf.NotBefore)
	lifetime := inclusiveLifetime(leaf)
	if limit == 0 || lifetime <= time.Duration(limit)*24*time.Hour {
		return nil
	}
	severity, problem := finding.Warning, clients.LifetimeBallot
	if limit >= 398 || lifetime > 398*24*time.Hour {
		severity, problem = finding.Critical, clients.LifetimeLong
	}
	days := int((lifetime + 24*time.Hour - 1) / (24 * time.Hour)) // a partial day counts as one
	e := c.certEvidence(leaf)
	e["lifetime_days"], e["limit_days"] = days, limit
	return []finding.Finding{refused(problem, c.aboutCert(finding.CertLifetimeLong, severity, leaf,
		fmt.Sprintf("the certificate %s is valid for %d days; the limit for one issued on %s is %d days", certName(leaf), days, leaf.NotBefore.UTC().Format(time.DateOnly), limit),
		e, c.replace("Have the certificate reissued with a shorter lifetime.")))}
}

// inclusiveLifetime counts the last second too (RFC 5280 §4.1.2.5, CA/B BR §6.3.2).
func inclusiveLifetime(cert *x509.Certificate) time.Duration {
	life := cert.NotAfter.Sub(cert.NotBefore) // Sub saturates at 292 years, the longest Duration
	return life + min(time.Second, math.MaxInt64-life)
}

// lifetimeLimit is the longest allowed lifetime, in days, of a certificate issued at a time; 0 before limits were in days.
func lifetimeLimit(issued time.Time) int {
	limits := []struct {
		from time.Time
		days int
	}{
		{time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC), 47},
		{time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), 100},
		{time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), 200},
		{time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC), 398},
		{time.Date(2018, 3, 1, 0, 0, 0, 0, time.UTC), 825},
	}
	for _, l := range limits {
		if !issued.Before(l.from) {
			return l.days
		}
	}
	return 0
}
