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
			Meaning: "The server sent an alert (named in the evidence), closed the connection, sent no certificate, replied with " +
				"something other than TLS, or refused STARTTLS or did not offer it. Clients cannot connect. " +
				"A server that speaks another protocol than the URL says is named with the scheme to use (so it is for tls-timeout, connect-reset and " +
				"http-invalid), and what a server says in plaintext after it agreed to STARTTLS is quoted. Text between the agreement and the handshake may be " +
				"injected: it is named, and never taken for something that was sent in TLS. " +
				"`handshake_failure` usually means that there is no common cipher, `unrecognized_name` that the server does not " +
				"know the SNI name, and `internal_error` often that a virtual host has no certificate. A server that signs with a key other than its " +
				"certificate's is named so, for each certificate if it has an RSA and an ECDSA one. If the alert does not reveal the " +
				"cause, certdrift probes again to detect a server that supports nothing newer than TLS 1.1 or a key too weak for a handshake, " +
				"which have codes of their own, and a key type or cipher suite that only some clients support (RSASSA-PSS, Ed448, brainpool; DHE, CCM, Camellia), which the " +
				"finding names with the clients that reject it: for these, the check below succeeds and the one in the finding fails.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null    # for STARTTLS add -starttls " +
				target.StartTLSSchemes("|"),
			Remedy: "Compare the server's protocols, ciphers and virtual hosts with the alert, and check that a " +
				"certificate is configured for the hostname. For STARTTLS: enable it on the server, and check for a " +
				"firewall that strips the offer.",
			Source: "RFC 8446 §6 (alerts); RFC 3207, RFC 2595, RFC 4511, RFC 4217, RFC 6120, RFC 4642 and RFC 5804 (STARTTLS); RFC 6066 §3 (SNI)",
		},
		{
			Code:     finding.TLSTimeout,
			Severity: "critical",
			Title:    "The TLS handshake timed out",
			Meaning: "The connection was established, but the server did not complete the handshake within the endpoint's timeout; " +
				"no response before STARTTLS counts as well. Clients hang. Typical causes are an overloaded server, a proxy without a " +
				"backend, or a port that expects the client to speak another protocol. A firewall or proxy that loses ClientHellos larger " +
				"than a TCP segment (post-quantum key exchange) is recognized and named; it may also reset (connect-reset) or close.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null",
			Remedy: "Check that the process behind the port is running and has enough CPU, and that the port speaks " +
				"TLS at all. For STARTTLS, check that the server sends its greeting (a mail server may delay it on purpose).",
			Source: "certdrift's own rule: the endpoint's `timeout`; RFC 8446 §2 (what a handshake takes), RFC 3207 §4 (STARTTLS)",
		},
		{
			Code:     finding.TLSPlaintext,
			Severity: "critical",
			Title:    "The port speaks plain HTTP instead of TLS",
			Meaning: "The server answered the TLS handshake with plain HTTP, or did not answer it but served a plain HTTP request. (An answer that asks for TLS, such as " +
				"nginx's \"The plain HTTP request was sent to HTTPS port\", proves the opposite, and a server that hangs in the handshake and answers " +
				"plain HTTP with an error is tls-timeout.) Clients see a protocol error " +
				"(ERR_SSL_PROTOCOL_ERROR, 'wrong version number'). This is typical after a Service manifest lost its " +
				"certificate or its ssl-ports annotation, which changed the listener from HTTPS to HTTP or TCP. It also happens if what forwards the connection puts a header of the PROXY protocol in " +
				"front of the handshake and the TLS server behind it does not expect one: the finding says so where the server asks for TLS, and as a " +
				"possibility where it answers everything with status 400.",
			Check: "curl -v http://HOST:PORT/",
			Remedy: "Restore the listener's protocol (HTTPS or TLS) and certificate: on Kubernetes with the annotations " +
				"aws-load-balancer-ssl-cert and aws-load-balancer-ssl-ports, in nginx with `listen PORT ssl`.",
			Source: "RFC 8446 §5.1 (record layer)",
		},
		{
			Code:     finding.TLSVersionOld,
			Severity: "critical",
			Title:    "The server supports nothing newer than TLS 1.1",
			Meaning: "Browsers, current libraries and most scrapers reject TLS 1.0 and 1.1, which are deprecated and depend on " +
				"broken hash functions. certdrift still supports them, so it checks the certificate anyway if the server sends one.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST -tls1_2 </dev/null",
			Remedy: "Enable TLS 1.2 and 1.3. On AWS, choose a newer security policy (listener-policy-old names the old one).",
			Source: "RFC 8996 (deprecating TLS 1.0 and 1.1)",
		},
		{
			Code: finding.TLSCipherWeak,
			Severity: "critical for 3DES, RC4 and CBC with SHA-256, which most clients reject; warning for RSA key exchange, for ECDHE with CBC and SHA-1, " +
				"and for P-521 as the only group",
			Title: "The server offers only cipher suites or groups that clients reject",
			Meaning: "certdrift's first handshake offers what every current client offers: TLS 1.3, or ECDHE with AES-GCM or ChaCha20, on X25519, " +
				"P-256 and P-384. The server rejected that and accepted a wider offer; the finding names the best that it has, and the clients " +
				"that reject it. RSA key exchange: Go, Python since 3.10 and rustls. ECDHE with CBC and SHA-1: Python since 3.10 and rustls. P-521 " +
				"alone: Chromium and rustls. 3DES and RC4: nearly all. A server that has something better beside these is not reported, " +
				"whatever it prefers. The certificate and the response are checked with the wider offer. With TLS 1.1 and older, tls-version-old " +
				"says enough.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST -cipher ECDHE+AESGCM:ECDHE+CHACHA20 -groups X25519:P-256:P-384 </dev/null    # fails",
			Remedy: "Enable TLS 1.3 and, for TLS 1.2, ECDHE with AES-GCM or ChaCha20 (Mozilla's “intermediate” configuration). On AWS, choose a " +
				"newer security policy.",
			Source: "RFC 9325 §4.2 (cipher suites), RFC 7465 (RC4), RFC 8446 §4.2.7 (groups); the default settings of the clients",
		},
		{
			Code:     finding.TLSClientCertificateRequired,
			Severity: "critical",
			Title:    "The server requires a client certificate",
			Meaning: "The server closed the connection, or answered with an error, because the client sent no certificate, or " +
				"one that the server does not accept. A server that requests a certificate but also serves clients without one is not a problem. On a " +
				"public endpoint, mutual TLS was usually enabled by mistake.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | grep -A5 'Acceptable client certificate'",
			Remedy: "If mutual TLS is intended, configure a client_certificate for the endpoint, signed by a CA that the server " +
				"accepts. If not, disable it on the server or the listener (`aws elbv2 modify-listener --region REGION --listener-arn ARN --mutual-authentication Mode=off`). " +
				"If the endpoint's listener is known and requests client certificates, the evidence names it and its mode: with `verify` the listener rejects " +
				"clients itself, with `passthrough` the targets behind it do.",
			Source: "RFC 8446 §4.3.2 and §4.4.2.4; nginx ngx_http_ssl_module (495, 496); Application Load Balancers User Guide, “Mutual authentication with TLS”",
		},
	}
}
