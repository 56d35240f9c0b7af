package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func findKeyWeak(c *connection) []finding.Finding {
	refused := c.fails(finding.CertKeyWeak)
	if c.leaf() == nil && (refused != nil || curveUnsupported(c.Failure)) {
		summary := "the certificate's key is on an elliptic curve that clients don't support"
		if refused != nil && refused.Detail != "" {
			summary = finding.Clean(refused.Detail, 120)
		}
		return []finding.Finding{c.finding(finding.CertKeyWeak, finding.Critical, summary,
			finding.Evidence{"detail": finding.Clean(c.Failure.Detail, finding.QuoteLimit)},
			c.replace("Have a certificate issued for a new key on P-256 or P-384."))}
	}
	return perFault(c.faults(chain.WeakKey), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		e["key"] = keyText(cert)
		summary := fmt.Sprintf("the key of %s is weak: %s", c.which(cert), finding.Clean(f.Detail, 60))
		if refused != nil && cert == c.leaf() {
			e["detail"], e["alert"] = finding.Clean(refused.Detail, finding.QuoteLimit), finding.Clean(refused.Alert, finding.QuoteLimit)
			summary += "; the handshake fails on it"
		}
		return c.aboutCert(finding.CertKeyWeak, finding.Critical, cert, summary, e,
			c.reissue(cert, "Have a certificate issued for a new key: ECDSA on P-256, or RSA of 2048 bits and more.",
				"have the certificate issued by one with a key of RSA 2048 bits and more or P-256, and send that one in the chain."))
	})
}

// curveUnsupported recognises the one fault of a key that keeps a certificate from being parsed at all: Go knows the
// NIST curves from P-224 on.
func curveUnsupported(f *observation.Failure) bool {
	return f != nil && f.Kind == observation.ChainMalformed && strings.Contains(f.Detail, "unsupported elliptic curve")
}
