package judge

import "certdrift/internal/finding"

func tlsPlaintext() rule {
	return rule{
		Entry: Entry{
			Code: finding.TLSPlaintext, Group: "TLS",
			Severity: "critical",
			Title:    "The port speaks plain HTTP where TLS is due",
			Meaning: "The server answered the TLS handshake with plain HTTP, or not at all and then spoke plain HTTP when asked in it. Clients see a protocol error " +
				"(ERR_SSL_PROTOCOL_ERROR, 'wrong version number'). Typical after a Service template lost its " +
				"certificate or its ssl-ports annotation, so that the listener turned from HTTPS to HTTP or TCP.",
			Check: "curl -v http://HOST:PORT/",
			Remedy: "Give the listener its protocol (HTTPS or TLS) and certificate back: on Kubernetes the annotations " +
				"aws-load-balancer-ssl-cert and aws-load-balancer-ssl-ports; in nginx `listen PORT ssl`.",
			Source: "RFC 8446 §5.1 (record layer)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.TLSPlaintext)
			if f == nil {
				return nil
			}
			return c.failed(finding.TLSPlaintext, f, c.name()+" speaks plain HTTP where TLS is due", "Give the listener its TLS protocol and certificate back (on Kubernetes: the annotations aws-load-balancer-ssl-cert and -ssl-ports).")
		},
	}
}
