package catalogue

import "certdrift/internal/finding"

// addresses are the entries of the class "one name, many addresses".
func addresses() []Entry {
	return []Entry{
		{
			Code:     finding.AddressInconsistent,
			Severity: "warning; info where no certificate is declared and all of them are good for the same names, as during a rollout, or where an address lacks one certificate of a pair",
			Title:    "Addresses of one hostname serve different certificates",
			Meaning: "The certificate that a client gets depends on the address it happens to pick. Typical causes are an unfinished rollout, " +
				"a node that missed the rollout, or a load balancer's old address that is still in DNS. Problems with an individual certificate " +
				"are reported by their own codes. There is no finding if every certificate is valid, trusted, matches the hostname, and is " +
				"declared or attached, or while a change that an event reported is still settling. The ECDSA and the RSA certificate of a server that has " +
				"both are no inconsistency, whichever of them an address presents first; an address that lacks one of them is named.",
			Check: "for a in $(dig +short HOST A HOST AAAA); do openssl s_client -connect \"[$a]:PORT\" -servername HOST " +
				"</dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -enddate; done",
			Remedy: "Finish the rollout, or remove the outdated address from DNS until it serves the new certificate. If several certificates are intended, declare what they have in common (certificate: {issuer: …}).",
			Source: "certdrift's own rule; RFC 8305 and RFC 6724 (a client may pick any address of a name)",
		},
	}
}
