package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certNotYetValid() rule {
	return rule{Entry: Entry{
		Code: finding.CertNotYetValid, Group: groupCertificate,
		Severity: "critical",
		Title:    "The certificate, or one of its issuers, is not valid yet",
		Meaning: "The certificate was put to use before its validity begins, or the clock that issued it runs ahead. Clients with " +
			"a right clock refuse it until then. An issuer counts only where no other valid path goes round it.",
		Check: showLeaf + "-subject -dates; date -u",
		Remedy: "Serve the certificate that is valid now until the new one begins. Where the beginning looks wrong, check the clock " +
			"of the machine that issued the certificate, and the clock here.",
		Source: "RFC 5280 §4.1.2.5 (validity)",
	}, connection: findNotYetValid}
}

func findNotYetValid(c *connection) []finding.Finding {
	return perFault(c.faults(chain.NotYetValid), func(f chain.Diagnostic) finding.Finding {
		cert := f.Certificate
		return c.aboutCert(finding.CertNotYetValid, finding.Critical, cert,
			fmt.Sprintf("%s is valid only from %s, in %s", c.which(cert), moment(cert.NotBefore), span(cert.NotBefore.Sub(c.world.now))),
			c.certEvidence(cert), c.earlyRemedy(cert))
	})
}

func (c *connection) earlyRemedy(cert *x509.Certificate) string {
	if cert == c.leaf() {
		return c.replace("Serve the certificate that is valid now until then, and check the clock where this one was issued.")
	}
	return c.mend("Send the certificate of this issuer that is valid now until then (the leaf may stay where the key is the same), and check the clock where it was issued.")
}
