package starttls

import (
	"io"
	"net"
	"strconv"
	"strings"
)

// sieve follows RFC 5804 (ManageSieve): the greeting is a list of capabilities that ends with OK.
func sieve(conn net.Conn, _ Names) error {
	lines := newLines(conn)
	offered := false
	for n := 0; ; n++ {
		line, err := lines.nextSieve()
		switch {
		case err != nil:
			return err
		case hasWord(line, `"STARTTLS"`):
			offered = true
		case hasWord(line, "OK"):
			if !offered {
				return refused("the server does not offer it")
			}
			answer, err := lines.answer(conn, "STARTTLS")
			if err != nil {
				return err
			}
			if !hasWord(answer, "OK") {
				return unexpected(answer)
			}
			return lines.silent()
		case !strings.HasPrefix(line, `"`):
			return unexpected(line)
		}
		if n == maxLines {
			return refused("the server's greeting has more than %d lines", maxLines)
		}
	}
}

// nextSieve reads a line of which the strings may be literals (RFC 5804 §1.2): a length in braces at the end of a line announces
// the bytes that follow.
func (l *lines) nextSieve() (string, error) {
	line, err := l.next()
	for err == nil && strings.HasSuffix(line, "}") {
		size, parseErr := strconv.ParseUint(strings.TrimSuffix(line[strings.LastIndexByte(line, '{')+1:len(line)-1], "+"), 10, 16)
		if parseErr != nil || size > maxLine || len(line) > maxLine {
			return "", unexpected(line)
		}
		literal := make([]byte, size)
		if _, err := io.ReadFull(l.r, literal); err != nil {
			return "", err
		}
		var rest string
		rest, err = l.next()
		line += string(literal) + rest
	}
	return line, err
}
