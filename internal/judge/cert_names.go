package judge

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"certdrift/internal/finding"
)

// coversHost tells whether a certificate is for a host, as clients compare names (RFC 9525 §6): subject alternative
// names only, an IP address by an IP name only, case aside, a wildcard for exactly one whole first label. A wildcard
// right under a top-level name ("*.com", "*.local") counts for nothing: OpenSSL, curl and browsers don't take it.
func coversHost(cert *x509.Certificate, host string) bool {
	host = canonicalHost(host)
	if host == "" || cert.VerifyHostname(host) != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, name := range cert.DNSNames {
		wildcard := strings.HasPrefix(name, "*")
		if !wildcard && strings.EqualFold(name, host) {
			return true
		}
		if wildcard && strings.Count(name, ".") >= 2 && matchWildcard(name, host) {
			return true
		}
	}
	return false
}

func matchWildcard(pattern, host string) bool {
	suffix, ok := strings.CutPrefix(pattern, "*")
	first, rest, found := strings.Cut(host, ".")
	return ok && found && first != "" && strings.EqualFold(suffix, "."+rest)
}

// canonicalHost is the name as certificates write it: no brackets, zone or trailing dot, lower case.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.WithZone("").Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// maxNames is how many names a finding lists.
const maxNames = 10

// coveredNames lists what a certificate covers, cleaned and cut.
func coveredNames(cert *x509.Certificate) []string {
	total := len(cert.DNSNames) + len(cert.IPAddresses)
	var out []string
	for _, name := range cert.DNSNames[:min(len(cert.DNSNames), maxNames)] {
		out = append(out, finding.Clean(name, 100))
	}
	for _, ip := range cert.IPAddresses[:min(len(cert.IPAddresses), maxNames-len(out))] {
		out = append(out, ip.String())
	}
	if more := total - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// nameHint says what comes close, where something does: why a name that looks right is none.
func nameHint(cert *x509.Certificate, host string) string {
	host = canonicalHost(host)
	_, ipErr := netip.ParseAddr(host)
	_, parent, _ := strings.Cut(host, ".")
	for _, name := range cert.DNSNames {
		lower := strings.ToLower(name)
		suffix, wildcard := strings.CutPrefix(lower, "*")
		switch {
		case ipErr == nil && lower == host:
			return "the address stands in it as a DNS name, which no client takes for an IP address"
		case lower == host+".":
			return "the name in it ends in a dot, which clients don't take"
		case wildcard && strings.Count(lower, ".") < 2 && suffix == "."+parent:
			return fmt.Sprintf("the wildcard %s stands right under a top-level name, where clients don't take it", finding.Quote(name))
		case wildcard && suffix == "."+host:
			return fmt.Sprintf("the wildcard %s does not cover the name above it", finding.Quote(name))
		case wildcard && suffix != "" && strings.HasSuffix(host, suffix) && !matchWildcard(lower, host):
			return fmt.Sprintf("the wildcard %s stands for one label only", finding.Quote(name))
		case !wildcard && strings.Contains(lower, "*"):
			return fmt.Sprintf("%s: a wildcard must be the whole first label", finding.Quote(name))
		case lower == "www."+host || "www."+lower == host:
			return fmt.Sprintf("it covers %s", finding.Quote(name))
		}
	}
	return ""
}
