package catalogue

import "certdrift/internal/finding"

// addresses are the entries of the class "one name, many addresses".
func addresses() []Entry {
	return []Entry{
		{
			Code:     finding.AddressInconsistent,
			Severity: "warning; info where nothing is declared and all are good for the same names, as in the middle of a rollout",
			Title:    "Addresses of one name serve different certificates",
			Meaning: "Which certificate a client gets depends on the address it happens to pick: a half-finished rollout, a node that " +
				"missed it, a load balancer's old address still in DNS. What is wrong with a certificate itself is told by its own " +
				"rule and address. No finding where every certificate is valid, trusted, for the name, and declared or attached; " +
				"none either while a change that an event told of is settling.",
			Check: "for a in $(dig +short HOST A HOST AAAA); do openssl s_client -connect \"[$a]:PORT\" -servername HOST " +
				"</dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -enddate; done",
			Remedy: "Finish the rollout, or take the address that lags behind out of DNS until it has caught up. If several certificates are meant, declare what they have in common (certificate: {issuer: …}).",
			Source: "certdrift's own rule; RFC 8305 and RFC 6724 (a client may pick any address of a name)",
		},
	}
}
