package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func certMalformed() rule {
	return rule{Entry: Entry{
		Code: finding.CertMalformed, Group: groupCertificate,
		Severity: "critical",
		Title:    "A certificate cannot be parsed",
		Meaning: "What the server sends as a certificate is not one by the rules of X.509. Strict clients (Go's among " +
			"them) end the handshake; others differ in what they put up with.",
		Check:  showCerts + "# then, for each: openssl asn1parse and openssl x509 -noout -text",
		Remedy: "Install the certificate again, as the CA gave it; if it came so from the CA, have it issued again.",
		Source: "RFC 5280 §4.1; RFC 8446 §4.4.2",
	}, connection: findMalformed}
}

func findMalformed(c *connection) []finding.Finding {
	remedy := c.replace("Install the certificate as the CA gave it; if it came so, have it issued again.")
	if f := c.Failure; f != nil && f.Kind == observation.ChainMalformed && !curveUnsupported(f) {
		e := finding.Evidence{"detail": finding.Clean(f.Detail, finding.QuoteLimit)}
		return []finding.Finding{c.finding(finding.CertMalformed, finding.Critical,
			"the server sends a certificate that cannot be parsed: "+finding.Clean(f.Detail, 120), e, remedy)}
	}
	if c.TLS == nil {
		return nil
	}
	for i, der := range c.TLS.Chain {
		if _, err := x509.ParseCertificate(der); err != nil {
			return []finding.Finding{c.finding(finding.CertMalformed, finding.Critical,
				fmt.Sprintf("certificate %d of the chain cannot be parsed: %s", i+1, finding.Clean(err.Error(), 120)),
				finding.Evidence{"place": i + 1, "detail": finding.Clean(err.Error(), finding.QuoteLimit)}, remedy)}
		}
	}
	return nil
}
