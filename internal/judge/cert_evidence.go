package judge

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// certEvidence shows one certificate.
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

// pathEvidence adds the path that was tried, leaf first.
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

// trustStore names what a chain was judged against.
func trustStore(t target.Trust) string {
	name := string(t.Roots)
	if n := len(t.CAs); n > 0 {
		name += fmt.Sprintf(" and %d CA certificates of the configuration", n)
	}
	return name
}

// aboutCert makes a finding whose cause is one certificate.
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

// certName is what people call a certificate: its common name, else its first name, else its whole subject.
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

// issuerName is what people call a certificate's issuer.
func issuerName(cert *x509.Certificate) string {
	if cert.Issuer.CommonName != "" {
		return finding.Quote(cert.Issuer.CommonName)
	}
	return finding.Quote(cert.Issuer.String())
}

// which says of a certificate what it is in the chain.
func (c *connection) which(cert *x509.Certificate) string {
	switch {
	case cert == c.leaf():
		return "the certificate " + certName(cert)
	case c.built != nil && c.built.Path.Anchor != nil && c.built.Path.Tip() == cert:
		return "the root " + certName(cert)
	}
	return "the issuer " + certName(cert)
}

// moment prints a time the same way everywhere.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span prints a length of time in the unit that matters.
func span(d time.Duration) string {
	plural := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch d = d.Abs(); {
	case d >= 48*time.Hour:
		return plural(int(d.Hours())/24, "day")
	case d >= 2*time.Hour:
		return plural(int(d.Hours()), "hour")
	}
	return plural(int(d.Minutes()), "minute")
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

// replace says how a new leaf gets to where this one is: through ACM or IAM where that is known, else by hand.
func (c *connection) replace(what string) string {
	arn := c.certificateARN()
	switch {
	case strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":acm:"):
		return fmt.Sprintf("%s It is meant to come from ACM: see `aws acm describe-certificate --region %s --certificate-arn %s` "+
			"(Status, RenewalSummary); import the new one over the same ARN, or attach another certificate to the listener.",
			what, arnRegion(arn), finding.Clean(arn, finding.QuoteLimit))
	case strings.HasPrefix(arn, "arn:"):
		return fmt.Sprintf("%s It is meant to be %s: upload the new one to ACM or IAM and attach it to the listener.",
			what, finding.Clean(arn, finding.QuoteLimit))
	}
	return what + " Install it with its intermediates where TLS ends for this name (server or load balancer), reload, and run `certdrift check` again."
}

// arnRegion is the region of an ARN; empty where it has none.
func arnRegion(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return finding.Clean(parts[3], 40)
	}
	return ""
}

// reissue says how a fault of one certificate of a path is mended: the leaf by what is said, an issuer by another that
// the CA must bring, since no new leaf of the same issuer would do.
func (c *connection) reissue(cert *x509.Certificate, leaf, issuer string) string {
	if cert == c.leaf() {
		return c.replace(leaf)
	}
	return c.replace("This is the CA's to mend, not the leaf's: " + issuer)
}

// mend says how a chain gets right whose leaf may stay.
func (c *connection) mend(what string) string {
	if arn := c.certificateARN(); strings.Contains(arn, ":acm:") {
		return what + " With ACM: `aws acm import-certificate --region " + arnRegion(arn) + " --certificate-arn " + finding.Clean(arn, finding.QuoteLimit) +
			"` with the same certificate and key, and --certificate-chain."
	}
	return what + " Then reload the server or load balancer, and run `certdrift check` again."
}

// certificateARN is the ARN of what the endpoint's own addresses are meant to serve; empty where unknown.
func (c *connection) certificateARN() string {
	if c.hop != nil {
		return ""
	}
	if d := c.endpoint.Target.Declared; d != nil && d.ARN != "" {
		return d.ARN
	}
	if l := c.endpoint.Listener; l != nil && len(l.Certificates) == 1 {
		return l.Certificates[0].ARN
	}
	return ""
}

// perFault makes a finding of each fault of some kinds.
func perFault(faults []chain.Problem, conclude func(chain.Problem) finding.Finding) []finding.Finding {
	var out []finding.Finding
	for _, f := range faults {
		out = append(out, conclude(f))
	}
	return out
}

// leafFaults are the faults of some kinds that the leaf has, issuerFaults those of its issuers.
func (c *connection) leafFaults(kinds ...chain.Kind) []chain.Problem {
	return slices.DeleteFunc(c.faults(kinds...), func(f chain.Problem) bool { return f.Certificate != c.leaf() })
}

func (c *connection) issuerFaults(kinds ...chain.Kind) []chain.Problem {
	return slices.DeleteFunc(c.faults(kinds...), func(f chain.Problem) bool { return f.Certificate == c.leaf() })
}
