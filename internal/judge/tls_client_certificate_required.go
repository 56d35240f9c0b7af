package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func tlsClientCertificateRequired() rule {
	return rule{
		Entry: Entry{
			Code: finding.TLSClientCertificateRequired, Group: "TLS",
			Severity: "critical",
			Title:    "The server insists on a client certificate",
			Meaning: "The server ended the connection, or answered with an error, because the client showed no certificate, or " +
				"not one it takes. A server that merely asks for a certificate and serves without one is no fault. On a " +
				"public endpoint mutual TLS mostly was switched on by mistake.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | grep -A5 'Acceptable client certificate'",
			Remedy: "If mutual TLS is meant, give the endpoint a client_certificate in the configuration, one the server's CA " +
				"has signed. If not, switch it off at the server or the listener (`aws elbv2 modify-listener --region REGION --listener-arn ARN --mutual-authentication Mode=off`).",
			Source: "RFC 8446 §4.3.2 and §4.4.2.4; nginx ngx_http_ssl_module (495, 496)",
		},
		connection: judgeClientCertificate,
	}
}

func judgeClientCertificate(c *connection) []finding.Finding {
	const code = finding.TLSClientCertificateRequired
	shown := c.TLS != nil && c.TLS.ClientCertificateSent
	summary := c.name() + " insists on a client certificate, and none is configured"
	remedy := "Configure client_certificate for the endpoint, or switch mutual TLS off if it is not meant."
	if shown {
		summary = c.name() + " refuses the client certificate that is configured"
		remedy = "Renew the endpoint's client_certificate, or have the server trust its issuer."
	}
	if f := c.fails(code); f != nil {
		return c.failed(code, f, summary, remedy)
	}
	if h := c.answer(); h != nil && !expected(c.endpoint.Target.Expect, h.Status) && c.wantsClientCertificate(h) {
		evidence := answerEvidence(h)
		evidence["phase"] = string(observation.PhaseHeaders)
		return []finding.Finding{c.finding(code, finding.Critical, summary, evidence, remedy)}
	}
	return nil
}
