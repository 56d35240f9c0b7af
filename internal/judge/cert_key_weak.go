package judge

import (
	"crypto/dsa" //nolint:staticcheck // to name it as weak
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func findKeyWeak(c *connection) []finding.Finding {
	failed := c.fails(finding.CertKeyWeak)
	if c.leaf() == nil && (failed != nil || curveUnsupported(c.Failure)) {
		summary := "the certificate's key uses an elliptic curve that clients don't support"
		if failed != nil && failed.Detail != "" {
			summary = finding.Clean(failed.Detail, 120)
		}
		return []finding.Finding{refused(clients.KeyBroken, c.finding(finding.CertKeyWeak, finding.Critical, summary,
			finding.Evidence{"detail": finding.Clean(c.Failure.Detail, finding.QuoteLimit)},
			c.replace("Have a certificate issued for a new key on P-256 or P-384.")))}
	}
	weak := perFault(c.faults(chain.WeakKey), func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		e["key"] = keyText(cert)
		summary := fmt.Sprintf("the key of %s is weak: %s", c.which(cert), finding.Clean(f.Detail, 60))
		if failed != nil && cert == c.leaf() {
			e["detail"], e["alert"] = finding.Clean(failed.Detail, finding.QuoteLimit), finding.Clean(failed.Alert, finding.QuoteLimit)
			summary += "; the handshake fails because of it"
		}
		return refused(weakness(cert), c.aboutCert(finding.CertKeyWeak, finding.Critical, cert, summary, e,
			c.reissue(cert, "Have a certificate issued for a new key: ECDSA P-256, or RSA with at least 2048 bits.",
				"have the certificate issued by an issuer with a P-256 key or an RSA key of at least 2048 bits, and send that issuer in the chain.")))
	})
	return append(weak, perFault(append(c.faults(chain.KeyUncommon), c.disputed(chain.KeyUncommon)...), c.uncommonKey)...)
}

// uncommonKey is the finding for a strong key that some clients don't support.
func (c *connection) uncommonKey(f chain.Problem) finding.Finding {
	cert := f.Certificate
	e := c.certEvidence(cert)
	e["key"] = keyText(cert)
	problem := clients.KeyP521
	if cert.PublicKeyAlgorithm == x509.Ed25519 {
		problem = clients.KeyEd25519
	}
	return refused(problem, c.aboutCert(finding.CertKeyWeak, finding.Warning, cert,
		fmt.Sprintf("the key of %s is %s, which some clients can't use", c.which(cert), keyText(cert)), e,
		c.reissue(cert, "Have a certificate issued for a new key that all clients support: ECDSA P-256 or P-384, or RSA with at least 2048 bits.",
			"have the certificate issued by an issuer with an ECDSA or RSA key.")))
}

// weakness returns what clients make of a weak key.
func weakness(cert *x509.Certificate) clients.Problem {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 1024 {
			return clients.KeyShort
		}
	case *dsa.PublicKey:
		return clients.KeyDSA
	}
	return clients.KeyBroken
}

// curveUnsupported recognizes the only key problem that prevents a certificate from being parsed at all: Go supports the
// NIST curves from P-224 on.
func curveUnsupported(f *observation.Failure) bool {
	return f != nil && f.Kind == observation.ChainMalformed && strings.Contains(f.Detail, "unsupported elliptic curve")
}
