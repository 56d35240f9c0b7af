package servers

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"

	"certdrift/internal/finding"
)

// dialogue is how a server of one protocol talks before TLS.
type dialogue struct {
	scheme string
	// greeting is sent first; bare is that of a server that offers no STARTTLS.
	greeting, bare string
	// read reads one request.
	read func(*bufio.Reader) (string, error)
	// asks is in the request for TLS, which is answered by yes or no; none is what a server answers that does not know it.
	asks, yes, no, none string
	// others are the answers to other requests, by what is in them.
	others map[string]string
	// text is what a server says in plaintext after it agreed.
	text string
	// endless is repeated for a greeting without end.
	endless string
}

// The parts of LDAP, XMPP and MySQL: extended responses, a stream, packets.
const (
	ldapYes  = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	ldapNo   = "\x30\x20\x02\x01\x01\x78\x1b\x0a\x01\x34\x04\x00\x04\x14TLS is not available"
	ldapNone = "\x30\x2a\x02\x01\x01\x78\x25\x0a\x01\x02\x04\x00\x04\x1eunsupported extended operation"

	xmppHeader = "<?xml version='1.0'?><stream:stream id='1' from='api.example.org' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	xmppBare   = xmppHeader + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
	xmppOffer  = xmppHeader + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	xmppYes    = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	xmppNo     = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"

	mysqlBlocked = "\xff\x69\x04#HY000Host is blocked because of many connection errors"
)

// mysqlGreeting is the first packet of a server with these lower capabilities.
func mysqlGreeting(capabilities string) string {
	return mysqlPacket(0, "\x0a8.0.40\x00\x07\x00\x00\x00abcdefgh\x00"+capabilities+"\x2d\x02\x00\xff\xdf\x15"+strings.Repeat("\x00", 10)+"abcdefghijkl\x00caching_sha2_password\x00")
}

func mysqlPacket(number byte, content string) string {
	return string([]byte{byte(len(content)), byte(len(content) >> 8), 0, number}) + content
}

func readLine(r *bufio.Reader) (string, error) { return r.ReadString('\n') }

// readTag reads an element's tag, after an XML declaration if there is one.
func readTag(r *bufio.Reader) (string, error) {
	for {
		if tag, err := r.ReadString('>'); err != nil || !strings.HasPrefix(strings.TrimSpace(tag), "<?") {
			return tag, err
		}
	}
}

// readBER reads an LDAPMessage with a short length.
func readBER(r *bufio.Reader) (string, error) {
	return readSized(r, 2, func(h []byte) int { return int(h[1]) })
}

func readMySQL(r *bufio.Reader) (string, error) {
	return readSized(r, 4, func(h []byte) int { return int(binary.LittleEndian.Uint16(h)) })
}

func readSized(r *bufio.Reader, header int, size func([]byte) int) (string, error) {
	h := make([]byte, header)
	if _, err := io.ReadFull(r, h); err != nil {
		return "", err
	}
	content := make([]byte, size(h))
	_, err := io.ReadFull(r, content)
	return string(h) + string(content), err
}

func dialogues() []dialogue {
	return []dialogue{
		{
			scheme: "ldap", read: readBER, asks: "1.3.6.1.4.1.1466.20037", yes: ldapYes, no: ldapNo, none: ldapNone,
			text: "\x30\x31\x02\x01\x00\x78\x2c\x0a\x01\x34\x04\x00\x04\x0d shutting down\x8a\x161.3.6.1.4.1.1466.20036", endless: "\x30\x84\xff\xff\xff\xff",
		},
		{
			scheme: "mysql", greeting: mysqlGreeting("\xff\xff"), bare: mysqlGreeting("\xff\xf7"), read: readMySQL, asks: "\x20\x00\x00\x01", no: mysqlPacket(2, mysqlBlocked),
			text: mysqlPacket(2, mysqlBlocked), endless: "\xff\xff\xff\x00",
		},
		{
			scheme: "ftp", greeting: "220-Welcome\r\n  to the files\r\n220 FTP server ready\r\n", read: readLine, asks: "AUTH TLS", yes: "234 go\r\n", no: "534 TLS is not available\r\n", none: "502 not implemented\r\n",
			others: map[string]string{"FEAT": "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n211 End\r\n"}, text: "421 cannot start TLS\r\n", endless: "220-x\r\n",
		},
		{
			scheme: "xmpp", read: readTag, asks: "<starttls", yes: xmppYes, no: xmppNo, others: map[string]string{"<stream:stream": xmppOffer},
			text: "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", endless: xmppHeader + "<stream:features><x>",
		},
		{
			scheme: "xmpp-server", read: readTag, asks: "<starttls", yes: xmppYes, no: xmppNo,
			others: map[string]string{"<stream:stream": strings.ReplaceAll(xmppOffer, "jabber:client", "jabber:server")},
			text:   "<stream:error/>", endless: xmppHeader + "<stream:features><x>",
		},
		{
			scheme: "nntp", greeting: "200 news ready (posting ok)\r\n", read: readLine, asks: "STARTTLS", yes: "382 go\r\n", no: "580 cannot start TLS\r\n", none: "500 what?\r\n",
			others: map[string]string{"CAPABILITIES": "101 these\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n"}, text: "400 cannot start TLS\r\n", endless: "2",
		},
		{
			scheme: "sieve", greeting: "\"IMPLEMENTATION\" \"lab\"\r\n\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n", bare: "\"IMPLEMENTATION\" \"lab\"\r\nOK \"ready\"\r\n",
			read: readLine, asks: "STARTTLS", yes: "OK \"go\"\r\n", no: "NO \"TLS is not available\"\r\n", text: "BYE \"cannot start TLS\"\r\n", endless: "\"X\" \"y\"\r\n",
		},
	}
}

