package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

func findExpired(c *connection) []finding.Finding {
	return perFault(c.leafFaults(chain.Expired), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		return refused(clients.Expired, c.aboutCert(finding.CertExpired, finding.Critical, cert,
			fmt.Sprintf("the certificate %s expired on %s, %s ago", certName(cert), prose.Stamp(cert.NotAfter), prose.Span(c.judgment.Now.Sub(cert.NotAfter))),
			c.certEvidence(cert),
			c.replace("Renew the certificate; if a newer one is already installed, reload the server that still serves the old one.")))
	})
}
