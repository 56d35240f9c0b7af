package judge

import (
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// oversized is the size in bytes above which most clients refuse a chain: OpenSSL's default limit (SSL_CTX_set_max_cert_list), which
// BoringSSL, Python and Node share.
const oversized = 100 << 10

func findChainOversized(c *connection) []finding.Finding {
	if c.Failure != nil && c.Failure.Kind == observation.ChainOversized {
		f := c.finding(finding.CertChainOversized, finding.Critical,
			"the handshake fails: the server sends a larger chain than clients accept",
			finding.Evidence{"detail": finding.Clean(c.Failure.Detail, finding.QuoteLimit)}, c.sizeRemedy())
		f.Clients = clients.OfChain(clients.Chain{Bytes: clients.LargestChain + 1})
		return []finding.Finding{f}
	}
	if c.TLS == nil || len(c.TLS.Chain) == 0 {
		return nil
	}
	count, size := len(c.TLS.Chain), 0
	for _, der := range c.TLS.Chain {
		size += len(der) + 3 // each with its length, RFC 5246 §7.4.2
	}
	shape := clients.Chain{Certificates: count, Bytes: size, Leaf: len(c.TLS.Chain[0]), Intermediates: c.intermediates()}
	if clients.AllTake(shape) {
		return nil
	}
	severity := finding.Warning
	if size > oversized {
		severity = finding.Critical
	}
	what := fmt.Sprintf("the chain is %d KiB in size (%d certificates), more than some clients accept", size>>10, count)
	e, remedy := finding.Evidence{"bytes": size, "certificates": count}, c.sizeRemedy
	if flat := (clients.Chain{Certificates: count, Bytes: size}); clients.AllTake(flat) { // its depth alone is what is refused
		what = fmt.Sprintf("the path to the root has %d intermediates, more than some clients accept", shape.Intermediates)
		remedy = c.depthRemedy
	}
	e["intermediates"] = shape.Intermediates
	f := c.finding(finding.CertChainOversized, severity, what, e, remedy())
	f.Clients = clients.OfChain(shape)
	return []finding.Finding{f}
}

func (c *connection) sizeRemedy() string {
	if c.TLS != nil && len(c.TLS.Chain) > 0 && len(c.TLS.Chain[0]) > clients.StrictestChain {
		return c.replace("The certificate alone is too large: have it issued for fewer names, or spread the names over several certificates.")
	}
	return c.chainRemedy("Send only the leaf and its intermediates: remove the rest from the chain file.")
}

// intermediates returns how many intermediates the path has that clients find.
func (c *connection) intermediates() int {
	if c.built == nil || c.verdict() != chain.Trusted {
		return 0
	}
	return max(0, len(c.built.Path.Certificates)-2)
}

func (c *connection) depthRemedy() string {
	return c.replace("Have the certificate issued by a CA that is closer to its root.")
}
