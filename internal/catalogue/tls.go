package catalogue

import (
	"certdrift/internal/finding"

	"certdrift/internal/target"
)

// tls are the entries of the class "TLS".
func tls() []Entry {
	return []Entry{
		{
			Code:     finding.TLSHandshake,
			Severity: "critical",
			Title:    "The TLS handshake failed",
			Meaning: "The server sent an alert (named in the evidence), closed the connection, sent no certificate, spoke " +
				"something that is not TLS, or refused STARTTLS or did not offer it. Clients cannot connect. " +
				"`handshake_failure` mostly means no cipher in common, `unrecognized_name` a server that does not " +
				"know the SNI name, `internal_error` often a virtual host without a certificate. Where the alert leaves the " +
				"cause open, certdrift looks again: for a server with nothing above TLS 1.1 and a key too weak for a handshake, " +
				"which are findings of their own, and for a key that few clients know (Ed448, brainpool), which the evidence names.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null    # for STARTTLS add -starttls " +
				target.StartTLSSchemes("|"),
			Remedy: "Compare the server's protocols, ciphers and virtual hosts with what the alert says; see that a " +
				"certificate is configured for the name. For STARTTLS: switch it on at the server, and look for a " +
				"firewall that strips the offer.",
			Source: "RFC 8446 §6 (alerts); RFC 3207, RFC 2595 (STARTTLS); RFC 6066 §3 (SNI)",
		},
		{
			Code:     finding.TLSTimeout,
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
		{
			Code:     finding.TLSPlaintext,
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
		{
			Code:     finding.TLSVersionOld,
			Severity: "critical",
			Title:    "The server offers nothing newer than TLS 1.1",
			Meaning: "Browsers, current libraries and most scrapers refuse TLS 1.0 and 1.1, which are deprecated and rest on " +
				"broken hashes. certdrift still speaks them, so that the certificate is judged all the same where it can be had.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST -tls1_2 </dev/null",
			Remedy: "Enable TLS 1.2 and 1.3. On AWS choose a newer security policy (listener-policy-old names the old one).",
			Source: "RFC 8996 (deprecating TLS 1.0 and 1.1)",
		},
		{
			Code:     finding.TLSClientCertificateRequired,
			Severity: "critical",
			Title:    "The server insists on a client certificate",
			Meaning: "The server ended the connection, or answered with an error, because the client showed no certificate, or " +
				"not one it takes. A server that merely asks for a certificate and serves without one is no fault. On a " +
				"public endpoint mutual TLS mostly was switched on by mistake.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | grep -A5 'Acceptable client certificate'",
			Remedy: "If mutual TLS is meant, give the endpoint a client_certificate in the configuration, one the server's CA " +
				"has signed. If not, switch it off at the server or the listener (`aws elbv2 modify-listener --region REGION --listener-arn ARN --mutual-authentication Mode=off`). " +
				"Where the endpoint's listener is known and asks for client certificates, the evidence names it and its mode: `verify` refuses " +
				"by itself, with `passthrough` the targets behind it do.",
			Source: "RFC 8446 §4.3.2 and §4.4.2.4; nginx ngx_http_ssl_module (495, 496); Application Load Balancers User Guide, “Mutual authentication with TLS”",
		},
	}
}
