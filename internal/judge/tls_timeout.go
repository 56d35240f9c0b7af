package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func tlsTimeout() rule {
	return rule{
		Entry: Entry{
			Code: finding.TLSTimeout, Group: "TLS",
			Severity: "critical",
			Title:    "The TLS handshake did not end in time",
			Meaning: "The connection stood, but the server did not finish the handshake within the endpoint's timeout; " +
				"silence before STARTTLS counts as well. Clients hang. Often an overloaded server, a proxy without a " +
				"backend, or a port that waits for the client to speak another protocol.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null",
			Remedy: "See whether the process behind the port is alive and not starved of CPU, and whether the port speaks " +
				"TLS at all; with STARTTLS, that the greeting comes (a mail server may delay it on purpose).",
			Source: "certdrift's own rule: the endpoint's `timeout`; RFC 8446 §2 (what a handshake takes), RFC 3207 §4 (STARTTLS)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.TLSTimeout)
			if f == nil {
				return nil
			}
			return c.failed(finding.TLSTimeout, f, c.name()+" did not finish "+handshakeWords(f.Phase)+" "+c.patience(f), c.silenceRemedy(f.Phase))
		},
	}
}

func (c *connection) silenceRemedy(p observation.Phase) string {
	if p == observation.PhaseStartTLS {
		return "See whether the server at " + c.Address.Address + " is alive, not overloaded, and speaks " + string(c.kind) +
			" on this port. One that speaks TLS from the first byte (as on 465, 993 and 995) wants a tls URL."
	}
	return "See whether the server at " + c.Address.Address + " is alive, not overloaded, and speaks TLS on this port."
}

func handshakeWords(p observation.Phase) string {
	if p == observation.PhaseStartTLS {
		return "the exchange before STARTTLS"
	}
	return "the TLS handshake"
}
