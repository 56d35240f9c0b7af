package judge

import (
	"crypto/x509"
	"fmt"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

func findNotYetValid(c *connection) []finding.Finding {
	return perFault(c.faults(chain.NotYetValid), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		evidence := c.certEvidence(cert)
		return refused(clients.NotYetValid, c.aboutCert(finding.CertNotYetValid, finding.Critical, cert,
			fmt.Sprintf("%s is not valid until %s (in %s): %s", c.which(cert), prose.Stamp(cert.NotBefore), prose.Span(cert.NotBefore.Sub(c.judgment.Now)), c.bothClocks(cert, evidence)),
			evidence, c.earlyRemedy(cert)))
	})
}

// bothClocks says what time it is by this machine's clock and by the server's: one of them may be wrong, and not the certificate. It
// adds both to the evidence.
func (c *connection) bothClocks(cert *x509.Certificate, evidence finding.Evidence) string {
	now := c.judgment.Now
	evidence["certdrift_clock"] = prose.Second(now)
	words := "certdrift's clock says " + prose.Stamp(now)
	ahead, known := c.ahead()
	if !known {
		return words + ", the server's is not known"
	}
	theirs := now.Add(-ahead)
	evidence["server_clock"] = prose.Second(theirs)
	if theirs.Before(cert.NotBefore) {
		return words + ", the server's " + prose.Stamp(theirs)
	}
	return words + ", but the server's " + prose.Stamp(theirs) + ", when the certificate is valid"
}

// ahead returns how far this machine's clock is ahead of the server's, by the address that contradicts it least: the same for all
// addresses, so that what is said of them is, too.
func (c *connection) ahead() (least time.Duration, known bool) {
	addresses := c.endpoint.Addresses
	if c.hop != nil {
		addresses = c.hop.Addresses
	}
	for _, a := range addresses {
		if ahead, ok := topology.Ahead(a); ok && (!known || ahead.Abs() < least.Abs()) {
			least, known = ahead, true
		}
	}
	return least, known
}

func (c *connection) earlyRemedy(cert *x509.Certificate) string {
	if cert == c.leaf() {
		return c.replace("Serve the currently valid certificate until then, and check the clock of the machine that issued this one.")
	}
	return c.chainRemedy("Send this issuer's currently valid certificate until then (the leaf can stay if the key is the same), and check the clock of the machine that issued this one.")
}
