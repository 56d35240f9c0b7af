package starttls

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"certdrift/internal/target"
)

// heardConn is a connection to a server that says something and listens to nothing.
type heardConn struct {
	net.Conn
	said io.Reader
	read int
	sent strings.Builder
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.said.Read(p)
	c.read += n
	return n, err
}
func (c *heardConn) Write(p []byte) (int, error) { return c.sent.Write(p) }
func (c *heardConn) LocalAddr() net.Addr         { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// kinds are the kinds with a preamble.
func kinds() []target.Kind {
	var all []target.Kind
	for _, scheme := range target.Schemes() {
		if kind := target.Kind(scheme); kind.StartTLS() {
			all = append(all, kind)
		}
	}
	return all
}

func TestEveryKindHasAPreamble(t *testing.T) {
	if len(kinds()) < 11 {
		t.Errorf("%q", kinds())
	}
	for _, kind := range kinds() {
		if Preamble(kind) == nil {
			t.Errorf("%s has none", kind)
		}
	}
	for _, kind := range []target.Kind{target.HTTP, target.HTTPS, target.TLS} {
		if Preamble(kind) != nil {
			t.Errorf("%s has one", kind)
		}
	}
}

// agreement is what a server of a kind that agrees to TLS says.
var agreement = map[target.Kind]string{
	target.SMTP:       "220 mail\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n",
	target.IMAP:       "* OK ready\r\na1 OK begin\r\n",
	target.POP3:       "+OK ready\r\n+OK begin\r\n",
	target.Postgres:   "S",
	target.MySQL:      mysqlGreeting(mysqlSSL),
	target.LDAP:       ldapSuccess,
	target.FTP:        "220-\r\n 220 hello\r\n220 ftp\r\n234 go\r\n",
	target.XMPP:       xmppFeatures + "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
	target.XMPPServer: xmppFeatures + "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>",
	target.NNTP:       "201 news\r\n382 go\r\n",
	target.Sieve:      "\"IMPLEMENTATION\" {3}\r\nx\r\n\r\n\"StartTLS\"\r\nOK\r\nOK \"go\"\r\n",
}

const (
	ldapSuccess  = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	xmppFeatures = "<?xml version='1.0'?><stream:stream from='x' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>" +
		"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
)

func mysqlGreeting(flags uint16) string {
	content := "\x0a8.0.40\x00\x01\x00\x00\x0012345678\x00" + string([]byte{byte(flags), byte(flags >> 8)}) + "\x2d\x02\x00\xff\xdf\x15" + strings.Repeat("\x00", 10) + "123456789012\x00caching_sha2_password\x00"
	return string([]byte{byte(len(content)), 0, 0, 0}) + content
}

// speak runs a kind's preamble against what a server says, all at once or byte by byte.
func speak(kind target.Kind, said string, bytewise bool) (*heardConn, error) {
	conn := &heardConn{said: strings.NewReader(said)}
	if bytewise {
		conn.said = iotest.OneByteReader(conn.said)
	}
	return conn, Preamble(kind)(conn, Names{Host: "mail.test"})
}

func TestAgreement(t *testing.T) {
	for kind, said := range agreement {
		for _, bytewise := range []bool{false, true} {
			if _, err := speak(kind, said, bytewise); err != nil {
				t.Errorf("%s (byte by byte: %v): %v", kind, bytewise, err)
			}
		}
		var injected *InjectedError
		if _, err := speak(kind, said+"x\r\n", false); !errors.As(err, &injected) || injected.Sent != "x\r\n" || errors.Is(err, ErrRefused) {
			t.Errorf("%s: with text after the agreement: %v", kind, err)
		}
		for cut := range len(said) {
			if _, err := speak(kind, said[:cut], false); err == nil && kind != target.MySQL {
				t.Errorf("%s: agreed after %q", kind, said[:cut])
			}
		}
	}
}

// FuzzReply: whatever a server of any kind says, the preamble ends with a refusal or because the server said no more, after at most
// a bounded number of bytes; and what is agreed in one piece is agreed byte by byte.
func FuzzReply(f *testing.F) {
	for i, kind := range kinds() {
		f.Add(uint8(i), agreement[kind])
	}
	for i := range kinds() {
		f.Add(uint8(i), strings.Repeat("220-x\r\n", 500))
		f.Add(uint8(i), "220 "+strings.Repeat("x", 2*maxLine))
	}
	for _, said := range []string{
		"220 x\r\n501 a name, please\r\n250 STARTTLS REQUIRED\r\n220 \r\n", "2200\r\n", "220 x\r\n250-x\r\n251 STARTTLS\r\n",
		"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x34\x04\x00\x04\x00", "\x30\x80\x00\x00", "\x30\x84\xff\xff\xff\xff",
		"\xff\xff\xff\x00", "\x10\x00\x00\x00\xff\x6a\x04#HY000blocked", "<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>", strings.Repeat("<a>", 40000),
		"\"SASL\" {65535}\r\nOK\r\n", "\"X\" {1}\r\n1{1}\r\n1\r\nOK\r\n",
	} {
		for i := range kinds() {
			f.Add(uint8(i), said)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, said string) {
		kind := kinds()[int(which)%len(kinds())]
		if farewell := Farewell(kind); farewell != nil {
			conn := &heardConn{said: strings.NewReader(said)}
			if _ = farewell(conn); conn.read > mysqlLoginSteps*(4+maxLine) || conn.sent.Len() > 200 {
				t.Fatalf("%s: read %d bytes, sent %d", kind, conn.read, conn.sent.Len())
			}
		}
		conn, err := speak(kind, said, false)
		if err != nil && !errors.Is(err, ErrRefused) && !errors.As(err, new(*InjectedError)) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%s: %v", kind, err)
		}
		if most := 4 * maxLines * maxLine; conn.read > most {
			t.Fatalf("%s read %d bytes", kind, conn.read)
		}
		if err != nil {
			return
		}
		if slowly, err := speak(kind, said, true); err != nil || slowly.sent.String() != conn.sent.String() {
			t.Fatalf("%s: byte by byte: %v, sent %q, not %q", kind, err, slowly.sent.String(), conn.sent.String())
		}
	})
}

