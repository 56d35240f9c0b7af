package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// findRevokedAttached uses ACM's own record (Status REVOKED), which needs no response from a CA.
func findRevokedAttached(l *listener) []finding.Finding {
	if l.judgment.policy.Revocation == policy.RevocationOff {
		return nil
	}
	var found []finding.Finding
	for _, a := range l.Attached {
		if a.Certificate == nil || a.Record.Status != "REVOKED" {
			continue
		}
		found = append(found, l.about(a, topology.CertificateChange{}, finding.CertRevoked, finding.Critical,
			"listener "+l.Label()+" has a revoked certificate attached: "+topology.ShortARN(a.ARN)+", according to ACM",
			"Have a certificate issued for a new key and attach it:\n"+l.AttachCommand(l.replacement(a), ""))...)
	}
	for i := range found {
		found[i] = refused(clients.Revoked, found[i])
	}
	return found
}

func findRevoked(c *connection) []finding.Finding {
	if c.TLS == nil || c.leaf() == nil || c.judgment.policy.Revocation == policy.RevocationOff {
		return nil
	}
	var out []finding.Finding
	seen := map[string]bool{}
	for _, r := range c.TLS.Revocation {
		cert := c.sent(r.Index)
		if cert == nil || r.Status != observation.Revoked || !r.Signed || r.RevokedAt.After(c.judgment.Now) {
			continue
		}
		if seen[string(cert.Raw)] || !c.rests(cert) {
			continue
		}
		seen[string(cert.Raw)] = true
		e := c.certEvidence(cert)
		e["source"], e["this_update"] = string(r.Source), r.ThisUpdate.UTC()
		if r.URL != "" {
			e["url"] = finding.Clean(r.URL, finding.QuoteLimit)
		}
		when := ""
		if !r.RevokedAt.IsZero() {
			e["revoked_at"] = r.RevokedAt.UTC()
			when = " on " + prose.Stamp(r.RevokedAt)
		}
		reason := ""
		if r.Reason != "" {
			e["reason"] = finding.Clean(r.Reason, 60)
			reason = " (" + finding.Clean(r.Reason, 60) + ")"
		}
		f := c.aboutCert(finding.CertRevoked, finding.Critical, cert,
			fmt.Sprintf("%s was revoked%s%s, according to the %s", c.which(cert), when, reason, sourceName(r.Source)), e,
			c.reissue(cert, "Have a certificate issued for a new key and serve it now.",
				"have the certificate issued by the CA's current issuer and serve it with that chain now."))
		f.Clients = clients.Of(revokedBy(r, c.judgment.Now))
		f.RestsOn = []finding.Fact{{Kind: finding.FactRevocation, Endpoint: c.endpoint.Target.Key(), Resource: topology.Fingerprint(cert)}}
		out = append(out, f)
	}
	return out
}

// revokedBy returns what clients make of a revocation, by which source reports it.
func revokedBy(r observation.Revocation, now time.Time) clients.Problem {
	switch {
	case r.Source == observation.CRL:
		return clients.Revoked
	case r.Source == observation.OCSP:
		return clients.RevokedOCSP
	case !r.NextUpdate.IsZero() && now.After(r.NextUpdate):
		return clients.RevokedStale
	}
	return clients.RevokedStaple
}

func sourceName(s observation.RevocationSource) string {
	switch s {
	case observation.Staple:
		return "stapled OCSP response"
	case observation.OCSP:
		return "CA's OCSP responder"
	}
	return "CA's revocation list"
}

// sent is the certificate at an index of the served chain; nil where it cannot be parsed.
func (c *connection) sent(index int) *x509.Certificate {
	if index < 0 || index >= len(c.TLS.Chain) {
		return nil
	}
	for _, cert := range c.certs {
		if bytes.Equal(cert.Raw, c.TLS.Chain[index]) {
			return cert
		}
	}
	return nil
}

// rests reports whether the connection's trust rests on a certificate: the leaf, or an issuer that every valid path goes
// through. What is sent beside the path does not matter.
func (c *connection) rests(cert *x509.Certificate) bool {
	if cert == c.leaf() || c.built == nil {
		return cert == c.leaf()
	}
	on := func(path []*x509.Certificate) bool {
		for _, p := range path {
			if bytes.Equal(p.Raw, cert.Raw) {
				return true
			}
		}
		return false
	}
	for _, p := range c.built.Valid {
		if !on(p.Certificates) {
			return false
		}
	}
	return on(c.built.Path.Certificates)
}
