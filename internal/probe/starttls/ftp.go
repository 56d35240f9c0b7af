package starttls

import (
	"cmp"
	"io"
	"net"
	"strings"
)

// ftp follows RFC 4217 §4: AUTH TLS on the control connection.
func ftp(conn net.Conn, _ Names) error {
	lines := newLines(conn)
	greeting, err := lines.replyFTP()
	if err == nil && greeting.code == "120" { // ready in a few minutes: the greeting follows (RFC 959 §5.4)
		greeting, err = lines.replyFTP()
	}
	if err != nil || greeting.code != "220" {
		return cmp.Or(err, greeting.refusal())
	}
	if _, err := io.WriteString(conn, "AUTH TLS\r\n"); err != nil {
		return err
	}
	if agreed, err := lines.replyFTP(); err != nil || agreed.code != "234" {
		return cmp.Or(err, agreed.refusal())
	}
	return lines.silent()
}

// replyFTP reads a reply of FTP. Unlike in SMTP, lines between the first and the last may begin with anything (RFC 959 §4.2).
func (l *lines) replyFTP() (reply, error) {
	first, err := l.next()
	if err != nil {
		return reply{}, err
	}
	code, more, text, ok := splitReply(first)
	if !ok {
		return reply{}, unexpected(first)
	}
	got := reply{code: code, texts: []string{text}}
	for range maxLines - 1 {
		if !more {
			return got, nil
		}
		line, err := l.next()
		if err != nil {
			return reply{}, err
		}
		if line == code || strings.HasPrefix(line, code+" ") {
			line, more = strings.TrimPrefix(line[3:], " "), false
		}
		got.texts = append(got.texts, line)
	}
	if !more {
		return got, nil
	}
	return reply{}, refused("the server's reply has more than %d lines", maxLines)
}
