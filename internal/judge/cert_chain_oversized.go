package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// oversized is the size in bytes above which most clients refuse a chain: OpenSSL's default limit (SSL_CTX_set_max_cert_list), which
// BoringSSL, Python and Node share.
const oversized = 100 << 10

// chainLimit is what clients accept of a chain at most: certificates (0: any number) and bytes.
type chainLimit struct {
	clients             string
	certificates, bytes int
}

// chainLimits are measured, strictest first.
func chainLimits() []chainLimit {
	return []chainLimit{
		{"Java", 10, 32 << 10},
		{"rustls", 0, 64 << 10},
		{"OpenSSL, curl, Python, Node and Chromium", 0, oversized},
		{"GnuTLS", 16, 128 << 10},
		{"Firefox (NSS)", 0, 128 << 10},
		{"Go", 0, 256 << 10},
	}
}

func findChainOversized(c *connection) []finding.Finding {
	remedy := c.chainRemedy("Send only the leaf and its intermediates: remove the rest from the chain file.")
	if c.TLS != nil && len(c.TLS.Chain) > 0 && len(c.TLS.Chain[0]) > chainLimits()[0].bytes {
		remedy = c.replace("The certificate alone is too large: have it issued for fewer names, or spread the names over several certificates.")
	}
	if c.Failure != nil && c.Failure.Kind == observation.ChainOversized {
		return []finding.Finding{c.finding(finding.CertChainOversized, finding.Critical,
			"the handshake fails: the server sends a larger chain than clients accept",
			finding.Evidence{"detail": finding.Clean(c.Failure.Detail, finding.QuoteLimit)}, remedy)}
	}
	if c.TLS == nil {
		return nil
	}
	count, size := len(c.TLS.Chain), 0
	for _, der := range c.TLS.Chain {
		size += len(der) + 3 // each with its length, RFC 5246 §7.4.2
	}
	var refusing []string
	for _, l := range chainLimits() {
		if size > l.bytes || l.certificates > 0 && count > l.certificates {
			refusing = append(refusing, l.clients)
		}
	}
	if len(refusing) == 0 {
		return nil
	}
	severity := finding.Warning
	if size > oversized {
		severity = finding.Critical
	}
	return []finding.Finding{c.finding(finding.CertChainOversized, severity,
		fmt.Sprintf("the chain is %d KiB in size (%d certificates), more than these clients accept: %s", size>>10, count, strings.Join(refusing, "; ")),
		finding.Evidence{"bytes": size, "certificates": count, "refused_by": refusing}, remedy)}
}
