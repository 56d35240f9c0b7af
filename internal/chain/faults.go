package chain

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"
)

// LeafFaults returns the problems of a server's certificate itself, independent of its chain.
func LeafFaults(leaf *x509.Certificate, at time.Time) []Problem {
	var fs []Problem
	fs = append(fs, dateFaults(leaf, at)...)
	fs = append(fs, extensionFaults(leaf)...)
	fs = append(fs, usageFaults(leaf)...)
	fs = append(fs, leafUsageFaults(leaf)...)
	if key := weakKey(leaf); key != "" {
		fs = append(fs, Problem{WeakKey, leaf, key})
	}
	if algorithm := weakSignature(leaf); algorithm != "" && !selfSigned(leaf) {
		fs = append(fs, Problem{WeakSignature, leaf, algorithm})
	}
	if isCA(leaf) {
		fs = append(fs, Problem{Kind: LeafIsCA, Certificate: leaf})
	}
	if leaf.PublicKeyAlgorithm == x509.Ed25519 || onP521(leaf) {
		fs = append(fs, Problem{Kind: KeyUncommon, Certificate: leaf})
	}
	return fs
}

// pathFaults returns the problems of the issuers of a path that follows trail.
func (w *walk) pathFaults(p Path, trail []*node) []Problem {
	var fs []Problem
	last := len(p.Certificates) - 1
	judged := p.Certificates
	if p.Anchor == nil && last > 0 && bytes.Equal(p.Tip().RawSubject, p.Tip().RawIssuer) {
		judged = p.Certificates[:last] // for an untrusted root no other problem matters
	}
	for i, c := range judged {
		if i < last && weakSignature(c) == "" && w.check(trail[i], trail[i+1]) == unverifiable {
			fs = append(fs, Problem{Unverifiable, c, SignatureName(c)})
		}
		if i == 0 {
			continue
		}
		fs = append(fs, dateFaults(c, w.at)...)
		fs = append(fs, issuerFaults(p.Certificates, i)...)
		fs = append(fs, extensionFaults(c)...)
		fs = append(fs, usageFaults(c)...)
		if key := weakKey(c); key != "" {
			fs = append(fs, Problem{WeakKey, c, key})
		}
		// A root's signature on itself proves nothing, and no client checks it.
		root := i == last && (p.Anchor != nil || bytes.Equal(c.RawSubject, c.RawIssuer))
		if algorithm := weakSignature(c); algorithm != "" && !root {
			fs = append(fs, Problem{WeakSignature, c, algorithm})
		}
	}
	fs = append(fs, w.nameConstraintFaults(judged)...)
	fs = append(fs, w.policyFaults(p.Certificates)...)
	if p.Anchor != nil && p.Anchor.Constraint != nil {
		if err := p.Anchor.Constraint(p.Certificates[:max(1, last)]); err != nil {
			fs = append(fs, Problem{RootConstraint, p.Anchor.Certificate, err.Error()})
		}
	}
	return fs
}

// dateFaults checks the validity, which includes both ends (RFC 5280 §4.1.2.5).
func dateFaults(c *x509.Certificate, at time.Time) []Problem {
	var fs []Problem
	if at.Before(c.NotBefore) {
		fs = append(fs, Problem{Kind: NotYetValid, Certificate: c})
	}
	if at.After(c.NotAfter) { // both, if it ends before it begins
		fs = append(fs, Problem{Kind: Expired, Certificate: c})
	}
	return fs
}

// issuerFaults checks whether the i-th certificate may issue the ones below it.
func issuerFaults(path []*x509.Certificate, i int) []Problem {
	c := path[i]
	var fs []Problem
	// A version 1 certificate has no extensions: clients accept it as a CA only if it is a root.
	old := c.Version < 3 && i == len(path)-1
	if !old && !(c.BasicConstraintsValid && c.IsCA) || c.BasicConstraintsValid && !c.IsCA {
		fs = append(fs, Problem{Kind: NotCA, Certificate: c})
	}
	if hasKeyUsage(c) && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		fs = append(fs, Problem{Kind: NoCertSign, Certificate: c})
	}
	if c.BasicConstraintsValid && c.MaxPathLen >= 0 {
		below := 0
		for _, ca := range path[1:i] {
			if !bytes.Equal(ca.RawSubject, ca.RawIssuer) {
				below++
			}
		}
		if below > c.MaxPathLen {
			fs = append(fs, Problem{PathLength, c, fmt.Sprintf("it allows %d, and the path has %d", c.MaxPathLen, below)})
		}
	}
	return fs
}

