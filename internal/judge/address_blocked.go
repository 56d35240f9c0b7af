package judge

import (
	"slices"

	"certdrift/internal/finding"
)

func addressBlocked() rule {
	return rule{
		Entry: Entry{
			Code: finding.AddressBlocked, Group: "reach",
			Severity: "critical; info where only an address that a certificate points at (CRL, OCSP, AIA) is refused",
			Title:    "certdrift refused to dial the address",
			Meaning: "The name resolved to an address that certdrift does not dial on a name's word: loopback, private, " +
				"link-local or metadata, or another special-purpose range. Whoever controls the name's DNS could " +
				"otherwise point certdrift at the inside of your network (DNS rebinding). Public clients can't reach " +
				"such an address in any case. The same holds for the addresses that a certificate gives for its CRL, its " +
				"OCSP responder and its issuer: what would have been learnt there stays unknown, and nothing turns red for it.",
			Check: "dig +short HOST A; dig +short HOST AAAA",
			Remedy: "If the record is wrong, mend it. If the endpoint really is internal, say so in the configuration: " +
				"give its address in the URL or in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.AddressBlocked)
			if f == nil {
				return blockedReferences(c)
			}
			return c.failed(finding.AddressBlocked, f, hostPort(c.host, c.port)+" resolves to an address that is not dialled on a name's word", "Mend the DNS record, or name the address in connect_to if the endpoint is meant to be internal.")
		},
	}
}

// blockedReferences tells of addresses that the certificates point at and that the guard refused: a certificate from
// outside that points inside is worth knowing, and is no fault of the connection.
func blockedReferences(c *connection) []finding.Finding {
	if c.TLS == nil {
		return nil
	}
	var urls []string
	add := func(blocked bool, url string) {
		if url = finding.Clean(url, finding.QuoteLimit); blocked && !slices.Contains(urls, url) {
			urls = append(urls, url)
		}
	}
	for _, issuer := range c.TLS.Issuers {
		add(issuer.Blocked, issuer.URL)
	}
	for _, r := range c.TLS.Revocation {
		add(r.Blocked, r.URL)
	}
	if len(urls) == 0 {
		return nil
	}
	return []finding.Finding{c.finding(finding.AddressBlocked, finding.Info,
		"the chain of "+c.name()+" points at an address that is not dialled: "+urls[0],
		finding.Evidence{"urls": urls},
		"Nothing need be done for an internal CA: what it would have said stays unknown. Otherwise ask why this certificate points into a private network.")}
}
