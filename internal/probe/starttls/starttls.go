// Package starttls performs the plaintext preambles after which a connection changes to TLS: SMTP (RFC 3207), IMAP and POP3
// (RFC 2595), and PostgreSQL's SSLRequest. The length of every line and answer is bounded.
package starttls

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

const (
	// maxLine bounds a line of a STARTTLS preamble; RFC 5321 §4.5.3.1.5 allows a reply line 512 octets.
	maxLine = 2048
	// maxLines bounds the lines of one answer.
	maxLines = 100
)

// ErrRefused is returned if the server does not offer TLS or refuses it; the text includes its answer.
var ErrRefused = errors.New("STARTTLS refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Preamble returns the function that performs a kind's preamble up to where TLS begins; nil for a kind without one. Its error
// is ErrRefused if the server does not offer TLS or refuses it.
func Preamble(kind target.Kind) func(net.Conn) error {
	return map[target.Kind]func(net.Conn) error{
		target.SMTP: smtp, target.IMAP: imap, target.POP3: pop3, target.Postgres: postgres,
	}[kind]
}

// smtp follows RFC 3207.
func smtp(conn net.Conn) error {
	lines := newLines(conn)
	if _, err := lines.reply("220"); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "EHLO %s\r\n", addressLiteral(conn.LocalAddr())); err != nil {
		return err
	}
	offered, err := lines.reply("250")
	if err != nil {
		return err
	}
	if !offersStartTLS(offered) {
		return refused("the server does not offer it")
	}
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return err
	}
	if _, err := lines.reply("220"); err != nil {
		return err
	}
	return lines.silent()
}

func offersStartTLS(offered []string) bool {
	for _, o := range offered {
		if strings.EqualFold(strings.TrimSpace(o), "STARTTLS") {
			return true
		}
	}
	return false
}

// addressLiteral names this client to an SMTP server (RFC 5321 §4.1.3): it has no host name.
func addressLiteral(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if tcp.IP.To4() == nil {
			return "[IPv6:" + tcp.IP.String() + "]"
		}
		return "[" + tcp.IP.String() + "]"
	}
	return "[127.0.0.1]"
}

// imap follows RFC 9051 §6.2.1. After a greeting of PREAUTH or BYE, STARTTLS is not possible.
func imap(conn net.Conn) error {
	lines := newLines(conn)
	greeting, err := lines.next()
	if err != nil {
		return err
	}
	if !hasWord(greeting, "* OK") {
		return refused("the server's greeting is %s", finding.Quote(greeting))
	}
	if _, err := io.WriteString(conn, "a1 STARTTLS\r\n"); err != nil {
		return err
	}
	for range maxLines {
		line, err := lines.next()
		switch {
		case err != nil:
			return err
		case hasWord(line, "a1 OK"):
			return lines.silent()
		case !strings.HasPrefix(line, "* "):
			return refused("the server answered %s", finding.Quote(line))
		}
	}
	return refused("the server sent more than %d lines without an answer", maxLines)
}

// pop3 follows RFC 2595 §4.
func pop3(conn net.Conn) error {
	lines := newLines(conn)
	for _, command := range []string{"", "STLS\r\n"} {
		if _, err := io.WriteString(conn, command); err != nil {
			return err
		}
		line, err := lines.next()
		if err != nil {
			return err
		}
		if !hasWord(line, "+OK") {
			return refused("the server answered %s", finding.Quote(line))
		}
	}
	return lines.silent()
}

// postgres sends an SSLRequest (PostgreSQL, "Message Flow: SSL Session Encryption"): one byte comes back.
func postgres(conn net.Conn) error {
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	switch answer[0] {
	case 'S':
		return nil
	case 'N':
		return refused("the server has TLS disabled")
	case 'E':
		return refused("the server answered with an error: %s", postgresError(conn))
	}
	return refused("the server answered %q to an SSLRequest", answer[:])
}

// postgresError reads an ErrorResponse after its first byte: its length, then fields of a type and a text. Field M is the
// message for people (PostgreSQL, "Message Formats").
func postgresError(conn net.Conn) string {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return "no message"
	}
	fields := make([]byte, min(max(4, binary.BigEndian.Uint32(size[:]))-4, maxLine))
	n, _ := io.ReadFull(conn, fields)
	for field := range strings.SplitSeq(string(fields[:n]), "\x00") {
		if text, ok := strings.CutPrefix(field, "M"); ok {
			return finding.Quote(text)
		}
	}
	return "no message"
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

// reply reads an SMTP reply of one or more lines (RFC 5321 §4.2) with the given code, and returns the text of each line.
func (l *lines) reply(code string) ([]string, error) {
	var texts []string
	for range maxLines {
		line, err := l.next()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(line, code) || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return nil, refused("the server answered %s", finding.Quote(line))
		}
		if len(line) <= 4 {
			texts = append(texts, "")
		} else {
			texts = append(texts, line[4:])
		}
		if len(line) == 3 || line[3] == ' ' {
			return texts, nil
		}
	}
	return nil, refused("the server's reply has more than %d lines", maxLines)
}

// silent checks that nothing followed the server's agreement: text there was injected (CVE-2011-0411), and no TLS server
// sends first.
func (l *lines) silent() error {
	if n := l.r.Buffered(); n > 0 {
		return refused("the server sent %d bytes of plaintext after agreeing to TLS", n)
	}
	return nil
}
