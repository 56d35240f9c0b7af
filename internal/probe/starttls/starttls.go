// Package starttls performs the plaintext preambles after which a connection changes to TLS: one for each kind of endpoint that
// has one, in a file with its RFC. The length of every line, packet, element and answer is bounded.
package starttls

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

const (
	// maxLine bounds a line of a STARTTLS preamble; RFC 5321 §4.5.3.1.5 allows a reply line 512 octets. It bounds packets too.
	maxLine = 2048
	// maxLines bounds the lines of one answer.
	maxLines = 100
)

// ErrRefused is returned if the server does not offer TLS or refuses it; the text includes its answer.
var ErrRefused = errors.New("STARTTLS refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Names are the names that a preamble uses.
type Names struct {
	// Host is the endpoint's host.
	Host string
	// EHLO is what this client calls itself in SMTP; if empty, its address, or else its host name.
	EHLO string
	// ByName: it does not try its address.
	ByName bool
}

// ErrAddressRejected is returned beside ErrRefused if an SMTP server rejects EHLO with this client's address and closes the connection, so that
// its host name could not be tried.
var ErrAddressRejected = errors.New("and closes the connection")

// InjectedError is returned if a server sent plaintext after it agreed to TLS, before the handshake. No TLS server sends first, and none
// of the text may be taken for something that was sent in TLS: somebody on the path may have added it (as in CVE-2011-0411, CVE-2021-23222).
type InjectedError struct{ Sent string }

func (e *InjectedError) Error() string {
	return fmt.Sprintf("the server sent %d bytes of plaintext after agreeing to TLS", len(e.Sent))
}

// Preamble returns the function that performs a kind's preamble up to where TLS begins; nil for a kind without one. Its error
// is ErrRefused if the server does not offer TLS or refuses it.
func Preamble(kind target.Kind) func(net.Conn, Names) error {
	return map[target.Kind]func(net.Conn, Names) error{
		target.SMTP: smtp, target.IMAP: imap, target.POP3: pop3, target.Postgres: postgres, target.MySQL: mysql, target.LDAP: ldap,
		target.FTP: ftp, target.XMPP: xmppClient, target.XMPPServer: xmppServer, target.NNTP: nntp, target.Sieve: sieve,
	}[kind]
}

// Farewell returns the function that ends a kind's session over TLS, where a server holds it against a client that it just hangs up;
// nil for a kind that needs none.
func Farewell(kind target.Kind) func(net.Conn) error {
	if kind == target.MySQL {
		return mysqlLogin
	}
	return nil
}

func hasWord(line, start string) bool {
	if len(line) < len(start) || !strings.EqualFold(line[:len(start)], start) {
		return false
	}
	return len(line) == len(start) || line[len(start)] == ' '
}

// lines reads a preamble line by line.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) *lines { return &lines{bufio.NewReaderSize(r, maxLine)} }

// next reads one line of at most maxLine bytes, without its end.
func (l *lines) next() (string, error) {
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", refused("the server answered with a line of more than %d bytes", maxLine)
	}
	if err != nil {
		return "", err
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

// answer sends a line, unless it is empty, and reads the one that answers it.
func (l *lines) answer(conn net.Conn, command string) (string, error) {
	if command != "" {
		if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
			return "", err
		}
	}
	return l.next()
}

// silent checks that nothing followed the server's agreement.
func (l *lines) silent() error { return silent(l.r) }

func silent(r *bufio.Reader) error {
	if n := r.Buffered(); n > 0 {
		sent, _ := r.Peek(n) // it has them
		return &InjectedError{string(sent)}
	}
	return nil
}

// unexpected is the refusal that quotes a server's answer.
func unexpected(answer string) error { return refused("the server answered %s", finding.Quote(answer)) }
