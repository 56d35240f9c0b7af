package judge

import (
	"fmt"
	"slices"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certUsage() rule {
	return rule{Entry: Entry{
		Code: finding.CertUsage, Group: groupCertificate,
		Severity: "critical where a certificate of the chain is for other uses only; warning where the key usage lacks digitalSignature; " +
			"info where the leaf names no extended key usage at all, or a certificate of the chain any",
		Title: "The certificate is not meant for a server",
		Meaning: "The extended key usage of the leaf, or of an issuer above it, does not contain serverAuth (a client certificate or a code-signing " +
			"one was installed), or the key usage rules out TLS: clients refuse it. Without digitalSignature, browsers refuse TLS 1.3 and " +
			"every ECDHE handshake. Without any extended key usage most clients take it for every use, Apple's don't; with any " +
			"extended key usage and no serverAuth, Go and Windows take it, OpenSSL and what is built on it don't.",
		Check: showLeaf + "-purpose -ext keyUsage,extendedKeyUsage",
		Remedy: "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature; where an issuer is for other " +
			"uses, by one that may issue for servers.",
		Source: "RFC 5280 §4.2.1.3, §4.2.1.12; CA/B BR §7.1.2.7.10 and §7.1.2.7.11; Apple HT210176",
	}, connection: findUsage}
}

func findUsage(c *connection) []finding.Finding {
	faults := c.faults(chain.Usage, chain.UsageSignature, chain.UsageAny, chain.UsageAbsent)
	if len(c.faults(chain.Usage)) == 0 {
		faults = append(faults, c.disputed(chain.UsageAny)...)
	}
	if len(faults) > 1 { // what is absent matters little beside what is wrong
		faults = slices.DeleteFunc(faults, func(f chain.Diagnostic) bool { return f.Kind == chain.UsageAbsent })
	}
	return perFault(faults, func(f chain.Diagnostic) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		severity, summary := finding.Critical, fmt.Sprintf("%s is not for server authentication (%s)", c.which(cert), finding.Clean(f.Detail, finding.QuoteLimit))
		switch f.Kind {
		case chain.UsageSignature:
			severity = finding.Warning
			summary = fmt.Sprintf("the key usage of %s lacks digitalSignature: browsers refuse it for TLS 1.3 and ECDHE", c.which(cert))
		case chain.UsageAny:
			severity = finding.Info
			summary = fmt.Sprintf("%s names any extended key usage and not serverAuth: OpenSSL and curl refuse it, Go takes it", c.which(cert))
		case chain.UsageAbsent:
			severity = finding.Info
			summary = fmt.Sprintf("%s names no extended key usage: most clients take it for every use, Apple's refuse it", c.which(cert))
		default:
			e["usage"] = finding.Clean(f.Detail, finding.QuoteLimit)
		}
		return c.aboutCert(finding.CertUsage, severity, cert, summary, e,
			c.reissue(cert, "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature.",
				"have the certificate issued by one that may issue for servers (its own extendedKeyUsage holds serverAuth, or it has none)."))
	})
}
