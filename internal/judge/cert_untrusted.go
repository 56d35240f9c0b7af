package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func findUntrusted(c *connection) []finding.Finding {
	var out []finding.Finding
	if c.verdict() == chain.Untrusted {
		out = append(out, untrustedEnd(c))
	}
	out = append(out, perFault(c.faults(chain.RootConstraint), func(f chain.Problem) finding.Finding {
		e := c.pathEvidence(c.certEvidence(c.leaf()))
		e["root"], e["constraint"] = certSubject(f.Certificate), finding.Clean(f.Detail, finding.QuoteLimit)
		return c.aboutCert(finding.CertUntrusted, finding.Critical, c.leaf(),
			fmt.Sprintf("the root %s is trusted within limits only, and this chain is outside: %s", certName(f.Certificate), finding.Clean(f.Detail, finding.QuoteLimit)),
			e, c.replace("Have the certificate issued by another CA: the trust store's owner is phasing this root out."))
	})...)
	return append(out, perFault(c.faults(chain.Unverifiable), func(f chain.Problem) finding.Finding {
		e := c.pathEvidence(c.certEvidence(f.Certificate))
		e["signature_algorithm"] = finding.Clean(f.Detail, finding.QuoteLimit)
		return c.aboutCert(finding.CertUntrusted, finding.Critical, f.Certificate,
			fmt.Sprintf("the signature on %s (%s, by a key of the kind %s) is one that clients don't check", c.which(f.Certificate), finding.Clean(f.Detail, 60), c.issuerKey(f)),
			e, c.replace("Have the certificate issued with RSA or ECDSA and SHA-256 or better."))
	})...)
}

// untrustedEnd says how the path that comes closest ends.
func untrustedEnd(c *connection) finding.Finding {
	r := c.built
	tip := r.Path.Tip()
	e := c.pathEvidence(c.certEvidence(c.leaf()))
	e["unknown_issuer"] = certIssuer(tip)
	if r.Lookalike != nil {
		e["same_name_other_key"] = topology.Fingerprint(r.Lookalike.Certificate)
	}
	summary := untrustedSummary(c, tip)
	return c.aboutCert(finding.CertUntrusted, finding.Critical, c.leaf(), summary, e, c.replace(untrustedRemedy(r, tip)))
}

func untrustedRemedy(r *chain.Result, tip *x509.Certificate) string {
	const trusted = "Serve a certificate of a CA that clients trust; if this is a private CA on purpose, name its root in ca_files"
	switch {
	case bytes.Equal(tip.RawIssuer, tip.RawSubject):
		return trusted + "."
	case r.Lookalike != nil:
		return "Take certificate and chain anew as the CA gave them: the certificate was changed after it was signed, or the CA has another " +
			"key by now, whose certificate belongs into the chain, or into ca_files."
	}
	return fmt.Sprintf("%s; if %s is an intermediate of a trusted CA, append its certificate to the chain.", trusted, issuerName(tip))
}

func untrustedSummary(c *connection, tip *x509.Certificate) string {
	other, root := c.built.Lookalike, bytes.Equal(tip.RawIssuer, tip.RawSubject)
	switch {
	case root && other != nil && other.Trusted:
		return fmt.Sprintf("the chain ends in the root %s, which is not trusted (a trusted one of the same name has another key)", certName(tip))
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

// issuerKey names the kind of the key that should check a signature.
func (c *connection) issuerKey(f chain.Problem) string {
	path := c.built.Path.Certificates
	for i, cert := range path[:len(path)-1] {
		if cert == f.Certificate {
			return keyText(path[i+1])
		}
	}
	return "unknown"
}
