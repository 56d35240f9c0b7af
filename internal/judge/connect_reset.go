package judge

import "certdrift/internal/finding"

func connectReset() rule {
	return rule{
		Entry: Entry{
			Code: finding.ConnectReset, Group: "reach",
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
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectReset)
			if f == nil {
				return nil
			}
			return c.failed(finding.ConnectReset, f, c.name()+" reset the connection "+phaseWords(f.Phase), "Look into the log of the server at "+c.Address.Address+" for the time of the probe, then at firewalls and proxies in between.")
		},
	}
}
