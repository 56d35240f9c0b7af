package starttls

import (
	"io"
	"net"
	"strings"

	"certdrift/internal/finding"
)

// imap follows RFC 9051 §6.2.1. After a greeting of PREAUTH or BYE, STARTTLS is not possible.
func imap(conn net.Conn, _ Names) error {
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
			return unexpected(line)
		}
	}
	return refused("the server sent more than %d lines without an answer", maxLines)
}

// pop3 follows RFC 2595 §4.
func pop3(conn net.Conn, _ Names) error {
	lines := newLines(conn)
	for _, command := range []string{"", "STLS"} {
		line, err := lines.answer(conn, command)
		if err != nil {
			return err
		}
		if !hasWord(line, "+OK") {
			return unexpected(line)
		}
	}
	return lines.silent()
}