// talk follows the dialogue until the client asks for TLS, which it answers. It returns the connection after that, with what has been
// read of it, since a client of MySQL does not wait for an answer; nil if the client asked for something else.
func (d dialogue) talk(conn net.Conn, greeting, answer string) net.Conn {
	_, _ = io.WriteString(conn, greeting)
	in := bufio.NewReader(conn)
	for {
		request, err := d.read(in)
		if err != nil {
			return nil
		}
		if strings.Contains(strings.ToUpper(request), strings.ToUpper(d.asks)) {
			_, _ = io.WriteString(conn, answer)
			return peeked{conn, in}
		}
		said := d.none
		for word, other := range d.others {
			if strings.Contains(request, word) {
				said = other
			}
		}
		if said == "" {
			return nil
		}
		_, _ = io.WriteString(conn, said)
	}
}

// secure begins TLS and keeps the connection open.
func secure(conn net.Conn, config *tls.Config) {
	if over := tls.Server(conn, config); over.Handshake() == nil {
		hangs(over)
	}
}

// agrees follows the dialogue, agrees to TLS, and then does what follows.
func (d dialogue) agrees(then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		if after := d.talk(conn, d.greeting, d.yes); after != nil {
			then(after)
		}
	}
}

// cases are those of a dialogue's protocol.
func (d dialogue) cases() []Case {
	raw := func(name string, want []finding.Code, handle func(*Lab) func(net.Conn)) Case {
		return Case{Name: d.scheme + ": " + name, Want: want, serve: func(l *Lab) Target {
			return Target{URL: d.scheme + "://" + Host, To: []string{l.raw(handle(l))}}
		}}
	}
	always := func(handle func(net.Conn)) func(*Lab) func(net.Conn) {
		return func(*Lab) func(net.Conn) { return handle }
	}
	answers := func(greeting, answer string) func(*Lab) func(net.Conn) {
		return always(func(conn net.Conn) { d.talk(conn, greeting, answer); hangs(conn) })
	}
	with := func(config func(*Lab) *tls.Config) func(*Lab) func(net.Conn) {
		return func(l *Lab) func(net.Conn) {
			served := config(l)
			return d.agrees(func(conn net.Conn) { secure(conn, served) })
		}
	}
	refused := codes(finding.TLSHandshake)
	bare := answers(d.greeting, d.none)
	switch {
	case d.bare != "":
		bare = answers(d.bare, d.none)
	case d.none == "": // XMPP
		quiet := d
		quiet.others = map[string]string{"<stream:stream": strings.ReplaceAll(xmppBare, "jabber:client", "jabber:"+map[bool]string{true: "server", false: "client"}[d.scheme == "xmpp-server"])}
		bare = always(func(conn net.Conn) { quiet.talk(conn, "", ""); hangs(conn) })
	}
	return []Case{
		raw("healthy", nil, with((*Lab).config)),
		raw("expired", codes(finding.CertExpired), with(func(l *Lab) *tls.Config {
			return &tls.Config{Certificates: []tls.Certificate{l.leaf(pki90(l)...).TLS()}} // a server's defaults
		})),
		raw("another name", codes(finding.CertNameMismatch), with(func(l *Lab) *tls.Config {
			return &tls.Config{Certificates: []tls.Certificate{l.leafFor([]string{"www.example.net"}).TLS()}} // a server's defaults
		})),
		raw("STARTTLS not offered", refused, bare),
		raw("STARTTLS refused", refused, answers(d.greeting, d.no)),
		raw("agreed, then text", refused, always(d.agrees(func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096)) // the ClientHello
			_, _ = io.WriteString(conn, d.text)
			hangs(conn)
		}))),
		raw("text injected after the agreement", refused, func(l *Lab) func(net.Conn) {
			config := l.config()
			return func(conn net.Conn) {
				greeting, answer := d.greeting, d.yes+d.text
				if d.yes == "" { // MySQL's server agrees by its greeting
					greeting, answer = greeting+d.text, ""
				}
				if after := d.talk(conn, greeting, answer); after != nil {
					secure(after, config)
				}
			}
		}),
		raw("silence", codes(finding.TLSTimeout), always(hangs)),
		raw("silence after the agreement", codes(finding.TLSTimeout), always(d.agrees(hangs))),
		raw("a greeting without end", refused, always(func(conn net.Conn) {
			_, _ = io.WriteString(conn, strings.Repeat(d.endless, 1<<16))
			hangs(conn)
		})),
	}
}