func extensionFaults(c *x509.Certificate) []Problem {
	if len(c.UnhandledCriticalExtensions) == 0 || goRejects(c) {
		return nil
	}
	var ids []string
	for _, id := range c.UnhandledCriticalExtensions[:min(len(c.UnhandledCriticalExtensions), 8)] {
		ids = append(ids, id.String())
	}
	return []Problem{{CriticalExtension, c, strings.Join(ids, ", ")}}
}

// usageFaults checks that the extended key usage, if present, allows serverAuth. Clients require that of every certificate
// in the path (CA/B BR §7.1.2).
func usageFaults(c *x509.Certificate) []Problem {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		if hasExtension(c, oidExtKeyUsage) { // not the same as none at all: OpenSSL and Java take it for a usage for nothing
			return []Problem{{Usage, c, "an empty extended key usage"}}
		}
		return nil
	}
	if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return nil
	}
	return []Problem{{Usage, c, "extended key usage " + usageNames(c)}}
}

// leafUsageFaults checks the key usage of a server's certificate as OpenSSL and BoringSSL do.
func leafUsageFaults(c *x509.Certificate) []Problem {
	var fs []Problem
	const forTLS = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
	switch {
	case !hasKeyUsage(c):
	case c.KeyUsage&forTLS == 0:
		fs = append(fs, Problem{Usage, c, "key usage without digitalSignature, keyEncipherment and keyAgreement"})
	case c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		fs = append(fs, Problem{Kind: UsageSignature, Certificate: c})
	}
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 && !hasExtension(c, oidExtKeyUsage) {
		fs = append(fs, Problem{Kind: UsageAbsent, Certificate: c})
	}
	if forAnyUse(c) {
		fs = append(fs, Problem{Kind: UsageAny, Certificate: c})
	}
	return fs
}

// onP521 reports whether a key is on P-521: Chromium makes no handshake with it, and accepts it in issuers.
func onP521(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && key.Curve == elliptic.P521()
}

// forAnyUse reports whether a certificate allows any usage but does not name server authentication. OpenSSL, and Python and Node with
// it, rustls and NSS refuse it for a server wherever in the path it stands; Go and Windows don't.
func forAnyUse(c *x509.Certificate) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

// disputed are those of the issuers' faults that some clients alone see. They make no path invalid, and are not among its
// Problems.
func (p Path) disputed() []Problem {
	var fs []Problem
	for _, c := range p.Certificates[1:] {
		if forAnyUse(c) {
			fs = append(fs, Problem{Kind: UsageAny, Certificate: c})
		}
		if kind := directoryKind(c); kind != "" {
			fs = append(fs, Problem{Kind: kind, Certificate: c})
		}
		if criticalExtension(c, oidPolicyConstraints) {
			fs = append(fs, Problem{Kind: PolicyCritical, Certificate: c})
		}
		if c.PublicKeyAlgorithm == x509.Ed25519 {
			fs = append(fs, Problem{Kind: KeyUncommon, Certificate: c})
		}
	}
	return fs
}

// hasKeyUsage reports whether a key usage is there. One without any bit (RFC 5280 §4.2.1.3 forbids it) allows nothing:
// OpenSSL refuses the certificate for every use.
func hasKeyUsage(c *x509.Certificate) bool {
	return c.KeyUsage != 0 || hasExtension(c, oidKeyUsage)
}

// usageNames lists a certificate's extended key usages in their names or numbers.
func usageNames(c *x509.Certificate) string {
	names := map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageClientAuth: "clientAuth", x509.ExtKeyUsageCodeSigning: "codeSigning",
		x509.ExtKeyUsageEmailProtection: "emailProtection", x509.ExtKeyUsageTimeStamping: "timeStamping",
		x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
	}
	var out []string
	for _, u := range c.ExtKeyUsage {
		if name, ok := names[u]; ok {
			out = append(out, name)
		} else {
			out = append(out, fmt.Sprintf("usage %d", u))
		}
	}
	out = append(out, oids(c.UnknownExtKeyUsage)...)
	if len(out) > 8 {
		out = append(out[:8], fmt.Sprintf("and %d more", len(out)-8))
	}
	return strings.Join(out, ", ")
}

func oids(ids []asn1.ObjectIdentifier) []string {
	var out []string
	for _, id := range ids {
		out = append(out, id.String())
	}
	return out
}
