package report

import (
	"crypto/dsa" //nolint:staticcheck // SA1019: only named, for a certificate that still carries such a key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// certificates describes a chain as served, at most MaxChain of it.
func certificates(t *observation.TLS) []Certificate {
	out := make([]Certificate, 0, min(len(t.Chain), MaxChain))
	for i, der := range t.Chain[:min(len(t.Chain), MaxChain)] {
		if parsed := t.Certificate(i); parsed != nil {
			out = append(out, describe(parsed))
		} else {
			out = append(out, certificate(der)) // it says why it cannot be parsed
		}
	}
	return out
}

func certificate(der []byte) Certificate {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{FingerprintSHA256: fingerprint(der), Names: []string{}, Malformed: finding.Clean(err.Error(), textLimit)}
	}
	return describe(parsed)
}

func describe(parsed *x509.Certificate) Certificate {
	c := Certificate{FingerprintSHA256: fingerprint(parsed.Raw)}
	c.Subject = finding.Clean(parsed.Subject.String(), textLimit)
	c.Issuer = finding.Clean(parsed.Issuer.String(), textLimit)
	c.Serial = hex.EncodeToString(parsed.SerialNumber.Bytes())
	c.NotBefore, c.NotAfter = parsed.NotBefore.UTC(), parsed.NotAfter.UTC()
	c.Names, c.NameCount = names(parsed)
	c.Key = keyName(parsed.PublicKey)
	c.Signature = chain.SignatureName(parsed)
	return c
}

// names are the subject alternative names of kinds that a TLS client matches: DNS names and IP addresses.
func names(c *x509.Certificate) (shown []string, count int) {
	shown = []string{}
	for _, name := range c.DNSNames[:min(len(c.DNSNames), MaxNames)] {
		shown = append(shown, finding.Clean(name, textLimit))
	}
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), MaxNames-len(shown))] {
		shown = append(shown, ip.String())
	}
	return shown, len(c.DNSNames) + len(c.IPAddresses)
}

func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", k.P.BitLen())
	}
	return "unknown"
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
