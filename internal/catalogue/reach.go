package catalogue

import "certdrift/internal/finding"

// reach are the entries of the class "reach".
func reach() []Entry {
	return []Entry{
		{
			Code:     finding.DNSFailure,
			Severity: "critical; a warning where some of the addresses could be had all the same",
			Title:    "No address could be had for the name",
			Meaning: "Clients can't find the server. The name does not exist, has no A or AAAA record, or the resolver " +
				"failed, timed out or could not be reached. The last of these may be certdrift's own surroundings: other " +
				"endpoints fail with it then. A redirect to a name without an address counts too; the finding names the hop.",
			Check: "dig +short HOST A; dig +short HOST AAAA; dig +trace HOST",
			Remedy: "Restore the record, or the load balancer that an alias record points at. After a move, look for a " +
				"hosted zone that the registrar does not delegate to. Where the resolver failed, mend that first.",
			Source: "RFC 1035; RFC 2308 (negative answers)",
		},
		{
			Code:     finding.ConnectRefused,
			Severity: "critical; info where only this machine could not send to one of the addresses (no IPv6 route, a local firewall) and others were reached",
			Title:    "Nothing accepts connections at the address",
			Meaning: "The host answered that nothing listens on the port, or the network has no route to it (unreachable " +
				"counts as refused: both end at once, and both are mended in the same places). Clients that get this " +
				"address fail at once.",
			Check: "nc -vz ADDRESS PORT",
			Remedy: "See that the listener exists and its port is the URL's; that targets are registered; that security " +
				"groups, network ACLs and route tables let the probe through. Take an address that is no longer in " +
				"use out of DNS.",
			Source: "RFC 9293 §3.5.2 (reset in answer to SYN); RFC 1122 §3.2.2.1 (destination unreachable)",
		},
		{
			Code:     finding.ConnectTimeout,
			Severity: "critical",
			Title:    "The address does not answer",
			Meaning: "Packets to the address vanish: no connection within the endpoint's timeout, and no refusal either. " +
				"Clients hang until they give up. Mostly a security group or firewall, a host that is down, or an " +
				"address left in DNS.",
			Check: "nc -vz -w 10 ADDRESS PORT; traceroute -T -p PORT ADDRESS",
			Remedy: "Open the port in security group and network ACL, bring the host back, or take the address out of " +
				"DNS. An internal load balancer answers only within its VPC: run certdrift there.",
			Source: "RFC 9293 §3.8.3 (connection time-outs)",
		},
		{
			Code:     finding.ConnectReset,
			Severity: "critical",
			Title:    "The connection was torn down",
			Meaning: "The peer, or something between, reset the connection; the evidence names the phase. During the TLS " +
				"handshake this is often a middlebox that dislikes the SNI name, a full accept queue, or a process " +
				"that crashed; after the request it is the application. An orderly close is not a reset: it is tls- " +
				"handshake or http-invalid.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null; curl -v --resolve " +
				"HOST:PORT:ADDRESS https://HOST/",
			Remedy: "Look into the server's log at the time of the probe, then at firewalls and proxies on the way. In " +
				"the headers phase look at idle time-outs: a target that closes kept connections sooner than its load " +
				"balancer does it now and then.",
			Source: "RFC 9293 §3.5.2",
		},
		{
			Code:     finding.AddressBlocked,
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
	}
}
