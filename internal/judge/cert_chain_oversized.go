package judge

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// oversized is from how many bytes on a chain is too large: OpenSSL's default bound (SSL_CTX_set_max_cert_list).
const oversized = 100 << 10

func certChainOversized() rule {
	return rule{Entry: Entry{
		Code: finding.CertChainOversized, Group: groupCertificate,
		Severity: "warning above 100 KiB; critical where the handshake fails on it",
		Title:    "The chain is larger than clients take",
		Meaning: "The certificates that the server sends come to more than 100 KiB, where OpenSSL's clients stop reading, or to more than " +
			"256 KiB, where Go's do. It mostly means that a whole bundle of roots was appended to the certificate. The number of certificates does not matter.",
		Check:  "openssl s_client -connect HOST:PORT -servername HOST -showcerts </dev/null | grep -c BEGIN",
		Remedy: "Send the leaf and its intermediates only: two or three certificates. Remove the rest from the server's chain file.",
		Source: "RFC 8446 §4.4.2; SSL_CTX_set_max_cert_list(3)",
	}, connection: findChainOversized}
}

func findChainOversized(c *connection) []finding.Finding {
	remedy := c.mend("Send the leaf and its intermediates only: remove the rest from the chain file.")
	if c.Failure != nil && c.Failure.Kind == observation.ChainOversized {
		return []finding.Finding{c.finding(finding.CertChainOversized, finding.Critical,
			"the handshake fails: the server sends more certificates than a client takes",
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
		fmt.Sprintf("the chain is %d KiB large (%d certificates): clients built on OpenSSL stop at 100 KiB", size>>10, len(c.TLS.Chain)),
		finding.Evidence{"bytes": size, "certificates": len(c.TLS.Chain)}, remedy)}
}