// TestMySQLLogin: whatever the server asks for is answered, until it denies the login or accepts it.
func TestMySQLLogin(t *testing.T) {
	login := "\x41\x00\x00\x02\x00\x8a\x08\x00\x00\x00\x00\x01\x2d" + strings.Repeat("\x00", 23) + "certdrift\x00\x00mysql_native_password\x00"
	denied := "\x09\x00\x00%\xff\x15\x04#28000"
	numbered := func(n string, text string) string { return strings.Replace(text, "%", n, 1) }
	for name, c := range map[string]struct {
		said, sent string
		err        error
	}{
		"denied":          {numbered("\x03", denied), login, nil},
		"accepted":        {"\x07\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00", login, nil},
		"another method":  {"\x02\x00\x00\x03\xfex" + numbered("\x05", denied), login + "\x01\x00\x00\x04\x00", nil},
		"two more rounds": {"\x02\x00\x00\x03\xfex" + "\x02\x00\x00\x05\x01\x04" + numbered("\x07", denied), login + "\x01\x00\x00\x04\x00" + "\x01\x00\x00\x06\x00", nil},
		"endless rounds":  {strings.Repeat("\x02\x00\x00\x03\xfex", 50), login + strings.Repeat("\x01\x00\x00\x04\x00", 3), nil},
		"hung up":         {"", login, io.EOF},
		"cut off":         {"\xff\xff\xff\x03x", login, io.ErrUnexpectedEOF},
	} {
		conn := &heardConn{said: strings.NewReader(c.said)}
		if err := Farewell(target.MySQL)(conn); !errors.Is(err, c.err) || conn.sent.String() != c.sent {
			t.Errorf("%s: %v, sent %q, want %q", name, err, conn.sent.String(), c.sent)
		}
	}
	for _, kind := range kinds() {
		if kind != target.MySQL && Farewell(kind) != nil {
			t.Errorf("%s has a farewell", kind)
		}
	}
}
