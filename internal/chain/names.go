package chain

import (
	"crypto/x509"
	"net/netip"
	"strings"
)

// Covers reports whether a certificate is for a host, as clients compare names (RFC 9525 §6): subject alternative names
// only, an IP address by an IP name only, ignoring case, a wildcard for exactly one whole first label. A wildcard directly
// under a top-level domain ("*.com", "*.local") does not match: OpenSSL, curl and browsers reject it.
func Covers(cert *x509.Certificate, host string) bool {
	host = CanonicalHost(host)
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
		if wildcard && strings.Count(name, ".") >= 2 && MatchWildcard(name, host) {
			return true
		}
	}
	return false
}

// MatchWildcard reports whether a pattern that begins with "*" matches a host, by its labels only.
func MatchWildcard(pattern, host string) bool {
	suffix, ok := strings.CutPrefix(pattern, "*")
	first, rest, found := strings.Cut(host, ".")
	return ok && found && first != "" && strings.EqualFold(suffix, "."+rest)
}

// CanonicalHost returns a host as written in certificates: no brackets, zone or trailing dot, lower case.
func CanonicalHost(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.WithZone("").Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
