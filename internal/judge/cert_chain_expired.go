package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

func findChainExpired(c *connection) []finding.Finding {
	return perFault(c.issuerFaults(chain.Expired), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.pathEvidence(c.certEvidence(cert))
		e["leaf"] = certSubject(c.leaf())
		if urls := aiaURLs(c.leaf()); len(urls) > 0 {
			e["aia"] = urls
		}
		return c.aboutCert(finding.CertChainExpired, finding.Critical, cert,
			fmt.Sprintf("%s expired on %s, %s ago, and no other path to a trusted root is valid", c.which(cert), prose.Stamp(cert.NotAfter), prose.Span(c.judgment.Now.Sub(cert.NotAfter))),
			e, c.staleRemedy(cert))
	})
}

// staleRemedy returns the remedy. A root that clients have and that has expired can't be replaced by what the server sends.
func (c *connection) staleRemedy(cert *x509.Certificate) string {
	if c.built.Path.Anchor != nil && cert == c.built.Path.Tip() {
		return c.chainRemedy("Make clients trust the CA's new root (certdrift: in ca_files), or send a chain that leads to a root that is still valid.")
	}
	return c.chainRemedy("Replace the expired issuer in the chain with the CA's current one; if there is none, have the certificate reissued.")
}
