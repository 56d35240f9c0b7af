package judge

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func tlsHandshake() rule {
	return rule{
		Entry: Entry{
			Code: finding.TLSHandshake, Group: "TLS",
			Severity: "critical",
			Title:    "The TLS handshake failed",
			Meaning: "The server sent an alert (named in the evidence), closed the connection, sent no certificate, spoke " +
				"something that is not TLS, or refused STARTTLS or did not offer it. Clients cannot connect. " +
				"`handshake_failure` mostly means no cipher in common, `unrecognized_name` a server that does not " +
				"know the SNI name, `internal_error` often a virtual host without a certificate. Where the alert leaves the " +
				"cause open, certdrift looks again: for a server with nothing above TLS 1.1 and a key too weak for a handshake, " +
				"which are findings of their own, and for a key that few clients know (Ed448, brainpool), which the evidence names.",
			Check: "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null    # for STARTTLS add -starttls " +
				"smtp|imap|pop3|postgres",
			Remedy: "Compare the server's protocols, ciphers and virtual hosts with what the alert says; see that a " +
				"certificate is configured for the name. For STARTTLS: switch it on at the server, and look for a " +
				"firewall that strips the offer.",
			Source: "RFC 8446 §6 (alerts); RFC 3207, RFC 2595 (STARTTLS); RFC 6066 §3 (SNI)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.TLSHandshake)
			if f == nil {
				return nil
			}
			return c.failed(finding.TLSHandshake, f, c.name()+" "+handshakeFault(f, string(c.kind)), c.handshakeRemedy(f))
		},
	}
}

func handshakeFault(f *observation.Failure, kind string) string {
	switch f.Kind {
	case observation.Alert:
		return "ended the TLS handshake with the alert " + finding.Quote(f.Alert)
	case observation.Closed:
		return "closed the connection " + phaseWords(f.Phase)
	case observation.NoCertificate:
		return "sent no certificate"
	case observation.NotTLS:
		return "answered with something that is not TLS"
	case observation.StartTLSRefused:
		if said := strings.TrimPrefix(f.Detail, "STARTTLS refused: "); said != "" {
			return "gives no STARTTLS (" + kind + "): " + finding.Clean(said, 120)
		}
		return "does not offer STARTTLS, or refused it (" + kind + ")"
	}
	return "failed " + phaseWords(f.Phase)
}

func (c *connection) handshakeRemedy(f *observation.Failure) string {
	switch f.Kind {
	case observation.StartTLSRefused:
		return "Go by the server's own answer: where it turns the client away (too busy, no service, an access rule), mend that; else switch STARTTLS on at the server, and look for a firewall or proxy that strips the offer."
	case observation.NoCertificate:
		return "Configure a certificate for the name at the server."
	case observation.NotTLS:
		return "See which process listens on the port, and that it speaks TLS from the first byte."
	}
	if f.Alert == "unrecognized_name" {
		return "Give the server a virtual host and a certificate for the name; it does not know it."
	}
	command := "openssl s_client" + c.startTLSFlag() + " -connect " + shell(c.Address.Address) + " -servername " + shell(c.host)
	if f.Kind == observation.Closed {
		return "See whether the process behind the port runs (a proxy without a backend closes like this), then compare the server's protocols, ciphers and virtual hosts: " + command
	}
	return "Compare the server's protocols, ciphers and virtual hosts with the evidence: " + command
}

// startTLSFlag is what has openssl s_client ask for TLS as the probe did.
func (c *connection) startTLSFlag() string {
	if c.kind.StartTLS() {
		return " -starttls " + string(c.kind)
	}
	return ""
}
