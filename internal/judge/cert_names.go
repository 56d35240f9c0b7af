package judge

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

// maxNames is the number of names that a finding lists.
const maxNames = 10

// coveredNames returns the names that a certificate covers, cleaned and truncated.
func coveredNames(cert *x509.Certificate) []string {
	total := len(cert.DNSNames) + len(cert.IPAddresses)
	var out []string
	for _, name := range cert.DNSNames[:min(len(cert.DNSNames), maxNames)] {
		if strings.TrimSpace(name) != name || name == "" {
			out = append(out, finding.Quote(finding.Clean(name, 100)))
			continue
		}
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

// otherNames says if a certificate has alternative names, but none of them is a host.
func otherNames(cert *x509.Certificate) string {
	for _, e := range cert.Extensions {
		if e.Id.String() == "2.5.29.17" && len(e.Value) > 2 {
			return " that is a DNS name or an IP address"
		}
	}
	return ""
}

// behindHint names a certificate further down the chain that matches the host: the order is wrong.
func (c *connection) behindHint() string {
	for i, cert := range c.certs[1:] {
		if !cert.IsCA && chain.Covers(cert, c.host) {
			return fmt.Sprintf("certificate %d in the served chain matches the hostname, but the leaf must come first", i+2)
		}
	}
	return ""
}

// nameHint explains why a name that is close to the host does not match; empty where none is close.
func nameHint(cert *x509.Certificate, host string) string {
	host = chain.CanonicalHost(host)
	_, ipErr := netip.ParseAddr(host)
	_, parent, _ := strings.Cut(host, ".")
	for _, name := range cert.DNSNames {
		lower := strings.ToLower(name)
		bare, _, _ := strings.Cut(strings.TrimPrefix(lower, "https://"), "/")
		bare, _, _ = strings.Cut(bare, ":")
		suffix, wildcard := strings.CutPrefix(lower, "*")
		switch {
		case ipErr == nil && lower == host:
			return "it lists the address as a DNS name, which no client accepts for an IP address"
		case lower == host+".":
			return "its name ends with a dot, which clients don't accept"
		case lower != host && (bare == host || strings.TrimSpace(lower) == host):
			return fmt.Sprintf("%s is not a valid hostname: it must have no scheme, port or spaces", finding.Quote(name))
		case wildcard && ipErr == nil:
			return "a wildcard doesn't match IP addresses"
		case lower == "*":
			return "a wildcard alone matches no name"
		case wildcard && (suffix[0] != '.' || strings.Contains(suffix, "*")):
			return fmt.Sprintf("%s: a wildcard must be the entire leftmost label", finding.Quote(name))
		case wildcard && strings.Count(lower, ".") < 2 && suffix == "."+parent:
			return fmt.Sprintf("the wildcard %s is directly below a top-level domain, where clients don't accept it", finding.Quote(name))
		case wildcard && suffix == "."+host:
			return fmt.Sprintf("the wildcard %s doesn't match its parent domain", finding.Quote(name))
		case wildcard && suffix != "" && strings.HasSuffix(host, suffix) && !chain.MatchWildcard(lower, host):
			return fmt.Sprintf("the wildcard %s matches only one label", finding.Quote(name))
		case !wildcard && strings.Contains(lower, "*"):
			return fmt.Sprintf("%s: a wildcard must be the entire leftmost label", finding.Quote(name))
		case lower == "www."+host:
			return "it covers only the name with www."
		case "www."+lower == host:
			return "it covers only the name without www."
		}
	}
	return ""
}
