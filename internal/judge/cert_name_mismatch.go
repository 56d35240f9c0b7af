package judge

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func findNameMismatch(c *connection) []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || chain.Covers(leaf, c.host) {
		return nil
	}
	e := c.certEvidence(leaf)
	e["host"] = finding.Clean(c.host, finding.QuoteLimit)
	e["names_in_all"] = len(leaf.DNSNames) + len(leaf.IPAddresses)
	names := coveredNames(leaf)
	covers := "it covers " + strings.Join(names, ", ")
	if len(names) == 0 {
		covers = "it has no subject alternative name" + otherNames(leaf)
		if leaf.Subject.CommonName != "" {
			covers += ", and browsers, Go and phones ignore its common name " + certName(leaf)
		}
	}
	if hint := cmp.Or(nameHint(leaf, c.host), c.behindHint()); hint != "" {
		e["hint"] = hint
		covers += " (" + hint + ")"
	}
	f := refused(mismatch(leaf, c.host), c.aboutCert(finding.CertNameMismatch, finding.Critical, leaf,
		fmt.Sprintf("the certificate doesn't match %s: %s", finding.Clean(c.host, finding.QuoteLimit), covers), e,
		c.replace(fmt.Sprintf("Serve a certificate whose subject alternative names cover %s.", finding.Clean(c.host, finding.QuoteLimit)))))
	f.Cause = "host:" + finding.Clean(chain.CanonicalHost(c.host), finding.QuoteLimit)
	return []finding.Finding{f}
}

// mismatch returns in which way a certificate is for another name: some clients accept a common name, or wildcards in odd places.
func mismatch(leaf *x509.Certificate, host string) clients.Problem {
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 && strings.EqualFold(leaf.Subject.CommonName, chain.CanonicalHost(host)) {
		return clients.NameCommon
	}
	if slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return strings.EqualFold(name, chain.CanonicalHost(host)+".") }) {
		return clients.NameDot
	}
	labels := strings.Split(chain.CanonicalHost(host), ".")
	for _, name := range leaf.DNSNames {
		parts := strings.Split(strings.ToLower(name), ".")
		if len(parts) != len(labels) || strings.Count(name, "*") != 1 || !fits(parts, labels) {
			continue
		}
		switch star := slices.IndexFunc(parts, func(part string) bool { return strings.Contains(part, "*") }); {
		case parts[star] != "*":
			return clients.NamePartialStar
		case star > 0:
			return clients.NameInnerStar
		default:
			return clients.NameTopWildcard
		}
	}
	return clients.NameMismatch
}

// fits reports whether a name fits, if a star stands for any text within its label.
func fits(parts, labels []string) bool {
	for i, part := range parts {
		before, after, star := strings.Cut(part, "*")
		if part != labels[i] && !(star && len(labels[i]) > len(before)+len(after) && strings.HasPrefix(labels[i], before) && strings.HasSuffix(labels[i], after)) {
			return false
		}
	}
	return true
}
