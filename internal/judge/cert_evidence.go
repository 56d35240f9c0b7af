package judge

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// certEvidence returns a certificate as evidence.
func (c *connection) certEvidence(cert *x509.Certificate) finding.Evidence {
	e := finding.Evidence{
		"subject": certSubject(cert), "issuer": certIssuer(cert), "serial": finding.Clean(cert.SerialNumber.Text(16), 64),
		"not_before": cert.NotBefore.UTC(), "not_after": cert.NotAfter.UTC(),
		"days_left":          int(cert.NotAfter.Sub(c.judgment.Now).Hours()) / 24,
		"fingerprint_sha256": topology.Fingerprint(cert),
	}
	if cert == c.leaf() {
		e["names"] = coveredNames(cert)
		e["certificate"] = "leaf"
	} else {
		e["certificate"] = "issuer"
	}
	return e
}

// pathEvidence adds the path that was checked, leaf first.
func (c *connection) pathEvidence(e finding.Evidence) finding.Evidence {
	if c.built == nil {
		return e
	}
	var path []string
	for i, cert := range c.built.Path.Certificates {
		if i == 10 {
			path = append(path, fmt.Sprintf("and %d more", len(c.built.Path.Certificates)-i))
			break
		}
		path = append(path, certSubject(cert))
	}
	e["path"] = path
	e["trust_store"] = trustStore(c.endpoint.Target.Trust)
	if c.built.Limited {
		e["search_limited"] = true
	}
	return e
}

// trustStore names the trust store that a chain was checked against.
func trustStore(t target.Trust) string {
	name := string(t.Roots)
	if n := len(t.CAs); n > 0 {
		name += fmt.Sprintf(" and %d CA certificates from the configuration", n)
	}
	return name
}

// aboutCert returns a finding whose cause is one certificate.
func (c *connection) aboutCert(code finding.Code, severity finding.Severity, cert *x509.Certificate, summary string, e finding.Evidence, remedy string) finding.Finding {
	f := c.finding(code, severity, summary, e, remedy)
	f.Subject.Certificate, f.Subject.CertificateNotAfter = topology.Fingerprint(cert), cert.NotAfter.UTC()
	f.Cause = "certificate:" + f.Subject.Certificate
	return f
}

func certSubject(cert *x509.Certificate) string { return dn(cert.Subject.String()) }
func certIssuer(cert *x509.Certificate) string  { return dn(cert.Issuer.String()) }

func dn(name string) string {
	if name == "" {
		return "(empty)"
	}
	return finding.Clean(name, finding.QuoteLimit)
}

// certName is the short name of a certificate: its common name, else its first name, else its whole subject.
func certName(cert *x509.Certificate) string {
	switch {
	case cert.Subject.CommonName != "":
		return finding.Quote(cert.Subject.CommonName)
	case len(cert.DNSNames) > 0:
		return finding.Quote(cert.DNSNames[0])
	case len(cert.IPAddresses) > 0:
		return finding.Quote(cert.IPAddresses[0].String())
	}
	return finding.Quote(cert.Subject.String())
}

// issuerName is the short name of a certificate's issuer.
func issuerName(cert *x509.Certificate) string {
	if cert.Issuer.CommonName != "" {
		return finding.Quote(cert.Issuer.CommonName)
	}
	return finding.Quote(cert.Issuer.String())
}

// which names a certificate with its role in the chain.
func (c *connection) which(cert *x509.Certificate) string {
	switch {
	case cert == c.leaf():
		return "the certificate " + certName(cert)
	case c.built != nil && c.built.Path.Anchor != nil && c.built.Path.Tip() == cert:
		return "the root " + certName(cert)
	}
	return "the issuer " + certName(cert)
}

// keyText describes a public key.
func keyText(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return cert.PublicKeyAlgorithm.String()
}

// replace says how to deploy a new leaf: through ACM or IAM where that is known, else manually.
func (c *connection) replace(what string) string {
	arn := c.certificateARN()
	switch {
	case strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":acm:"):
		return fmt.Sprintf("%s The expected certificate is in ACM: check `aws acm describe-certificate --region %s --certificate-arn %s` "+
			"(Status, RenewalSummary), then import the new one under the same ARN, or attach another certificate to the listener.",
			what, arnRegion(arn), finding.Clean(arn, finding.QuoteLimit))
	case strings.HasPrefix(arn, "arn:"):
		return fmt.Sprintf("%s The expected certificate is %s: upload the new one to ACM or IAM and attach it to the listener.",
			what, finding.Clean(arn, finding.QuoteLimit))
	}
	return what + " Install it with its intermediates where TLS is terminated for this hostname (" + c.terminators() + "), reload, and run `certdrift check` again."
}

// arnRegion is the region of an ARN; empty where it has none.
func arnRegion(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return finding.Clean(parts[3], 40)
	}
	return ""
}

// reissue says how to fix one certificate of a path: the leaf as leaf says, an issuer as issuer says, because a new leaf
// from the same issuer would not help.
func (c *connection) reissue(cert *x509.Certificate, leaf, issuer string) string {
	if cert == c.leaf() {
		return c.replace(leaf)
	}
	return c.replace("A new leaf from the same issuer does not fix this: " + issuer)
}

// chainRemedy returns the remedy for a chain whose leaf can stay.
func (c *connection) chainRemedy(what string) string {
	if arn := c.certificateARN(); strings.Contains(arn, ":acm:") {
		return what + " With ACM: `aws acm import-certificate --region " + arnRegion(arn) + " --certificate-arn " + finding.Clean(arn, finding.QuoteLimit) +
			"` with the same certificate and key, and --certificate-chain."
	}
	return what + " Then reload the " + c.terminators() + ", and run `certdrift check` again."
}

// certificateARN is the ARN of the certificate that the endpoint's own addresses should serve; empty where unknown.
func (c *connection) certificateARN() string {
	if c.hop != nil {
		return ""
	}
	if c.keyType != "" {
		return c.attachedARN()
	}
	if d := c.endpoint.Target.Declared; d != nil && d.ARN != "" {
		return d.ARN
	}
	if l := c.endpoint.Listener; l != nil && len(l.Certificates) == 1 {
		return l.Certificates[0].ARN
	}
	return ""
}

// attachedARN is the ARN of the served certificate on the endpoint's listener; empty where it is not attached, or that is not known.
func (c *connection) attachedARN() string {
	if c.endpoint.Listener != nil {
		if a := c.endpoint.Listener.Holding(c.leaf()); a != nil {
			return a.ARN
		}
	}
	return ""
}

// perFault returns a finding for each fault.
func perFault(faults []chain.Problem, conclude func(chain.Problem) finding.Finding) []finding.Finding {
	var out []finding.Finding
	for _, f := range faults {
		out = append(out, conclude(f))
	}
	return out
}

// leafFaults returns the leaf's faults of the given kinds, issuerFaults those of its issuers.
func (c *connection) leafFaults(kinds ...chain.Kind) []chain.Problem {
	return slices.DeleteFunc(c.faults(kinds...), func(f chain.Problem) bool { return f.Certificate != c.leaf() })
}

func (c *connection) issuerFaults(kinds ...chain.Kind) []chain.Problem {
	return slices.DeleteFunc(c.faults(kinds...), func(f chain.Problem) bool { return f.Certificate == c.leaf() })
}
