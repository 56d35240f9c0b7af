package judge

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
)

func findStapleBad(c *connection) []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || c.TLS == nil || c.judgment.policy.Revocation == policy.RevocationOff {
		return nil
	}
	must := mustStaple(leaf)
	i := slices.IndexFunc(c.TLS.Revocation, func(r observation.Revocation) bool { return r.Source == observation.Staple && r.Index == 0 })
	if i < 0 && !must {
		return nil
	}
	severity := finding.Warning
	if must {
		severity = finding.Critical
	}
	e := c.certEvidence(leaf)
	e["must_staple"] = must
	if i < 0 {
		return []finding.Finding{refused(clients.StapleMissing, c.aboutCert(finding.CertStapleBad, severity, leaf,
			fmt.Sprintf("the certificate %s requires a stapled OCSP response (must-staple), and the server sends none", certName(leaf)), e,
			"Enable OCSP stapling on the server, or have the certificate reissued without must-staple."))}
	}
	fault := stapleFault(c, c.TLS.Revocation[i])
	if fault == "" {
		return nil
	}
	r := c.TLS.Revocation[i]
	e["status"] = string(r.Status)
	if r.Detail != "" {
		e["detail"] = finding.Clean(r.Detail, finding.QuoteLimit)
	}
	if !r.ThisUpdate.IsZero() {
		e["this_update"], e["next_update"] = r.ThisUpdate.UTC(), r.NextUpdate.UTC()
	}
	return []finding.Finding{refused(stapleProblem(r, c.judgment.Now, must), c.aboutCert(finding.CertStapleBad, severity, leaf,
		"the stapled OCSP response "+fault, e,
		stapleRemedy(must)))}
}

// stapleRemedy returns the remedy. Clients reject a must-staple certificate without a staple, too.
func stapleRemedy(must bool) string {
	const refresh = "Check whether the server can reach the CA's OCSP responder and refreshes its staple; reload it, or "
	if must {
		return refresh + "have the certificate reissued without must-staple."
	}
	return refresh + "disable stapling."
}

// stapleProblem returns what clients make of a staple that says nothing good.
func stapleProblem(r observation.Revocation, now time.Time, must bool) clients.Problem {
	switch {
	case must:
		return clients.StapleMissing
	case r.Status == observation.NoAnswer:
		return clients.StapleGarbage
	case !r.Signed, !r.NextUpdate.IsZero() && now.After(r.NextUpdate):
		return clients.StapleStale
	case r.ThisUpdate.Sub(now) > clockSkew:
		return clients.StapleFuture
	}
	return clients.StapleUnknown
}

// clockSkew is how far two clocks may differ before a staple counts as not valid yet: OpenSSL's clients and nginx allow
// the same.
const clockSkew = 5 * time.Minute

// stapleFault describes what is wrong with a staple; empty where it is good, or reports "revoked" (a finding of its own).
func stapleFault(c *connection, r observation.Revocation) string {
	now := c.judgment.Now
	switch {
	case !r.Signed && c.issuerUnknown():
		return "" // its signature can't be checked: the missing issuer is a finding of its own
	case r.Status == observation.NoAnswer || !r.Signed:
		why := finding.Clean(r.Detail, 120)
		if why == "" {
			why = "it cannot be parsed, or is not signed by the issuer"
		}
		return "is not usable: " + why
	case r.Status == observation.Revoked:
		return ""
	case !r.NextUpdate.IsZero() && now.After(r.NextUpdate):
		return fmt.Sprintf("is out of date: it was valid until %s, %s ago", prose.Stamp(r.NextUpdate), prose.Span(now.Sub(r.NextUpdate)))
	case r.ThisUpdate.Sub(now) > clockSkew:
		return "is not valid yet: it starts at " + prose.Stamp(r.ThisUpdate)
	case r.Status == observation.Unknown:
		return "reports that the CA does not know the certificate"
	}
	return ""
}

// issuerUnknown reports whether the leaf's issuer is neither sent, fetched nor trusted.
func (c *connection) issuerUnknown() bool {
	return c.built == nil || len(c.built.Path.Certificates) == 1
}

// mustStaple reports whether the TLS feature extension requires status_request (RFC 7633 §4.2.3; 17 is its older
// version 2).
func mustStaple(cert *x509.Certificate) bool {
	id := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(id) {
			continue
		}
		var features []int
		if _, err := asn1.Unmarshal(ext.Value, &features); err == nil {
			return slices.Contains(features, 5) || slices.Contains(features, 17)
		}
	}
	return false
}
