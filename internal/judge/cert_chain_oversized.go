package judge

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// oversized is the size in bytes above which a chain is too large: OpenSSL's default limit (SSL_CTX_set_max_cert_list).
const oversized = 100 << 10

func findChainOversized(c *connection) []finding.Finding {
	remedy := c.chainRemedy("Send only the leaf and its intermediates: remove the rest from the chain file.")
	if c.Failure != nil && c.Failure.Kind == observation.ChainOversized {
		return []finding.Finding{c.finding(finding.CertChainOversized, finding.Critical,
			"the handshake fails: the server sends a larger chain than clients accept",
			finding.Evidence{"detail": finding.Clean(c.Failure.Detail, finding.QuoteLimit)}, remedy)}
	}
	if c.TLS == nil {
		return nil
	}
	size := 0
	for _, der := range c.TLS.Chain {
		size += len(der) + 3 // each with its length, RFC 5246 §7.4.2
	}
	if size <= oversized {
		return nil
	}
	return []finding.Finding{c.finding(finding.CertChainOversized, finding.Warning,
		fmt.Sprintf("the chain is %d KiB in size (%d certificates): clients based on OpenSSL stop reading at 100 KiB", size>>10, len(c.TLS.Chain)),
		finding.Evidence{"bytes": size, "certificates": len(c.TLS.Chain)}, remedy)}
}
