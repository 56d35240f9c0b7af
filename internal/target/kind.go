package target

import "strings"

// Kind is the protocol of an endpoint. It is the URL's scheme.
type Kind string

// The kinds. TLS is a handshake only; SMTP and those after it begin in plaintext and change to TLS by STARTTLS.
const (
	HTTPS      Kind = "https"
	HTTP       Kind = "http"
	TLS        Kind = "tls"
	SMTP       Kind = "smtp"
	IMAP       Kind = "imap"
	POP3       Kind = "pop3"
	Postgres   Kind = "postgres"
	MySQL      Kind = "mysql"
	LDAP       Kind = "ldap"
	FTP        Kind = "ftp"
	XMPP       Kind = "xmpp"
	XMPPServer Kind = "xmpp-server"
	NNTP       Kind = "nntp"
	Sieve      Kind = "sieve"
)

// protocol is what is specific to one kind.
type protocol struct {
	kind     Kind
	port     int  // of a URL without a port; 0 if the kind has no default
	startTLS bool // package starttls has its preamble
	tlsPort  int  // where servers speak TLS from the first byte instead; 0 if that is not common
}

// protocols is the table of kinds. A new STARTTLS protocol is a constant and a row here, and a preamble in package
// starttls; the configuration, its schema, the command line and the rules read this table.
func protocols() [14]protocol {
	return [...]protocol{
		{HTTPS, 443, false, 0},
		{HTTP, 80, false, 0},
		{TLS, 0, false, 0},
		{SMTP, 25, true, 465},          // RFC 3207
		{IMAP, 143, true, 993},         // RFC 9051 §6.2.1
		{POP3, 110, true, 995},         // RFC 2595 §4
		{Postgres, 5432, true, 0},      // PostgreSQL's SSLRequest
		{MySQL, 3306, true, 0},         // MySQL's and MariaDB's SSLRequest
		{LDAP, 389, true, 636},         // RFC 4511 §4.14
		{FTP, 21, true, 990},           // RFC 4217 §4
		{XMPP, 5222, true, 5223},       // RFC 6120 §5, as a client
		{XMPPServer, 5269, true, 5270}, // RFC 6120 §5, as another server
		{NNTP, 119, true, 563},         // RFC 4642
		{Sieve, 4190, true, 0},         // RFC 5804 §2.2
	}
}

func (k Kind) protocol() protocol {
	for _, p := range protocols() {
		if p.kind == k {
			return p
		}
	}
	return protocol{kind: k}
}

// Schemes returns the URL schemes of all kinds, the default first.
func Schemes() []string {
	var all []string
	for _, p := range protocols() {
		all = append(all, string(p.kind))
	}
	return all
}

// StartTLSSchemes returns the URL schemes of the kinds that begin in plaintext, joined by a separator.
func StartTLSSchemes(separator string) string {
	var all []string
	for _, p := range protocols() {
		if p.startTLS {
			all = append(all, string(p.kind))
		}
	}
	return strings.Join(all, separator)
}

// DefaultPort returns the port of a URL without one; 0 if the kind has no default (tls).
func (k Kind) DefaultPort() int { return k.protocol().port }

// Secured reports whether the kind includes a TLS handshake.
func (k Kind) Secured() bool { return k != HTTP }

// StartTLS reports whether the kind begins in plaintext before the handshake.
func (k Kind) StartTLS() bool { return k.protocol().startTLS }

// TLSPort returns the port where servers of a STARTTLS kind speak TLS from the first byte; 0 if that is not common.
func (k Kind) TLSPort() int { return k.protocol().tlsPort }

// Web reports whether the kind includes an HTTP request.
func (k Kind) Web() bool { return k == HTTP || k == HTTPS }
