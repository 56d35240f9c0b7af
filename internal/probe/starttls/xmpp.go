package starttls

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
)

const (
	nsStream = "http://etherx.jabber.org/streams"
	nsTLS    = "urn:ietf:params:xml:ns:xmpp-tls"
	// maxXMPP bounds what a server sends before TLS in bytes.
	maxXMPP = 64 << 10
)

// xmppClient follows RFC 6120 §5 as a client does, xmppServer as another server does.
func xmppClient(conn net.Conn, names Names) error { return xmpp(conn, names.Host, "jabber:client") }
func xmppServer(conn net.Conn, names Names) error { return xmpp(conn, names.Host, "jabber:server") }

// XMPPHeader returns the header that opens a stream to a host.
func XMPPHeader(host, namespace string) string {
	var to strings.Builder
	_ = xml.EscapeText(&to, []byte(host)) // a strings.Builder has no write errors
	return fmt.Sprintf("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='%s' xmlns:stream='%s'>", to.String(), namespace, nsStream)
}

func xmpp(conn net.Conn, host, namespace string) error {
	if _, err := io.WriteString(conn, XMPPHeader(host, namespace)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, maxLine)
	if err := beginsXML(in); err != nil {
		return err
	}
	bytes := &boundedBytes{in: in, left: maxXMPP}
	stream := &stream{bytes, xml.NewDecoder(bytes)}
	if err := stream.open(); err != nil {
		return err
	}
	features, err := stream.element()
	if err != nil {
		return err
	}
	if !features.is(nsStream, "features") {
		return features.refusal()
	}
	if !features.has(nsTLS, "starttls") {
		return refused("the server does not offer it")
	}
	if _, err := io.WriteString(conn, "<starttls xmlns='"+nsTLS+"'/>"); err != nil {
		return err
	}
	agreed, err := stream.element()
	if err != nil {
		return err
	}
	if !agreed.is(nsTLS, "proceed") {
		return agreed.refusal()
	}
	return silent(in)
}

// beginsXML checks that a server begins with an element: a decoder would wait for one until the timeout.
func beginsXML(in *bufio.Reader) error {
	first, err := in.Peek(1)
	if err != nil {
		return err
	}
	if first[0] == '<' || first[0] == '\r' || first[0] == '\n' {
		return nil
	}
	line, err := (&lines{in}).next()
	if err != nil {
		return err
	}
	return unexpected(line)
}

// stream reads the elements of a server's stream.
type stream struct {
	bytes   *boundedBytes
	decoder *xml.Decoder
}

// open reads the stream's header.
func (s *stream) open() error {
	for {
		token, err := s.token()
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name != (xml.Name{Space: nsStream, Local: "stream"}) {
				return refused("the server answered with something other than an XMPP stream: the element %q", start.Name.Local)
			}
			return nil
		}
	}
}

// element is one element with its children's names, and all its text.
type element struct {
	name     xml.Name
	children []xml.Name
	text     string
}

// element reads the next element. Its end is read too: TLS begins right after it.
func (s *stream) element() (element, error) {
	var got element
	for depth := 0; ; {
		token, err := s.token()
		if err != nil {
			return element{}, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch depth {
			case 0:
				got.name = token.Name
			case 1:
				got.children = append(got.children, token.Name)
			}
			depth++
		case xml.CharData:
			if depth > 0 {
				got.text += string(token)
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return element{}, refused("the server closed its stream")
			}
			if depth == 0 {
				return got, nil
			}
		}
	}
}

// token reads one token. What XMPP forbids (RFC 6120 §11.1) and what is no XML is a refusal.
func (s *stream) token() (xml.Token, error) {
	token, err := s.decoder.Token()
	if s.bytes.err != nil {
		return nil, s.bytes.err
	}
	if err != nil {
		return nil, refused("the server answered with malformed XML: %s", strings.TrimPrefix(err.Error(), "XML syntax error on line 1: "))
	}
	if _, ok := token.(xml.Directive); ok {
		return nil, refused("the server answered with a document type declaration")
	}
	return token, nil
}

func (e element) is(space, local string) bool {
	return e.name == xml.Name{Space: space, Local: local}
}

func (e element) has(space, local string) bool {
	for _, child := range e.children {
		if child == (xml.Name{Space: space, Local: local}) {
			return true
		}
	}
	return false
}

// refusal is the error for an unexpected element: its name, the condition in it ("host-unknown") and the text for people.
func (e element) refusal() error {
	words := []string{e.name.Local}
	for _, child := range e.children {
		if child.Local != "text" {
			words = append(words, child.Local)
		}
	}
	return unexpected(strings.Join(append(words, strings.Fields(e.text)...), " "))
}

// boundedBytes reads byte by byte, so that a decoder reads nothing beyond a token.
type boundedBytes struct {
	in   *bufio.Reader
	left int
	err  error // of the connection, not of the decoder
}

// ReadByte implements io.ByteReader.
func (b *boundedBytes) ReadByte() (c byte, err error) {
	if b.left--; b.left < 0 {
		b.err = refused("the server sent more than %d bytes before TLS", maxXMPP)
		return 0, b.err
	}
	c, b.err = b.in.ReadByte()
	return c, b.err
}

// Read implements io.Reader; a decoder uses ReadByte.
func (b *boundedBytes) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}
