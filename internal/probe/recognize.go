package probe

import (
	"bytes"
	"strings"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// recognize returns the protocol that a server speaks by what it sent first on a connection; empty if that is unclear. The port
// distinguishes protocols that begin alike.
func recognize(said []byte, port int) observation.Protocol {
	text := strings.ToUpper(string(said))
	begins := func(prefixes ...string) bool {
		for _, prefix := range prefixes {
			if strings.HasPrefix(text, prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case len(said) >= 3 && said[0] >= 20 && said[0] <= recordHandshake && said[1] == 3 && said[2] <= 4:
		return observation.Protocol(target.TLS)
	case isMySQL(said):
		return observation.Protocol(target.MySQL)
	case isLDAP(said):
		return observation.Protocol(target.LDAP)
	case isPostgresError(said):
		return observation.Protocol(target.Postgres)
	case bytes.HasPrefix(said, []byte("\x03\x00\x00")) && len(said) >= 6 && said[5] == 0xd0: // a connection confirm of X.224 in TPKT
		return observation.RDP
	case begins("<?XML", "<STREAM:") && strings.Contains(text, "HTTP://ETHERX.JABBER.ORG/STREAMS"):
		return xmppBy(text, port)
	case plainHTTP(said):
		return observation.Protocol(target.HTTP)
	case begins("SSH-"):
		return observation.SSH
	case begins("* OK", "* PREAUTH", "* BYE"):
		return observation.Protocol(target.IMAP)
	case begins("+OK"):
		return observation.Protocol(target.POP3)
	case begins("200 ", "201 "):
		return observation.Protocol(target.NNTP)
	case begins(`"IMPLEMENTATION" `, `"SIEVE" `):
		return observation.Protocol(target.Sieve)
	case begins("220 ", "220-", "421 ", "421-", "554 ", "554-"):
		return smtpOrFTP(text, port)
	case begins("RFB 0"):
		return observation.VNC
	case begins("AMQP"):
		return observation.AMQP
	case begins("-ERR ", "-NOAUTH ", "-DENIED "):
		return observation.Redis
	}
	return ""
}

// smtpOrFTP distinguishes the greetings of SMTP and FTP, which begin with the same codes: by the words that most servers put
// there, else by the port.
func smtpOrFTP(text string, port int) observation.Protocol {
	switch {
	case strings.Contains(text, "SMTP"):
		return observation.Protocol(target.SMTP)
	case strings.Contains(text, "FTP"):
		return observation.Protocol(target.FTP)
	case port == 21:
		return observation.Protocol(target.FTP)
	case port == 25 || port == 465 || port == 587 || port == 2525:
		return observation.Protocol(target.SMTP)
	}
	return observation.SMTPOrFTP
}

func xmppBy(text string, port int) observation.Protocol {
	if strings.Contains(text, "JABBER:SERVER") || port == target.XMPPServer.DefaultPort() {
		return observation.Protocol(target.XMPPServer)
	}
	return observation.Protocol(target.XMPP)
}

// isMySQL reports whether a server began with a packet 0 that is a greeting of protocol version 10, or an error.
func isMySQL(said []byte) bool {
	if len(said) < 8 || said[2] != 0 || said[3] != 0 {
		return false
	}
	if said[4] == 0xff { // an error's number, from 1000 on
		return said[6] >= 0x03 && said[6] < 0x20
	}
	version, _, ended := bytes.Cut(said[5:], []byte{0})
	return said[4] == 10 && ended && len(version) > 0 && version[0] >= '0' && version[0] <= '9'
}

// isLDAP reports whether a server sent a response to StartTLS, or a notice of disconnection (RFC 4511 §4.4.1).
func isLDAP(said []byte) bool {
	if len(said) < 7 || said[0] != 0x30 {
		return false
	}
	rest := said[2:]
	if said[1] > 0x80 && said[1] <= 0x84 {
		rest = said[min(len(said), 2+int(said[1]&0x7f)):]
	}
	return len(rest) > 4 && rest[0] == 2 && rest[1] == 1 && rest[2] <= 1 && rest[3] == 0x78
}

// isPostgresError reports whether a server sent an ErrorResponse of PostgreSQL: its length, then the severity.
func isPostgresError(said []byte) bool {
	return len(said) > 6 && said[0] == 'E' && said[1] == 0 && said[2] == 0 && said[5] == 'S'
}
