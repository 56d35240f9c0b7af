package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certSelfSigned() rule {
	return rule{Entry: Entry{
		Code: finding.CertSelfSigned, Group: groupCertificate,
		Severity: "critical",
		Title:    "The certificate is its own issuer",
		Meaning: "Nobody vouches for the certificate: it is signed with its own key and not in the trust store. It is mostly a server's or " +
			"an ingress controller's placeholder, served since the right certificate could not be loaded or none fits the name.",
		Check: showLeaf + "-subject -issuer -fingerprint -sha256",
		Remedy: "Serve a certificate that a CA issued. Where this very certificate is meant, name it in the endpoint's ca_files: it is then " +
			"trusted as it stands, and no other.",
		Source: "RFC 5280 §3.2 (self-signed), §6.1",
	}, connection: findSelfSigned}
}

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
	return []finding.Finding{c.aboutCert(finding.CertSelfSigned, finding.Critical, leaf,
		fmt.Sprintf("the certificate %s is self-signed: no CA vouches for it", certName(leaf)), e,
		c.replace("Serve a certificate that a CA issued; if this very one is meant, name it in the endpoint's ca_files."))}
}
