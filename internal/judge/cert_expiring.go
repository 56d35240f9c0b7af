package judge

import (
	"crypto/x509"
	"fmt"
	"math"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

func findExpiring(c *connection) []finding.Finding {
	leaf, now := c.leaf(), c.judgment.Now
	if leaf == nil || now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return nil
	}
	var out []finding.Finding
	for _, cert := range c.endsFirst() {
		left, lifetime := cert.NotAfter.Sub(now), measure(leaf, cert)
		severity := c.judgment.policy.Expiry(left, lifetime)
		if severity == finding.None {
			continue
		}
		e := c.certEvidence(cert)
		e["hours_left"] = int(left.Hours())
		e["lifetime_days"] = int(math.Round(lifetime.Hours() / 24))
		if lifetime > 0 {
			e["share_left"] = fmt.Sprintf("%.0f%%", 100*float64(left)/float64(lifetime))
		}
		remedy := c.replace("Renew the certificate.")
		if cert != leaf {
			remedy = "Get a chain with a newer issuer from the CA: " + c.replace("renewing the certificate usually provides one.")
		}
		out = append(out, refused(clients.Expiring, c.aboutCert(finding.CertExpiring, severity, cert,
			fmt.Sprintf("%s expires on %s, in %s", c.which(cert), prose.Stamp(cert.NotAfter), prose.Span(left)), e, remedy)))
	}
	return out
}

// measure is the lifetime that the remaining share is computed from: the leaf's. If the leaf never expires by RFC 5280
// §4.1.2.5, an issuer is measured by its own lifetime.
func measure(leaf, cert *x509.Certificate) time.Duration {
	if leaf.NotAfter.Year() >= 9999 {
		return cert.NotAfter.Sub(cert.NotBefore)
	}
	return leaf.NotAfter.Sub(leaf.NotBefore)
}

// endsFirst returns the leaf and, of the valid path that lasts longest, the issuer that expires before it.
func (c *connection) endsFirst() []*x509.Certificate {
	leaf := c.leaf()
	certs := []*x509.Certificate{leaf}
	if c.built == nil || len(c.built.Valid) == 0 {
		return certs
	}
	first := leaf
	for _, issuer := range c.built.Valid[0].Certificates[1:] {
		if issuer.NotAfter.Before(first.NotAfter) {
			first = issuer
		}
	}
	if first != leaf {
		certs = append(certs, first)
	}
	return certs
}
