package judge

import (
	"fmt"
	"slices"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func findUsage(c *connection) []finding.Finding {
	faults := c.faults(chain.Usage, chain.UsageSignature, chain.UsageAny, chain.UsageAbsent)
	if len(c.faults(chain.Usage)) == 0 {
		faults = append(faults, c.disputed(chain.UsageAny)...)
	}
	if len(faults) > 1 { // a missing usage matters little beside a wrong one
		faults = slices.DeleteFunc(faults, func(f chain.Problem) bool { return f.Kind == chain.UsageAbsent })
	}
	return perFault(faults, func(f chain.Problem) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		severity, summary := finding.Critical, fmt.Sprintf("%s is not meant for server authentication (%s)", c.which(cert), finding.Clean(f.Detail, finding.QuoteLimit))
		switch f.Kind {
		case chain.UsageSignature:
			severity = finding.Warning
			summary = fmt.Sprintf("the key usage of %s lacks digitalSignature: browsers reject it for TLS 1.3 and ECDHE", c.which(cert))
		case chain.UsageAny:
			refusing, words := []string{"OpenSSL, curl, Python and Node", "rustls", "Firefox (NSS)"}, "OpenSSL, curl, Python, Node, rustls and Firefox (NSS)"
			if cert != c.leaf() {
				refusing, words = append(refusing, "GnuTLS"), "OpenSSL, curl, Python, Node, rustls, Firefox (NSS) and GnuTLS"
			}
			e["refused_by"] = refusing
			summary = fmt.Sprintf("%s has anyExtendedKeyUsage without serverAuth: %s reject it, Go accepts it", c.which(cert), words)
		case chain.UsageAbsent:
			severity = finding.Info
			summary = fmt.Sprintf("%s has no extended key usage: most clients accept it for every use, Apple's reject it", c.which(cert))
		default:
			e["usage"] = finding.Clean(f.Detail, finding.QuoteLimit)
		}
		return c.aboutCert(finding.CertUsage, severity, cert, summary, e,
			c.reissue(cert, "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature.",
				"have the certificate issued by an issuer that may issue server certificates (its extendedKeyUsage contains serverAuth, or it has none)."))
	})
}
