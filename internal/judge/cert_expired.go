package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certExpired() rule {
	return rule{Entry: Entry{
		Code: finding.CertExpired, Group: groupCertificate,
		Severity: "critical",
		Title:    "The certificate has expired",
		Meaning: "The end of the server's own certificate has passed. Every client that checks certificates refuses the " +
			"connection; a browser in which somebody once stored an exception does not show it.",
		Check: showLeaf + "-subject -dates",
		Remedy: "Renew the certificate, install it with its intermediates, reload the server, and find out why the renewal did not " +
			"happen or did not reach the server. A certificate that was renewed and is still served old wants a reload only.",
		Source: "RFC 5280 §4.1.2.5 (validity)",
	}, connection: findExpired}
}

func findExpired(c *connection) []finding.Finding {
	return perFault(c.leafFaults(chain.Expired), func(f chain.Diagnostic) finding.Finding {
		cert := f.Certificate
		return c.aboutCert(finding.CertExpired, finding.Critical, cert,
			fmt.Sprintf("the certificate %s expired on %s, %s ago", certName(cert), moment(cert.NotAfter), span(c.world.now.Sub(cert.NotAfter))),
			c.certEvidence(cert),
			c.replace("Renew the certificate; if a newer one is there already, reload the server that still serves the old one."))
	})
}
