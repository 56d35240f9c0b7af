package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func findSelfSigned(c *connection) []finding.Finding {
	if c.verdict() != chain.SelfSigned {
		return nil
	}
	leaf := c.leaf()
	e := c.certEvidence(leaf)
	e["trust_store"] = trustStore(c.endpoint.Target.Trust)
	if sent := len(c.certs) - 1; sent > 0 {
		e["unrelated_certificates_sent"] = sent
	}
	return []finding.Finding{refused(clients.SelfSigned, c.aboutCert(finding.CertSelfSigned, finding.Critical, leaf,
		fmt.Sprintf("the certificate %s is self-signed: no CA vouches for it", certName(leaf)), e,
		c.replace("Serve a certificate issued by a CA. If this certificate is intended, add it to the endpoint's ca_files.")))}
}
