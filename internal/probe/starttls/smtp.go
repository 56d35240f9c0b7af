package starttls

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// smtp follows RFC 3207.
func smtp(conn net.Conn, names Names) error {
	lines := newLines(conn)
	if greeting, err := lines.reply(); err != nil || greeting.code != "220" {
		return cmp.Or(err, greeting.refusal())
	}
	offered, err := lines.hello(conn, names)
	if err != nil {
		return err
	}
	if !offersStartTLS(offered) {
		return refused("the server does not offer it")
	}
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return err
	}
	if agreed, err := lines.reply(); err != nil || agreed.code != "220" {
		return cmp.Or(err, agreed.refusal())
	}
	return lines.silent()
}

// hello sends EHLO and returns what the server offers. Some servers reject an address literal and accept a name: a rejected EHLO
// may be sent again on the same connection (RFC 5321 §4.1.4). HELO is no substitute: its reply offers no extensions, so no client
// would send STARTTLS after it.
func (l *lines) hello(conn net.Conn, names Names) ([]string, error) {
	forms := []string{names.EHLO}
	if names.EHLO == "" {
		forms = []string{addressLiteral(conn.LocalAddr()), hostName(os.Hostname())}
		if names.ByName {
			forms = forms[1:]
		}
	}
	var rejected, answers []string
	permanent := false
	rejection := func() error {
		return refused("the server rejects EHLO %s: %s", strings.Join(rejected, " and EHLO "), strings.Join(slices.Compact(answers), ", "))
	}
	for _, form := range forms {
		_, err := fmt.Fprintf(conn, "EHLO %s\r\n", form)
		var got reply
		if err == nil {
			got, err = l.reply()
		}
		switch {
		case err != nil && permanent && !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("%w, %w", rejection(), ErrAddressRejected)
		case err != nil && len(rejected) > 0:
			return nil, rejection()
		case err != nil:
			return nil, err
		case got.code == "250":
			return got.texts, nil
		}
		rejected, answers = append(rejected, form), append(answers, finding.Quote(got.String()))
		permanent = got.code[0] == '5'
		if got.code == "421" { // it closes the connection
			break
		}
	}
	return nil, rejection()
}

// offersStartTLS reports whether one of the offered extensions is STARTTLS. RFC 3207 defines no parameters for it; some servers
// add them.
func offersStartTLS(offered []string) bool {
	for _, o := range offered {
		if words := strings.Fields(o); len(words) > 0 && strings.EqualFold(words[0], "STARTTLS") {
			return true
		}
	}
	return false
}

// addressLiteral names this client to an SMTP server by its address (RFC 5321 §4.1.3).
func addressLiteral(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if tcp.IP.To4() == nil {
			return "[IPv6:" + tcp.IP.String() + "]"
		}
		return "[" + tcp.IP.String() + "]"
	}
	return "[127.0.0.1]"
}

// hostName returns this machine's name if it is fully qualified; servers that check names reject others.
func hostName(name string, err error) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}
	if err != nil || !strings.Contains(name, ".") || len(name) > 253 || strings.ContainsFunc(name, odd) {
		return "localhost.localdomain"
	}
	return name
}

// reply is a reply of SMTP (RFC 5321 §4.2), FTP or NNTP.
type reply struct {
	code  string
	texts []string // one for each line
}

// String returns the reply on one line.
func (r reply) String() string { return strings.TrimSpace(r.code + " " + strings.Join(r.texts, " ")) }

func (r reply) refusal() error { return unexpected(r.String()) }

// reply reads an SMTP reply of one or more lines (RFC 5321 §4.2), each of which begins with the reply's code.
func (l *lines) reply() (reply, error) {
	var got reply
	for range maxLines {
		line, err := l.next()
		if err != nil {
			return reply{}, err
		}
		code, more, text, ok := splitReply(line)
		if !ok || got.code != "" && code != got.code {
			return reply{}, unexpected(line)
		}
		got.code, got.texts = code, append(got.texts, text)
		if !more {
			return got, nil
		}
	}
	return reply{}, refused("the server's reply has more than %d lines", maxLines)
}

// splitReply splits a line of a reply into its code, whether more lines follow, and its text; false if it is none.
func splitReply(line string) (code string, more bool, text string, ok bool) {
	if len(line) < 3 || strings.Trim(line[:3], "0123456789") != "" || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return "", false, "", false
	}
	if len(line) > 4 {
		text = line[4:]
	}
	return line[:3], len(line) > 3 && line[3] == '-', text, true
}
