package judge

import (
	"slices"

	"certdrift/internal/finding"
)

func addressBlocked() rule {
	return rule{
		Code: finding.AddressBlocked,
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
