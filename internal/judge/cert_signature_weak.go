package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certSignatureWeak() rule {
	return rule{Entry: Entry{
		Code: finding.CertSignatureWeak, Group: groupCertificate,
		Severity: "critical",
		Title:    "A certificate in the chain is signed with a broken algorithm",
		Meaning: "SHA-1, MD5, MD2 or DSA. A signature over SHA-1 or MD5 can be moved to a forged certificate, and clients of today refuse it: " +
			"browsers since 2017, Go since 1.18, OpenSSL at its default level. A root's signature on itself is checked by nobody and does not count.",
		Check: showCerts + "# for each certificate but the root: openssl x509 -noout -text | grep 'Signature Algorithm'",
		Remedy: "Have the certificate issued again, signed with SHA-256 or better. If it is an intermediate's signature, replace the intermediate " +
			"with the CA's current one; a private CA needs its configuration mended (default_md = sha256).",
		Source: "CA/B BR §7.1.3.2; RFC 9155; RFC 6151",
	}, connection: findSignatureWeak}
}

func findSignatureWeak(c *connection) []finding.Finding {
	return perFault(c.faults(chain.WeakSignature), func(f chain.Diagnostic) finding.Finding {
		cert := f.Certificate
		e := c.certEvidence(cert)
		e["signature_algorithm"] = finding.Clean(f.Detail, 60)
		return c.aboutCert(finding.CertSignatureWeak, finding.Critical, cert,
			fmt.Sprintf("%s is signed with %s, which clients no longer accept", c.which(cert), finding.Clean(f.Detail, 60)), e,
			c.reissue(cert, "Have the certificate issued again, signed with SHA-256 or better.",
				"send its current certificate, signed with SHA-256 or better, instead of this one (the leaf may stay where the key is the same)."))
	})
}
