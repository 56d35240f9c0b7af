package judge

import "certdrift/internal/finding"

func addressBlocked() rule {
	return rule{
		Entry: Entry{
			Code: finding.AddressBlocked, Group: "reach",
			Severity: "critical",
			Title:    "certdrift refused to dial the address",
			Meaning: "The name resolved to an address that certdrift does not dial on a name's word: loopback, private, " +
				"link-local or metadata, or another special-purpose range. Whoever controls the name's DNS could " +
				"otherwise point certdrift at the inside of your network (DNS rebinding). Public clients can't reach " +
				"such an address in any case.",
			Check: "dig +short HOST A; dig +short HOST AAAA",
			Remedy: "If the record is wrong, mend it. If the endpoint really is internal, say so in the configuration: " +
				"give its address in the URL or in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.AddressBlocked)
			if f == nil {
				return nil
			}
			return c.failed(finding.AddressBlocked, f, hostPort(c.host, c.port)+" resolves to an address that is not dialled on a name's word", "Mend the DNS record, or name the address in connect_to if the endpoint is meant to be internal.")
		},
	}
}
