package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

func findNotYetValid(c *connection) []finding.Finding {
	return perFault(c.faults(chain.NotYetValid), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		return refused(clients.NotYetValid, c.aboutCert(finding.CertNotYetValid, finding.Critical, cert,
			fmt.Sprintf("%s is not valid until %s (in %s)", c.which(cert), prose.Stamp(cert.NotBefore), prose.Span(cert.NotBefore.Sub(c.judgment.Now))),
			c.certEvidence(cert), c.earlyRemedy(cert)))
	})
}

func (c *connection) earlyRemedy(cert *x509.Certificate) string {
	if cert == c.leaf() {
		return c.replace("Serve the currently valid certificate until then, and check the clock of the machine that issued this one.")
	}
	return c.chainRemedy("Send this issuer's currently valid certificate until then (the leaf can stay if the key is the same), and check the clock of the machine that issued this one.")
}
