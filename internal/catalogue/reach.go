package catalogue

import "certdrift/internal/finding"

// reach are the entries of the class "reach".
func reach() []Entry {
	return []Entry{
		{
			Code:     finding.DNSFailure,
			Severity: "critical; a warning where some of the addresses were resolved anyway, info where the resolver failed for one address family only",
			Title:    "The hostname could not be resolved",
			Meaning: "Clients can't find the server. The name does not exist, has no A or AAAA record, or the resolver " +
				"failed, timed out or could not be reached. A resolver failure may be limited to certdrift's own network; other " +
				"endpoints then fail as well. A redirect to a name that can't be resolved counts too; the finding names the hop.",
			Check: "dig +short HOST A; dig +short HOST AAAA; dig +trace HOST",
			Remedy: "Restore the record, or the load balancer that an alias record points to. After a migration, check whether the " +
				"registrar delegates to the right hosted zone. If the resolver failed, fix the resolver first.",
			Source: "RFC 1035; RFC 2308 (negative answers)",
		},
		{
			Code:     finding.ConnectRefused,
			Severity: "critical; info where only this machine could not send to one of the addresses (no IPv6 route, a local firewall) and others were reached",
			Title:    "The address does not accept connections",
			Meaning: "The host replied that nothing listens on the port, or the network has no route to it. (Unreachable " +
				"counts as refused: both fail immediately and are fixed in the same places.) Clients that pick this " +
				"address fail immediately.",
			Check: "nc -vz ADDRESS PORT",
			Remedy: "Check that the listener exists on the URL's port, that targets are registered, and that security " +
				"groups, network ACLs and route tables allow the probe. Remove an address that is no longer in " +
				"use from DNS.",
			Source: "RFC 9293 §3.5.2 (reset in answer to SYN); RFC 1122 §3.2.2.1 (destination unreachable)",
		},
		{
			Code:     finding.ConnectTimeout,
			Severity: "critical",
			Title:    "The connection timed out",
			Meaning: "Packets to the address are dropped: the connection was neither accepted nor refused within the endpoint's timeout. " +
				"Clients hang until they time out. Typical causes are a security group or firewall, a host that is down, or a stale " +
				"address in DNS.",
			Check: "nc -vz -w 10 ADDRESS PORT; traceroute -T -p PORT ADDRESS",
			Remedy: "Open the port in the security group and the network ACL, bring the host back up, or remove the address from " +
				"DNS. An internal load balancer answers only within its VPC: run certdrift there.",
			Source: "RFC 9293 §3.8.3 (connection timeouts)",
		},
		{
			Code:     finding.ConnectReset,
			Severity: "critical",
			Title:    "The connection was reset",
			Meaning: "The peer, or a device in between, reset the connection; the evidence names the phase. A reset during the TLS " +
				"handshake often comes from a middlebox that blocks the SNI name, a full accept queue, or a process " +
				"that crashed; a reset after the request comes from the application. An orderly close is not a reset and is reported as " +
				"tls-handshake or http-invalid. A server that expects a header of the PROXY protocol resets or closes connections without one: certdrift " +
				"connects again behind one, and the finding names it (AWS: proxy_protocol_v2.enabled of an NLB's target group, a classic load balancer's ProxyProtocol policy).",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null; curl -v --resolve " +
				"HOST:PORT:ADDRESS https://HOST/",
			Remedy: "Check the server's log at the time of the probe, then the firewalls and proxies on the path. If the reset came in " +
				"the headers phase, check idle timeouts: a target that closes idle connections sooner than its load " +
				"balancer causes occasional resets.",
			Source: "RFC 9293 §3.5.2",
		},
		{
			Code:     finding.AddressBlocked,
			Severity: "critical; info where only an address that a certificate points to (CRL, OCSP, AIA) is refused",
			Title:    "certdrift refused to connect to the address",
			Meaning: "The hostname resolved to an address that DNS must not lead to: loopback, link-local (where " +
				"clouds serve instance metadata and credentials), multicast, broadcast or unspecified. Otherwise, whoever controls the " +
				"name's DNS could make certdrift send requests there. An endpoint's own hostname may resolve to a " +
				"private network, where internal load balancers are. The addresses that a certificate names for its " +
				"CRL, OCSP responder and issuer may do so only if the endpoint itself has private addresses and no others, or if the " +
				"network is in `networks.allow`. What a blocked CRL, OCSP or AIA request would have shown stays unknown and does not " +
				"raise the severity. A function never connects to its own Lambda Runtime API, whatever the configuration says.",
			Check: "dig +short HOST A; dig +short HOST AAAA",
			Remedy: "If the record is wrong, fix it. If the endpoint really is at this address, declare it in the configuration: " +
				"put the address into the URL or into connect_to. For an internal CA's CRL, OCSP responder or issuer, add its network " +
				"to networks.allow.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
	}
}
