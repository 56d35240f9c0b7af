package starttls

import (
	"net"
	"strings"
)

// nntp follows RFC 4642 §2.2. The greeting is 200 or 201 (RFC 3977 §5.1), the agreement 382.
func nntp(conn net.Conn, _ Names) error {
	lines := newLines(conn)
	for _, step := range []struct{ command, codes string }{{"", "200 201"}, {"STARTTLS", "382"}} {
		line, err := lines.answer(conn, step.command)
		if err != nil {
			return err
		}
		code, _, _, ok := splitReply(line)
		if !ok || !strings.Contains(step.codes, code) {
			return unexpected(line)
		}
	}
	return lines.silent()
}
