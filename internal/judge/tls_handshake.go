package judge

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func tlsHandshake() rule {
	return rule{
		Code: finding.TLSHandshake,
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
	if foreignKey(f) {
		return "signed the TLS handshake with a key that does not belong to the certificate it sends first"
	}
	return "failed " + phaseWords(f.Phase)
}

// foreignKey reports whether certificate and key of the server are no pair (RFC 8446 §4.4.3).
func foreignKey(f *observation.Failure) bool {
	return f.Kind == observation.HandshakeFailed && strings.Contains(f.Detail, "invalid signature by the server certificate")
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
	switch {
	case foreignKey(f):
		return "Put the certificate and its own key together, the certificate first in the chain file: `openssl x509 -noout -pubkey -in CERTIFICATE` and " +
			"`openssl pkey -pubout -in KEY` must print the same. Then reload the server."
	case topology.IsIP(c.host) && f.Kind == observation.Alert:
		return "A URL with an IP address asks for no name (no SNI). If the server knows its certificates by name only, put the name into the URL and " +
			"the address into connect_to; else give it a default certificate: " + c.clientCommand()
	case f.Alert == "unrecognized_name":
		return "Give the server a virtual host and a certificate for the name; it does not know it."
	}
	if f.Kind == observation.Closed {
		return "See whether the process behind the port runs (a proxy without a backend closes like this), then compare the server's protocols, ciphers and virtual hosts: " + c.clientCommand()
	}
	return "Compare the server's protocols, ciphers and virtual hosts with the evidence: " + c.clientCommand()
}

// clientCommand has openssl s_client ask for TLS as the probe did.
func (c *connection) clientCommand() string {
	command := "openssl s_client"
	if c.kind.StartTLS() {
		command += " -starttls " + string(c.kind)
	}
	command += " -connect " + topology.Shell(c.Address.Address)
	if topology.IsIP(c.host) {
		return command + " -noservername"
	}
	return command + " -servername " + topology.Shell(c.host)
}
