package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func findSignatureWeak(c *connection) []finding.Finding {
	return perFault(c.faults(chain.WeakSignature), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		e["signature_algorithm"] = finding.Clean(f.Detail, 60)
		problem := clients.SignatureBroken
		if strings.Contains(f.Detail, "SHA1") || strings.Contains(f.Detail, "SHA-1") {
			problem = clients.SignatureSHA1
		}
		return refused(problem, c.aboutCert(finding.CertSignatureWeak, finding.Critical, cert,
			fmt.Sprintf("%s is signed with %s, which clients no longer accept", c.which(cert), finding.Clean(f.Detail, 60)), e,
			c.reissue(cert, "Have the certificate reissued, signed with SHA-256 or better.",
				"send the issuer's current certificate, signed with SHA-256 or better, instead of this one (the leaf can stay if the key is the same).")))
	})
}
