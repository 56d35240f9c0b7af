package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func findConstraint(c *connection) []finding.Finding {
	faults := c.faults(chain.NotCA, chain.NoCertSign, chain.PathLength, chain.NameConstraint,
		chain.PolicyConstraint, chain.CriticalExtension)
	if len(c.faults(chain.NameConstraint)) == 0 {
		faults = append(faults, c.disputed(chain.DirectoryNames, chain.DirectoryLimits, chain.DirectoryBarred)...)
	}
	if len(c.faults(chain.PolicyConstraint)) == 0 {
		faults = append(faults, c.disputed(chain.PolicyCritical)...)
	}
	noCA := map[*x509.Certificate]bool{}
	if c.verdict() == chain.Trusted {
		faults = append(faults, c.faults(chain.LeafIsCA)...)
	}
	var out []finding.Finding
	for _, f := range faults {
		cert := f.Certificate
		if f.Kind == chain.NoCertSign && noCA[cert] {
			continue // a certificate that is not a CA naturally lacks keyCertSign
		}
		noCA[cert] = noCA[cert] || f.Kind == chain.NotCA
		e := c.pathEvidence(c.certEvidence(cert))
		e["constraint"] = string(f.Kind)
		if f.Detail != "" {
			e["detail"] = finding.Clean(f.Detail, finding.QuoteLimit)
		}
		switch f.Kind {
		case chain.NameConstraint, chain.DirectoryNames, chain.DirectoryLimits, chain.DirectoryBarred:
			e["permitted"], e["excluded"] = nameConstraints(cert)
		}
		severity, problem := finding.Critical, clients.Constraint
		switch {
		case f.Kind == chain.DirectoryNames:
			severity, problem = finding.Warning, clients.DirectoryNames
		case f.Kind == chain.DirectoryLimits:
			severity, problem = finding.Warning, clients.DirectoryLimits
		case f.Kind == chain.DirectoryBarred:
			severity, problem = finding.Warning, clients.DirectoryBarred
		case f.Kind == chain.NoCertSign:
			problem = clients.ConstraintSign
		case f.Kind == chain.PolicyCritical:
			severity, problem = finding.Warning, clients.PolicyCritical
		case f.Kind == chain.LeafIsCA:
			severity, problem = finding.Warning, clients.LeafIsCA
		case f.Kind == chain.PolicyConstraint:
			problem = clients.PolicyRequired
		case f.Kind == chain.NameConstraint && strings.Contains(f.Detail, "directory name"):
			problem = clients.DirectoryOutside
		}
		out = append(out, refused(problem, c.aboutCert(finding.CertConstraint, severity, cert, constraintSummary(c, f), e,
			c.replace("Have the certificate reissued by a CA that may issue it: "+constraintRemedy(f.Kind)+"."))))
	}
	return out
}

func constraintSummary(c *connection, f chain.Problem) string {
	who, detail := c.which(f.Certificate), finding.Clean(f.Detail, finding.QuoteLimit)
	switch f.Kind {
	case chain.NotCA:
		return who + " is not a CA (basicConstraints) and may not issue certificates"
	case chain.NoCertSign:
		return who + " may not sign certificates (its key usage lacks keyCertSign)"
	case chain.PathLength:
		return fmt.Sprintf("%s has too many CAs below it: %s", who, detail)
	case chain.NameConstraint:
		return fmt.Sprintf("%s may not issue for this name: %s", who, detail)
	case chain.DirectoryNames:
		return who + " constrains directory names in a critical extension, which some clients don't support"
	case chain.DirectoryLimits, chain.DirectoryBarred:
		return who + " constrains directory names, which some clients don't support"
	case chain.PolicyCritical:
		return who + " requires a certificate policy in a critical extension, which some clients don't support"
	case chain.LeafIsCA:
		return who + " is a CA's (basicConstraints CA:TRUE), which some clients reject as a server's own"
	case chain.PolicyConstraint:
		return fmt.Sprintf("%s requires a certificate policy (policyConstraints): %s", who, detail)
	}
	return fmt.Sprintf("%s has a critical extension that clients don't support: %s%s", who, detail, extensionHint(f.Detail))
}

// extensionHint explains the extensions that occur in practice.
func extensionHint(ids string) string {
	switch ids {
	case "1.3.6.1.4.1.11129.2.4.3":
		return " (the CT poison extension: this is a precertificate, which must never be served; RFC 6962 §3.1)"
	case "2.5.29.30":
		return " (name constraints of a type that clients can't check)"
	}
	return ""
}

func constraintRemedy(k chain.Kind) string {
	switch k {
	case chain.NotCA:
		return "the issuer must have basicConstraints CA:TRUE"
	case chain.NoCertSign:
		return "the issuer's key usage must have keyCertSign"
	case chain.PathLength:
		return "with fewer intermediates, or under a CA with a longer path length"
	case chain.DirectoryNames:
		return "one without constraints on directory names, if clients in Go or with rustls matter"
	case chain.DirectoryLimits:
		return "one without constraints on directory names, if clients with rustls matter"
	case chain.DirectoryBarred:
		return "one that excludes no directory names, if Firefox or clients with rustls matter"
	case chain.PolicyCritical:
		return "one without policy constraints, if GnuTLS's clients matter"
	case chain.LeafIsCA:
		return "the server's own certificate with basicConstraints CA:FALSE"
	case chain.NameConstraint:
		return "one whose name constraints permit the name"
	case chain.PolicyConstraint:
		return "with a policy that the CAs above it assert, or under a CA that requires none"
	}
	return "without that extension, or with it marked non-critical"
}

// nameConstraints returns the first few names that a CA may and may not issue for.
func nameConstraints(ca *x509.Certificate) (permitted, excluded []string) {
	may, mayNot := chain.DirectoryConstraints(ca)
	permitted = firstFew(slices.Concat(ca.PermittedDNSDomains, ca.PermittedURIDomains, ca.PermittedEmailAddresses, may))
	excluded = firstFew(slices.Concat(ca.ExcludedDNSDomains, ca.ExcludedURIDomains, ca.ExcludedEmailAddresses, mayNot))
	for _, r := range ca.PermittedIPRanges[:min(len(ca.PermittedIPRanges), maxNames)] {
		permitted = append(permitted, r.String())
	}
	for _, r := range ca.ExcludedIPRanges[:min(len(ca.ExcludedIPRanges), maxNames)] {
		excluded = append(excluded, r.String())
	}
	return permitted, excluded
}

func firstFew(names []string) []string {
	out := topology.CleanAll(names[:min(len(names), maxNames)])
	if more := len(names) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}
