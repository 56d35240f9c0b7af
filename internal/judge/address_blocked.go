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
			Meaning: "The name resolved to an address that nothing which is meant to be probed lives at: link-local, where " +
				"clouds keep their metadata and credentials, multicast, broadcast or unspecified. Whoever controls the " +
				"name's DNS could otherwise have certdrift ask there. An endpoint's own name may lead to loopback or a " +
				"private network, where internal load balancers live; the addresses that a certificate gives for its " +
				"CRL, its OCSP responder and its issuer may lead there only if the endpoint itself does. What would have " +
				"been learnt at a refused one stays unknown, and nothing turns red for it.",
			Check: "dig +short HOST A; dig +short HOST AAAA",
			Remedy: "If the record is wrong, mend it. If the endpoint really is there, say so in the configuration: " +
				"give its address in the URL or in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.AddressBlocked)
			if f == nil {
				return blockedReferences(c)
			}
			return c.failed(finding.AddressBlocked, f, hostPort(c.host, c.port)+" resolves to an address that is not dialled on a name's word", "Mend the DNS record, or name the address in connect_to if the endpoint is meant to be there.")
		},
	}
}

// blockedReferences tells of addresses that the certificates point at and that the guard refused: a certificate from
// outside that points inside is worth knowing, and is no fault of the connection.
func blockedReferences(c *connection) []finding.Finding {
	if c.TLS == nil {
		return nil
	}
	var urls, why []string
	add := func(blocked bool, url, detail string) {
		if url = finding.Clean(url, finding.QuoteLimit); blocked && !slices.Contains(urls, url) {
			urls, why = append(urls, url), append(why, finding.Clean(detail, finding.QuoteLimit))
		}
	}
	for _, issuer := range c.TLS.Issuers {
		add(issuer.Blocked, issuer.URL, issuer.Failure)
	}
	for _, r := range c.TLS.Revocation {
		add(r.Blocked, r.URL, r.Detail)
	}
	if len(urls) == 0 {
		return nil
	}
	return []finding.Finding{c.finding(finding.AddressBlocked, finding.Info,
		"the chain of "+c.name()+" points at an address that is not dialled: "+urls[0],
		finding.Evidence{"urls": urls, "why": why}, // of a redirect, too: then the URL itself looks harmless
		"Nothing need be done for an internal CA: what it would have said stays unknown. Otherwise ask why this certificate points there.")}
}
