package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

func findChainExpired(c *connection) []finding.Finding {
	out := perFault(c.issuerFaults(chain.Expired), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.pathEvidence(c.certEvidence(cert))
		e["leaf"] = certSubject(c.leaf())
		if urls := aiaURLs(c.leaf()); len(urls) > 0 {
			e["aia"] = urls
		}
		problem := clients.IssuerExpired
		if c.built.Path.Anchor != nil && cert == c.built.Path.Tip() {
			problem = clients.RootExpired
		}
		return refused(problem, c.aboutCert(finding.CertChainExpired, finding.Critical, cert,
			fmt.Sprintf("%s expired on %s, %s ago, and no other path to a trusted root is valid", c.which(cert), prose.Stamp(cert.NotAfter), prose.Span(c.judgment.Now.Sub(cert.NotAfter))),
			e, c.staleRemedy(cert)))
	})
	for _, cert := range c.shadows(chain.Expired) {
		e := c.pathEvidence(c.certEvidence(cert))
		out = append(out, refused(clients.ShadowExpired, c.aboutCert(finding.CertChainExpired, finding.Warning, cert,
			fmt.Sprintf("the server sends a certificate of %s that expired on %s before the valid one, and some clients stop at it",
				certName(cert), prose.Stamp(cert.NotAfter)), e,
			c.chainRemedy(fmt.Sprintf("Remove the expired certificate of %s (issuer %s) from the chain file.", certName(cert), issuerName(cert))))))
	}
	return out
}

// shadows returns the certificates of a kind that some clients stop at although another one leads to a root.
func (c *connection) shadows(kind chain.Kind) []*x509.Certificate {
	if c.built == nil {
		return nil
	}
	var out []*x509.Certificate
	for _, f := range c.built.Shadows {
		if f.Kind == kind {
			out = append(out, f.Certificate)
		}
	}
	return out
}

// staleRemedy returns the remedy. A root that clients have and that has expired can't be replaced by what the server sends.
func (c *connection) staleRemedy(cert *x509.Certificate) string {
	if c.built.Path.Anchor != nil && cert == c.built.Path.Tip() {
		return c.chainRemedy("Make clients trust the CA's new root (certdrift: in ca_files), or send a chain that leads to a root that is still valid.")
	}
	return c.chainRemedy("Replace the expired issuer in the chain with the CA's current one; if there is none, have the certificate reissued.")
}
