package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func findNotYetValid(c *connection) []finding.Finding {
	return perFault(c.faults(chain.NotYetValid), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		return c.aboutCert(finding.CertNotYetValid, finding.Critical, cert,
			fmt.Sprintf("%s is valid only from %s, in %s", c.which(cert), moment(cert.NotBefore), span(cert.NotBefore.Sub(c.judgment.Now))),
			c.certEvidence(cert), c.earlyRemedy(cert))
	})
}

func (c *connection) earlyRemedy(cert *x509.Certificate) string {
	if cert == c.leaf() {
		return c.replace("Serve the certificate that is valid now until then, and check the clock where this one was issued.")
	}
	return c.mend("Send the certificate of this issuer that is valid now until then (the leaf may stay where the key is the same), and check the clock where it was issued.")
}