// moreStartTLS are the protocols other than those of email and PostgreSQL.
func moreStartTLS() (all []Case) {
	for _, d := range dialogues() {
		all = append(all, d.cases()...)
	}
	return all
}

// smtpServer answers EHLO as a function does, and agrees to STARTTLS.
func smtpServer(hello func(name string) string, then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, "220 mail ESMTP\r\n")
		in := bufio.NewReader(conn)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			command, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.EqualFold(command, "STARTTLS") {
				_, _ = io.WriteString(conn, "220 go\r\n")
				then(conn)
				return
			}
			_, _ = io.WriteString(conn, hello(name))
		}
	}
}

// greetingsOfSMTP are servers that are particular about EHLO, or do not keep to what they agreed to.
func greetingsOfSMTP() []Case {
	offer := func(string) string { return "250-mail\r\n250 STARTTLS\r\n" }
	smtp := func(name string, want []finding.Code, hello func(string) string, then func(*Lab) func(net.Conn)) Case {
		return Case{Name: "smtp: " + name, Want: want, serve: func(l *Lab) Target {
			return Target{URL: "smtp://" + Host, To: []string{l.raw(smtpServer(hello, then(l)))}}
		}}
	}
	healthy := func(l *Lab) func(net.Conn) {
		config := l.config()
		return func(conn net.Conn) { secure(conn, config) }
	}
	text := func(said string) func(*Lab) func(net.Conn) {
		return func(*Lab) func(net.Conn) {
			return func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096)) // the ClientHello
				_, _ = io.WriteString(conn, said)
				hangs(conn)
			}
		}
	}
	only := func(accepted func(string) bool) func(string) string {
		return func(name string) string {
			if !accepted(name) {
				return "501-5.5.2 that is not\r\n501 5.5.2 a name that I accept\r\n"
			}
			return offer(name)
		}
	}
	named := smtp("only the configured name is accepted", nil, only(func(name string) bool { return name == "monitor.example.net" }), healthy)
	serve := named.serve
	named.serve = func(l *Lab) Target {
		t := serve(l)
		t.Endpoint = "ehlo_name: monitor.example.net"
		return t
	}
	// closing hangs up once it rejected an address.
	closing := func(l *Lab) func(net.Conn) {
		return func(conn net.Conn) {
			smtpServer(func(name string) string {
				if strings.HasPrefix(name, "[") {
					_, _ = io.WriteString(conn, "550 5.7.1 no address literals here\r\n")
					_ = conn.Close()
					return ""
				}
				return offer(name)
			}, healthy(l))(conn)
		}
	}
	return []Case{
		smtp("an address in EHLO is rejected", nil, only(func(name string) bool { return !strings.HasPrefix(name, "[") && strings.Contains(name, ".") }), healthy),
		{Name: "smtp: an address in EHLO ends the connection", serve: func(l *Lab) Target {
			return Target{URL: "smtp://" + Host, To: []string{l.raw(closing(l))}}
		}},
		named,
		smtp("every name in EHLO is rejected", codes(finding.TLSHandshake), only(func(string) bool { return false }), healthy),
		smtp("parameters after STARTTLS", nil, func(string) string { return "250-mail\r\n250-starttls REQUIRED x=y\r\n250 SIZE 1\r\n" }, healthy),
		smtp("STARTTLS within another word", codes(finding.TLSHandshake), func(string) string { return "250-mail\r\n250 XSTARTTLS\r\n" }, healthy),
		smtp("agreed, then 454 in plaintext", codes(finding.TLSHandshake), offer, text("454 4.7.0 TLS not available due to local problem\r\n")),
		smtp("agreed, then hostile text", codes(finding.TLSHandshake), offer, text("454 "+strings.ReplaceAll(nasty, "\r\n", "\r")+"\r\n")),
		smtp("agreed, then text without end", codes(finding.TLSHandshake), offer, text(strings.Repeat("4", 1<<20))),
	}
}

