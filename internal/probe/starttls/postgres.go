package starttls

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"

	"certdrift/internal/finding"
)

// SSLRequest is what a PostgreSQL client sends to ask for TLS.
const SSLRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"

// postgres sends an SSLRequest (PostgreSQL, "Message Flow: SSL Session Encryption"): one byte comes back.
func postgres(conn net.Conn, _ Names) error {
	if _, err := io.WriteString(conn, SSLRequest); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, maxLine)
	answer, err := in.ReadByte()
	if err != nil {
		return err
	}
	switch answer {
	case 'S':
		return silent(in)
	case 'N':
		return refused("the server has TLS disabled")
	case 'E':
		return refused("the server answered with an error: %s", postgresError(in))
	}
	return refused("the server answered %q to an SSLRequest", string(answer))
}

// postgresError reads an ErrorResponse after its first byte: its length, then fields of a type and a text. Field M is the
// message for people (PostgreSQL, "Message Formats").
func postgresError(in io.Reader) string {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return "no message"
	}
	fields := make([]byte, min(max(4, binary.BigEndian.Uint32(size[:]))-4, maxLine))
	n, _ := io.ReadFull(in, fields)
	for field := range strings.SplitSeq(string(fields[:n]), "\x00") {
		if text, ok := strings.CutPrefix(field, "M"); ok {
			return finding.Quote(text)
		}
	}
	return "no message"
}
