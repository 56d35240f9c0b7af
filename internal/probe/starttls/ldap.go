package starttls

import (
	"bufio"
	"fmt"
	"io"
	"net"

	"certdrift/internal/finding"
)

// LDAPStartTLS is an LDAPMessage with number 1 and the extended request 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14.1).
const LDAPStartTLS = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"

// BER tags of an LDAPMessage (RFC 4511 §4.1.1, §4.1.9 and §4.12).
const (
	berInteger           = 0x02
	berOctetString       = 0x04
	berEnumerated        = 0x0a
	berSequence          = 0x30
	ldapExtendedResponse = 0x78
)

// maxLDAP bounds a response.
const maxLDAP = 16 << 10

// ldap follows RFC 4511 §4.14 (and RFC 2830, which it replaced): a StartTLS extended request, and its response.
func ldap(conn net.Conn, _ Names) error {
	if _, err := io.WriteString(conn, LDAPStartTLS); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, maxLine)
	message, err := readLDAP(in)
	if err != nil {
		return err
	}
	if err := message.check(); err != nil {
		return err
	}
	return silent(in)
}

// readLDAP reads one LDAPMessage and returns its content.
func readLDAP(in *bufio.Reader) (ber, error) {
	var header [6]byte // tag, and a length in its longest form
	if _, err := io.ReadFull(in, header[:2]); err != nil {
		return nil, err
	}
	more := 0
	if header[1]&0x80 != 0 {
		more = int(header[1] & 0x7f)
	}
	if header[0] != berSequence || more > 4 || header[1] == 0x80 {
		rest, _ := in.Peek(in.Buffered())
		return nil, refused("the server answered with something other than LDAP: %s", finding.Quote(string(header[:2])+string(rest)))
	}
	if _, err := io.ReadFull(in, header[2:2+more]); err != nil {
		return nil, err
	}
	size, _, ok := berLength(header[1:])
	if !ok {
		return nil, refused("the server answered with a message of more than %d bytes", maxLDAP)
	}
	content := make([]byte, size)
	_, err := io.ReadFull(in, content)
	return content, err
}

// check returns nil if an LDAPMessage agrees to the request. Number 0 is that of a notice of disconnection (RFC 4511 §4.4.1).
func (b ber) check() error {
	malformed := refused("the server's response is malformed")
	number, rest, ok := b.next(berInteger)
	if !ok {
		return malformed
	}
	response, _, ok := rest.next(ldapExtendedResponse)
	if !ok {
		return malformed
	}
	result, rest, ok := response.next(berEnumerated)
	if !ok || len(result) != 1 {
		return malformed
	}
	_, rest, ok = rest.next(berOctetString) // the matched name
	if !ok {
		return malformed
	}
	text, _, ok := rest.next(berOctetString)
	switch {
	case !ok:
		return malformed
	case string(number) == "\x00":
		return refused("the server closes the connection with the result %s", ldapResult(result[0], string(text)))
	case string(number) != "\x01":
		return malformed
	case result[0] != 0:
		return refused("the server answered with the result %s", ldapResult(result[0], string(text)))
	}
	return nil
}

// ldapResult returns a result code with its name (RFC 4511 §4.1.9), for those that occur here, and the server's text if it has one.
func ldapResult(code byte, text string) string {
	if text != "" {
		return ldapResult(code, "") + ": " + finding.Quote(text)
	}
	name := map[byte]string{
		1: "operationsError", 2: "protocolError", 8: "strongerAuthRequired", 10: "referral", 11: "adminLimitExceeded",
		13: "confidentialityRequired", 50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform", 80: "other",
	}[code]
	if name == "" {
		return fmt.Sprint(code)
	}
	return fmt.Sprintf("%d (%s)", code, name)
}

// ber is a part of a BER encoding. LDAP restricts BER to definite lengths (RFC 4511 §5.1), but not to the shortest: Active
// Directory always uses four bytes for them.
type ber []byte

// next returns the content of the first element, and what follows it; false if the element has another tag or is cut off.
func (b ber) next(tag byte) (content, rest ber, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	size, used, ok := berLength(b[1:])
	if b = b[min(1+used, len(b)):]; !ok || size > len(b) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// berLength reads a definite length of at most maxLDAP in at most four bytes, and returns how many bytes it takes.
func berLength(b []byte) (size, used int, ok bool) {
	if b[0] < 0x80 {
		return int(b[0]), 1, true
	}
	used = 1 + int(b[0]&0x7f)
	if used == 1 || used > 5 || used > len(b) {
		return 0, 1, false
	}
	for _, digit := range b[1:used] {
		if size = size<<8 | int(digit); size > maxLDAP {
			return 0, 1, false
		}
	}
	return size, used, true
}