// onWrongScheme are servers whose protocol is another than the URL's.
func onWrongScheme() []Case {
	wrong := func(name, url string, want finding.Code, handle func(*Lab) func(net.Conn)) Case {
		return Case{Name: name, Want: codes(want), serve: func(l *Lab) Target { return Target{URL: url, To: []string{l.raw(handle(l))}} }}
	}
	greets := func(text string) func(*Lab) func(net.Conn) {
		return func(*Lab) func(net.Conn) {
			return func(conn net.Conn) { _, _ = io.WriteString(conn, text); hangs(conn) }
		}
	}
	// replies answers the request that it knows, and closes on any other.
	replies := func(request, answer string) func(*Lab) func(net.Conn) {
		return func(*Lab) func(net.Conn) {
			return func(conn net.Conn) {
				got := make([]byte, len(request))
				if n, _ := io.ReadFull(conn, got[:4]); n < 4 || string(got[:4]) != request[:4] {
					return
				}
				_, _ = io.WriteString(conn, answer)
				hangs(conn)
			}
		}
	}
	clear := func(text string) func(*Lab) func(net.Conn) {
		return func(*Lab) func(net.Conn) { return says(text) }
	}
	secured := func(text string) func(*Lab) func(net.Conn) {
		return func(l *Lab) func(net.Conn) {
			config := l.config()
			return func(conn net.Conn) {
				over := tls.Server(conn, config)
				_, _ = io.WriteString(over, text)
				hangs(over)
			}
		}
	}
	ftp := func(*Lab) func(net.Conn) { // what it does not know it rejects
		return dialogue{read: readLine, asks: "\x00", none: "500 what?\r\n"}.greets("220 FTP server ready\r\n")
	}
	handshake, web := finding.TLSHandshake, "https://"+Host
	return []Case{
		wrong("https: FTP", web+":21", handshake, greets("220 (vsFTPd 3.0.3)\r\n")),
		wrong("https: SMTP", web+":25", handshake, greets("220 mail.example.org ESMTP\r\n")),
		wrong("https: IMAP", web+":143", handshake, greets("* OK ready\r\n")),
		wrong("tls: NNTP", "tls://"+Host+":119", handshake, greets("201 news ready (no posting)\r\n")),
		wrong("tls: POP3", "tls://"+Host+":110", handshake, greets("+OK ready\r\n")),
		wrong("tls: ManageSieve", "tls://"+Host+":4190", handshake, greets("\"IMPLEMENTATION\" \"lab\"\r\nOK\r\n")),
		wrong("tls: MySQL", "tls://"+Host+":3306", handshake, greets(mysqlGreeting("\xff\xff"))),
		wrong("https: XMPP", web+":5222", handshake, clear(xmppHeader+"<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")),
		wrong("tls: LDAP, which closes on what it cannot read", "tls://"+Host+":389", finding.ConnectReset, replies("\x30\x1d\x02\x01", ldapNo)),
		wrong("tls: PostgreSQL at an unusual port", "tls://"+Host+":15432", finding.ConnectReset, replies("\x00\x00\x00\x08", "N")),
		wrong("tls: Remote Desktop", "tls://"+Host+":3389", finding.ConnectReset, replies("\x03\x00\x00\x13", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00")),
		wrong("smtp: FTP", "smtp://"+Host+":21", handshake, ftp),
		wrong("imap: HTTP", "imap://"+Host, handshake, greets("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")),
		wrong("ldap: TLS from the first byte", "ldap://"+Host+":636", finding.TLSHandshake, func(l *Lab) func(net.Conn) {
			config := l.config()
			return func(conn net.Conn) { secure(conn, config) }
		}),
		wrong("http: SSH", "http://"+Host+":22", finding.HTTPInvalid, greets("SSH-2.0-OpenSSH_9.2\r\n")),
		wrong("https: IMAP inside TLS", web+":993", finding.HTTPInvalid, secured("* OK ready\r\n")),
	}
}

func (d dialogue) greets(text string) func(net.Conn) {
	return func(conn net.Conn) { d.talk(conn, text, "") }
}
