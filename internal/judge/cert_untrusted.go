package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func findUntrusted(c *connection) []finding.Finding {
	var out []finding.Finding
	if c.verdict() == chain.Untrusted {
		out = append(out, untrustedEnd(c))
	}
	out = append(out, c.partlyTrusted()...)
	out = append(out, perFault(c.faults(chain.RootConstraint), func(f chain.Problem) finding.Finding {
		e := c.pathEvidence(c.certEvidence(c.leaf()))
		e["root"], e["constraint"] = certSubject(f.Certificate), finding.Clean(f.Detail, finding.QuoteLimit)
		return refused(clients.RootDistrusted, c.aboutCert(finding.CertUntrusted, finding.Critical, c.leaf(),
			fmt.Sprintf("the root %s is trusted only within limits, which this chain exceeds: %s", certName(f.Certificate), finding.Clean(f.Detail, finding.QuoteLimit)),
			e, c.replace("Have the certificate issued by another CA: the maintainer of the trust store is phasing out this root.")))
	})...)
	for _, cert := range c.shadows(chain.DeadEnd) {
		e := c.pathEvidence(c.certEvidence(cert))
		out = append(out, refused(clients.ShadowUntrusted, c.aboutCert(finding.CertUntrusted, finding.Warning, cert,
			fmt.Sprintf("the server sends a certificate of %s by %s, which leads to no trusted root, before the one that does, and some clients take the first",
				certName(cert), issuerName(cert)), e,
			c.chainRemedy(fmt.Sprintf("Remove the certificate of %s by %s from the chain file, or put it behind the other one.", certName(cert), issuerName(cert))))))
	}
	return append(out, perFault(c.faults(chain.Unverifiable), func(f chain.Problem) finding.Finding {
		e := c.pathEvidence(c.certEvidence(f.Certificate))
		e["signature_algorithm"] = finding.Clean(f.Detail, finding.QuoteLimit)
		return refused(clients.Untrusted, c.aboutCert(finding.CertUntrusted, finding.Critical, f.Certificate,
			fmt.Sprintf("clients don't support the signature on %s (%s, by a key of type %s)", c.which(f.Certificate), finding.Clean(f.Detail, 60), c.issuerKey(f)),
			e, c.replace("Have the certificate issued with RSA or ECDSA and SHA-256 or better.")))
	})...)
}

// untrustedEnd is the finding for a path that does not end in a trusted root.
func untrustedEnd(c *connection) finding.Finding {
	r := c.built
	tip := r.Path.Tip()
	e := c.pathEvidence(c.certEvidence(c.leaf()))
	e["unknown_issuer"] = certIssuer(tip)
	if r.Lookalike != nil {
		e["same_name_other_key"] = topology.Fingerprint(r.Lookalike.Certificate)
	}
	summary := untrustedSummary(c, tip)
	f := c.aboutCert(finding.CertUntrusted, finding.Critical, c.leaf(), summary, e, c.replace(untrustedRemedy(r, tip)))
	f.Clients = c.untrustedBy()
	return f
}

func untrustedRemedy(r *chain.Result, tip *x509.Certificate) string {
	const trusted = "Serve a certificate from a CA that clients trust; if a private CA is intended, add its root to ca_files"
	switch {
	case bytes.Equal(tip.RawIssuer, tip.RawSubject):
		return trusted + "."
	case r.Lookalike != nil:
		return "Reinstall the certificate and chain exactly as the CA issued them: the certificate was modified after it was signed, or the CA has a " +
			"new key, whose certificate belongs in the chain or in ca_files."
	}
	return fmt.Sprintf("%s; if %s is an intermediate of a trusted CA, append its certificate to the chain.", trusted, issuerName(tip))
}

func untrustedSummary(c *connection, tip *x509.Certificate) string {
	other, root := c.built.Lookalike, bytes.Equal(tip.RawIssuer, tip.RawSubject)
	switch {
	case root && other != nil && other.Trusted:
		return fmt.Sprintf("the chain ends in the root %s, which is not trusted (a trusted root of the same name has a different key)", certName(tip))
	case root:
		return fmt.Sprintf("the chain ends in the root %s, which is not trusted", certName(tip))
	case other != nil:
		where := "that was sent"
		if other.Trusted {
			where = "in the trust store"
		}
		return fmt.Sprintf("%s names the issuer %s, but the certificate of that name %s did not sign it", c.which(tip), issuerName(tip), where)
	}
	return fmt.Sprintf("the chain ends at the issuer %s, whose own issuer %s is not trusted", certName(tip), issuerName(tip))
}

// issuerKey describes the key that should verify a signature.
func (c *connection) issuerKey(f chain.Problem) string {
	path := c.built.Path.Certificates
	for i, cert := range path[:len(path)-1] {
		if cert == f.Certificate {
			return keyText(path[i+1])
		}
	}
	return "unknown"
}
