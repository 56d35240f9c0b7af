package judge

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

// maxNames is how many names a finding lists.
const maxNames = 10

// coveredNames lists what a certificate covers, cleaned and cut.
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

// otherNames tells of alternative names that are there and stand for no host.
func otherNames(cert *x509.Certificate) string {
	for _, e := range cert.Extensions {
		if e.Id.String() == "2.5.29.17" && len(e.Value) > 2 {
			return " that is a DNS name or an IP address"
		}
	}
	return ""
}

// behindHint tells of a certificate further down the chain that is for the name: then the order is wrong.
func (c *connection) behindHint() string {
	for i, cert := range c.certs[1:] {
		if !cert.IsCA && chain.Covers(cert, c.host) {
			return fmt.Sprintf("certificate %d that is sent is for the name; the server's own must come first", i+2)
		}
	}
	return ""
}

// nameHint says what comes close, where something does: why a name that looks right is none.
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
			return "the address stands in it as a DNS name, which no client takes for an IP address"
		case lower == host+".":
			return "the name in it ends in a dot, which clients don't take"
		case lower != host && (bare == host || strings.TrimSpace(lower) == host):
			return fmt.Sprintf("%s is written otherwise than a host name is: without scheme, port and spaces", finding.Quote(name))
		case wildcard && ipErr == nil:
			return "a wildcard stands for no IP address"
		case lower == "*":
			return "a wildcard alone stands for no name"
		case wildcard && (suffix[0] != '.' || strings.Contains(suffix, "*")):
			return fmt.Sprintf("%s: a wildcard must be the whole first label", finding.Quote(name))
		case wildcard && strings.Count(lower, ".") < 2 && suffix == "."+parent:
			return fmt.Sprintf("the wildcard %s stands right under a top-level name, where clients don't take it", finding.Quote(name))
		case wildcard && suffix == "."+host:
			return fmt.Sprintf("the wildcard %s does not cover the name above it", finding.Quote(name))
		case wildcard && suffix != "" && strings.HasSuffix(host, suffix) && !chain.MatchWildcard(lower, host):
			return fmt.Sprintf("the wildcard %s stands for one label only", finding.Quote(name))
		case !wildcard && strings.Contains(lower, "*"):
			return fmt.Sprintf("%s: a wildcard must be the whole first label", finding.Quote(name))
		case lower == "www."+host:
			return "it is for the name with www. alone"
		case "www."+lower == host:
			return "it is for the name without www. alone"
		}
	}
	return ""
}
