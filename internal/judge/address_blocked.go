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
			return c.failed(finding.AddressBlocked, f, hostPort(c.host, c.port)+" resolves to an address that certdrift does not connect to", "Fix the DNS record. If the endpoint really is at this address, put the address into connect_to.")
		},
	}
}

// blockedReferences reports addresses that the certificates point to and that the address guard refused: a public
// certificate that points into a private network is worth knowing, but not a problem of the connection.
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
		"the chain of "+c.name()+" points to an address that certdrift does not connect to: "+urls[0],
		finding.Evidence{"urls": urls, "why": why}, // redirects included: the URL itself may look harmless
		"For an internal CA, add its network to networks.allow: until then, what it would have reported stays unknown. Otherwise find out why this certificate points there.")}
}
