package judge

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// protocolNames are the names of the protocols that a probe recognizes.
func protocolNames() map[observation.Protocol]string {
	return map[observation.Protocol]string{
		observation.Protocol(target.HTTP): "plain HTTP", observation.Protocol(target.TLS): "TLS from the first byte",
		observation.Protocol(target.SMTP): "SMTP", observation.Protocol(target.IMAP): "IMAP", observation.Protocol(target.POP3): "POP3",
		observation.Protocol(target.Postgres): "PostgreSQL's protocol", observation.Protocol(target.MySQL): "MySQL's protocol",
		observation.Protocol(target.LDAP): "LDAP", observation.Protocol(target.FTP): "FTP", observation.Protocol(target.XMPP): "XMPP",
		observation.Protocol(target.XMPPServer): "XMPP between servers", observation.Protocol(target.NNTP): "NNTP",
		observation.Protocol(target.Sieve): "ManageSieve", observation.SSH: "SSH", observation.RDP: "RDP (Remote Desktop)", observation.VNC: "VNC",
		observation.AMQP: "AMQP", observation.Redis: "the Redis protocol", observation.SMTPOrFTP: "SMTP or FTP",
	}
}

// speaks names the protocol that a server speaks instead of the expected one; empty if it was not recognized.
func speaks(f *observation.Failure) string { return protocolNames()[f.Speaks] }

// itSpeaks continues the summary of a failure with that protocol.
func itSpeaks(f *observation.Failure) string {
	if name := speaks(f); name != "" {
		return ": it speaks " + name
	}
	return ""
}

// foreignRemedy says what to do about a server that speaks another protocol; empty if it was not recognized.
func (c *connection) foreignRemedy(f *observation.Failure) string {
	name := speaks(f)
	if name == "" {
		return ""
	}
	address := "://" + hostPort(c.host, c.port)
	otherwise := " If the URL is right, another process listens on the port: restore the intended one."
	switch kind := target.Kind(f.Speaks); {
	case c.hop != nil:
		return "Fix the redirect: it leads to a port that speaks " + name + "."
	case c.TLS != nil && f.Phase == observation.PhaseHeaders:
		return "The protocol inside TLS is not HTTP. To check the handshake and the certificate, change the endpoint's URL to tls" + address + "." + otherwise
	case f.Speaks == observation.SMTPOrFTP:
		return "Change the endpoint's URL to smtp" + address + " or ftp" + address + "." + otherwise
	case kind.StartTLS(), kind == target.HTTP, kind == target.TLS:
		return "Change the endpoint's URL to " + string(kind) + address + "." + otherwise
	}
	return "Correct the port in the endpoint's URL, or find out why a server for another protocol listens there: certdrift cannot check " + name + "."
}

// quoted returns the words of a server for a summary, after a colon; empty if there are none.
func quoted(said string) string {
	if said == "" {
		return ""
	}
	return `: "` + strings.ReplaceAll(finding.Clean(said, 120), `"`, `\"`) + `"`
}
