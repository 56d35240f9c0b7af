package judge

import (
	"cmp"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
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
			if f.Hello != nil {
				return c.largeHello(finding.TLSHandshake, f)
			}
			if f.ProxyHeader != nil {
				return c.proxyHeader(finding.TLSHandshake, f)
			}
			if cause := c.incompatible(f); cause != nil {
				return c.incompatibly(f, cause)
			}
			return c.failed(finding.TLSHandshake, f, c.name()+" "+handshakeFault(f, c.kind), cmp.Or(c.foreignRemedy(f), c.handshakeRemedy(f)))
		},
	}
}

func handshakeFault(f *observation.Failure, kind target.Kind) string {
	switch f.Kind {
	case observation.Alert:
		return "aborted the TLS handshake with the alert " + finding.Quote(f.Alert)
	case observation.Closed:
		return "closed the connection " + phaseWords(f.Phase) + itSpeaks(f)
	case observation.NoCertificate:
		return "sent no certificate"
	case observation.NotTLS:
		return notTLS(f, kind)
	case observation.StartTLSRefused:
		return notOffered(f, kind)
	case observation.Injected:
		return "agreed to STARTTLS (" + string(kind) + ") and sent plaintext before the handshake" + quoted(f.Said)
	}
	if f.ForeignKey() {
		return "signed the TLS handshake with a key that doesn't match the first certificate it sends"
	}
	return "failed " + phaseWords(f.Phase)
}

func notTLS(f *observation.Failure, kind target.Kind) string {
	switch name := speaks(f); {
	case name != "":
		return "replied with " + name + " instead of TLS"
	case kind.StartTLS():
		return "agreed to STARTTLS (" + string(kind) + ") and then replied in plaintext" + quoted(f.Said)
	}
	return "replied with something other than TLS" + quoted(f.Said)
}

func notOffered(f *observation.Failure, kind target.Kind) string {
	if speaks(f) != "" {
		return "does not provide STARTTLS (" + string(kind) + ")" + itSpeaks(f)
	}
	if said := strings.TrimPrefix(f.Detail, "STARTTLS refused: "); said != "" {
		return "does not provide STARTTLS (" + string(kind) + "): " + finding.Clean(said, 120)
	}
	return "does not offer STARTTLS, or refused it (" + string(kind) + ")"
}

func (c *connection) handshakeRemedy(f *observation.Failure) string {
	switch f.Kind {
	case observation.StartTLSRefused:
		if strings.Contains(f.Detail, " rejects EHLO ") && !strings.Contains(f.Detail, `"421`) { // 421: no service now, whatever the name
			return "The server rejects the name that certdrift gives in EHLO: set ehlo_name to one that it accepts (usually the client's own name in DNS), or exempt the client's address from its checks."
		}
		return "Check the server's own reply: if it turns the client away (too busy, no service, an access rule), fix that. Otherwise enable STARTTLS on the server, and check for a firewall or proxy that strips the offer."
	case observation.Injected:
		return "If the text says why the server cannot begin TLS, fix that. Otherwise find out who sends it: if it is missing on a connection from the server's own network, a proxy, firewall or attacker on the path adds it; otherwise fix or " +
			"update the server, which must send nothing between its agreement and the handshake. Clients that keep such text take it for something that was sent " +
			"in TLS (as in CVE-2011-0411 and CVE-2021-23222); careful ones close the connection."
	case observation.NoCertificate:
		return "Configure a certificate for the hostname on the server."
	case observation.NotTLS:
		if c.kind.StartTLS() {
			return "The server accepts STARTTLS but cannot begin TLS: check its log, and that it can read its certificate and key."
		}
		return "Check which process listens on the port, and that it speaks TLS from the first byte."
	}
	switch {
	case f.ForeignKey():
		return "Install the certificate with its matching key, and put the leaf first in the chain file: `openssl x509 -noout -pubkey -in CERTIFICATE` and " +
			"`openssl pkey -pubout -in KEY` must print the same. Then reload the server."
	case topology.IsIP(c.host) && f.Kind == observation.Alert:
		return "A URL with an IP address sends no SNI. If the server selects certificates only by hostname, put the hostname into the URL and " +
			"the address into connect_to; otherwise configure a default certificate. To check: " + c.clientCommand()
	case f.Alert == "unrecognized_name":
		return "The server does not know the hostname: configure a virtual host and a certificate for it."
	}
	if f.Kind == observation.Closed {
		return "Check that the process behind the port is running (a proxy without a backend closes connections like this), then compare the server's protocols, ciphers and virtual hosts: " + c.clientCommand()
	}
	return "Compare the server's protocols, ciphers and virtual hosts with the evidence: " + c.clientCommand()
}

// clientCommand is the openssl s_client command that connects as the probe did.
func (c *connection) clientCommand() string {
	command := "openssl s_client"
	if c.kind.StartTLS() {
		command += " -starttls " + string(c.kind)
	}
	if c.kind == target.XMPP || c.kind == target.XMPPServer {
		command += " -xmpphost " + topology.Shell(c.host)
	}
	command += " -connect " + topology.Shell(c.Address.Address)
	if topology.IsIP(c.host) {
		return command + " -noservername"
	}
	return command + " -servername " + topology.Shell(c.host)
}
