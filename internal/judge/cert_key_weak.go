package judge

import (
	"crypto/dsa" //nolint:staticcheck // to name it as weak
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
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
	uncommon := append(c.faults(chain.KeyUncommon), c.disputed(chain.KeyUncommon)...)
	if c.keyType != "" { // clients that don't support it get the server's other certificate
		uncommon = slices.DeleteFunc(uncommon, func(f chain.Problem) bool { return f.Certificate == c.leaf() })
	}
	return slices.Concat(weak, perFault(uncommon, c.uncommonKey), c.largeKeys())
}

// maxCommonRSA is the largest RSA key in bits that all clients use. Go's refuse a handshake in which the server sends a larger one,
// rustls verifies no signature by a larger one. The probe reads them, by a setting of its build; OpenSSL and others go as far as 16384.
const maxCommonRSA = 8192

// largeKeys reports the RSA keys that only some clients use: of each certificate that the server sends, and of the root.
func (c *connection) largeKeys() []finding.Finding {
	var path []*x509.Certificate
	if c.built != nil {
		path = c.built.Path.Certificates
	}
	var out []finding.Finding
	for _, cert := range union(c.certs, path) {
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if !ok || key.N.BitLen() <= maxCommonRSA {
			continue
		}
		var refusing []string
		if slices.ContainsFunc(c.certs, cert.Equal) {
			refusing = append(refusing, "Go")
		}
		if cert == c.leaf() || slices.ContainsFunc(path, cert.Equal) {
			refusing = append(refusing, "rustls")
		}
		e := c.certEvidence(cert)
		e["key"] = keyText(cert)
		f := c.aboutCert(finding.CertKeyWeak, finding.Warning, cert,
			fmt.Sprintf("the key of %s is larger than some clients accept: %s, more than %d bits", c.which(cert), keyText(cert), maxCommonRSA), e,
			c.reissue(cert, "Have a certificate issued for a new key: ECDSA P-256, or RSA with 2048 to 4096 bits.",
				"have the certificate issued by an issuer with an ECDSA key or an RSA key of at most 8192 bits, and send that issuer. A root need not be sent: Go's clients reject only what is sent."))
		f.Clients = clients.ByOnly(refusing...)
		out = append(out, f)
	}
	return out
}

// union returns the certificates of two lists, each once.
func union(a, b []*x509.Certificate) []*x509.Certificate {
	all := slices.Clone(a)
	for _, cert := range b {
		if !slices.ContainsFunc(all, cert.Equal) {
			all = append(all, cert)
		}
	}
	return all
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
