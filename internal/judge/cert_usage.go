package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
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
		problem := clients.UsageOther
		switch f.Kind {
		case chain.UsageSignature:
			severity, problem = finding.Warning, clients.UsageNoSignature
			if c.TLS != nil && strings.HasPrefix(c.TLS.Cipher, "TLS_RSA_WITH_") { // nothing was signed: who needs a signature refuses the suite
				problem = clients.UsageNoSignRSA
			}
			summary = fmt.Sprintf("the key usage of %s lacks digitalSignature, which TLS 1.3 and ECDHE need", c.which(cert))
		case chain.UsageAny:
			problem = clients.UsageAny
			if cert != c.leaf() {
				problem = clients.UsageAnyIssuer
			}
			summary = fmt.Sprintf("%s has anyExtendedKeyUsage without serverAuth", c.which(cert))
		case chain.UsageAbsent:
			severity, problem = finding.Info, clients.UsageAbsent
			summary = fmt.Sprintf("%s has no extended key usage: most clients accept it for every use", c.which(cert))
		default:
			switch {
			case strings.HasPrefix(f.Detail, "an empty"):
				problem = clients.UsageEmpty
			case onlyGated(cert):
				problem = clients.UsageSGC
			case strings.HasPrefix(f.Detail, "key usage"):
				problem = clients.UsageNothing
			case cert != c.leaf():
				problem = clients.UsageOtherIssuer
			}
			e["usage"] = finding.Clean(f.Detail, finding.QuoteLimit)
		}
		return refused(problem, c.aboutCert(finding.CertUsage, severity, cert, summary, e,
			c.reissue(cert, "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature.",
				"have the certificate issued by an issuer that may issue server certificates (its extendedKeyUsage contains serverAuth, or it has none).")))
	})
}

// onlyGated reports whether a certificate is for server-gated cryptography, and nothing else: what some clients still take for servers.
func onlyGated(cert *x509.Certificate) bool {
	return len(cert.UnknownExtKeyUsage) == 0 && !slices.ContainsFunc(cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u != x509.ExtKeyUsageNetscapeServerGatedCrypto && u != x509.ExtKeyUsageMicrosoftServerGatedCrypto
	})
}
