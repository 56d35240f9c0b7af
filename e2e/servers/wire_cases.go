package servers

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"certdrift/internal/finding"
)

// hangs reads and never answers.
func hangs(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// says sends a text after the first read, then closes its side.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 64<<10))
		_, _ = io.WriteString(conn, text)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		hangs(conn)
	}
}

// trickles sends a byte a second.
func trickles(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 64<<10))
		for i := 0; ; i = (i + 1) % len(text) {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// resets resets the connection.
func resets(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 64<<10))
	under := conn
	if over, ok := conn.(*tls.Conn); ok {
		under = over.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
}

// middlebox serves TLS behind a device that passes ClientHellos of at most 1400 bytes on, and does lose with the connections of larger
// ones: those with a post-quantum key share.
func (l *Lab) middlebox(lose func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReaderSize(conn, 8<<10)
		header, err := in.Peek(5)
		if err != nil {
			return
		}
		if size := 5 + int(binary.BigEndian.Uint16(header[3:])); size > 1400 {
			_, _ = in.Discard(size)
			lose(conn)
			return
		}
		serveOne(tls.Server(peeked{conn, in}, l.config()))
	}
}

// serveOne answers one request over TLS.
func serveOne(conn *tls.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	_ = conn.CloseWrite()
	hangs(conn)
}

// peeked is a connection that begins with what a reader has buffered.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

// abort resets the connection at once.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func (l *Lab) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{l.leaf().TLS()}} // a server's defaults
}

func handshakes() []Case {
	raw := func(name string, code finding.Code, handle func(net.Conn)) Case {
		return Case{Name: name, Want: codes(code), serve: func(l *Lab) Target { return at(l.raw(handle)) }}
	}
	tlsPort := func(c Case) Case {
		serve := c.serve
		c.serve = func(l *Lab) Target {
			t := serve(l)
			t.URL = "tls://" + Host + ":443"
			return t
		}
		return c
	}
	return []Case{
		{Name: "nobody listens", Want: codes(finding.ConnectRefused), serve: func(l *Lab) Target { return at(l.reserve()) }},
		{Name: "the name does not exist", Want: codes(finding.DNSFailure), serve: func(*Lab) Target { return Target{URL: "https://no-such-name.onion/"} }},
		{Name: "the backlog is full: no answer to SYN", Want: codes(finding.ConnectTimeout), serve: func(l *Lab) Target { return at(l.fullBacklog()) }},
		raw("accepts and says nothing", finding.TLSTimeout, hangs),
		raw("a handshake of a byte now and then", finding.TLSTimeout, trickles("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")),
		raw("accepts and closes", finding.TLSHandshake, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }),
		raw("accepts and resets", finding.ConnectReset, resets),
		raw("plain HTTP where TLS is due", finding.TLSPlaintext, says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
		raw("a page without headers where TLS is due", finding.TLSPlaintext, says("<html>no</html>")),
		waits(raw("a plain HTTP server that waits for the end of the header", finding.TLSPlaintext, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				return
			}
			hangs(conn)
		})),
		waits(raw("a plain HTTP server that waits, and answers 404", finding.TLSPlaintext, func(conn net.Conn) {
			in := textproto.NewReader(bufio.NewReader(conn))
			for {
				switch line, err := in.ReadLine(); {
				case err != nil:
					return
				case line == "": // the end of a header, whatever it was
					_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
					return
				}
			}
		})),
		{Name: "a TLS server that hangs in the handshake", Want: codes(finding.TLSTimeout), serve: func(l *Lab) Target {
			config := l.config()
			config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				<-hello.Context().Done()
				return nil, hello.Context().Err()
			}
			return at(l.web("127.0.0.1", config, ok())) // it answers plain HTTP with 400: sent to an HTTPS server
		}},
		raw("a TLS server that hangs in the handshake and answers plain HTTP with 400", finding.TLSTimeout, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			if start, err := in.Peek(1); err == nil && start[0] != 0x16 {
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			hangs(conn)
		}),
		raw("a TLS server that aborts handshakes and asks plain HTTP for TLS", finding.TLSHandshake, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			if start, err := in.Peek(1); err != nil || start[0] == 0x16 {
				_, _ = in.Discard(in.Buffered()) // what is left unread would make the close a reset
				return
			}
			body := "<center>The plain HTTP request was sent to HTTPS port</center>"
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		}),
		{Name: "a TLS server that expects the PROXY protocol's header", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return at(l.raw(behindHeader(l.handshakes())))
		}},
		raw("the PROXY protocol's header in front of a TLS server that asks for TLS", finding.TLSPlaintext, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			body := "<center>The plain HTTP request was sent to HTTPS port</center>"
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		}),
		{Name: "an SMTP server that expects the PROXY protocol's header", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return Target{URL: "smtp://" + Host, To: []string{l.raw(func(conn net.Conn) {
				_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // as Postfix, which waits five
				behindHeader(offersTLS(l.handshakes()))(conn)
			})}}
		}},
		{Name: "a plain HTTP server that expects the PROXY protocol's header", Want: codes(finding.HTTPInvalid), serve: func(l *Lab) Target {
			return Target{URL: "http://" + Host, To: []string{l.raw(behindHeader(says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")))}}
		}},
		{Name: "a middlebox drops large ClientHellos", Want: codes(finding.TLSTimeout), serve: func(l *Lab) Target { return at(l.raw(l.middlebox(hangs))) }},
		{Name: "a middlebox resets large ClientHellos", Want: codes(finding.ConnectReset), serve: func(l *Lab) Target { return at(l.raw(l.middlebox(abort))) }},
		{Name: "a middlebox closes on large ClientHellos", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target { return at(l.raw(l.middlebox(func(net.Conn) {}))) }},
		{Name: "a server rejects large ClientHellos by an alert", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return at(l.raw(l.middlebox(func(conn net.Conn) {
				_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x32") // decode_error
				hangs(conn)
			})))
		}},
		raw("SSH where TLS is due", finding.TLSHandshake, says("SSH-2.0-OpenSSH_9.2\r\n")),
		raw("an SMTP greeting where TLS is due", finding.TLSHandshake, says("220 mail ready\r\n")),
		raw("the alert handshake_failure", finding.TLSHandshake, says("\x15\x03\x03\x00\x02\x02\x28")),
		raw("the alert internal_error", finding.TLSHandshake, says("\x15\x03\x03\x00\x02\x02\x50")),
		raw("the alert protocol_version", finding.TLSVersionOld, says("\x15\x03\x01\x00\x02\x02\x46")),
		raw("SSL 3.0 only", finding.TLSVersionOld, says("\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00"+strings.Repeat("\x11", 32)+"\x00\x00\x2f\x00")),
		raw("a record of random bytes", finding.TLSHandshake, says("\x16\x03\x03\x00\x05\xff\xff\xff\xff\xff")),
		{Name: "a plain Go server where TLS is due", Want: codes(finding.TLSPlaintext), serve: func(l *Lab) Target { return at(l.plain(ok())) }},
		{Name: "tls: a healthy port", serve: func(l *Lab) Target {
			t := at(l.secured(l.config(), hangs))
			t.URL = "tls://" + Host + ":443"
			return t
		}},
		{Name: "tls: a port that closes after the handshake", serve: func(l *Lab) Target {
			t := at(l.secured(l.config(), func(net.Conn) {}))
			t.URL = "tls://" + Host + ":443"
			return t
		}},
		tlsPort(raw("tls: resets", finding.ConnectReset, resets)),
		tlsPort(leafCase("tls: expired", codes(finding.CertExpired), lasting(90*day, -day))),
		{Name: "tls: a client certificate is demanded", Want: codes(finding.TLSClientCertificateRequired), serve: func(l *Lab) Target {
			config := l.config()
			config.ClientAuth = tls.RequireAnyClientCert
			t := at(l.secured(config, hangs))
			t.URL = "tls://" + Host + ":443"
			return t
		}},
		{Name: "a client certificate is demanded (Go)", Want: codes(finding.TLSClientCertificateRequired), serve: func(l *Lab) Target {
			config := l.config()
			config.ClientAuth = tls.RequireAnyClientCert
			return at(l.web("127.0.0.1", config, ok()))
		}},
		{Name: "a client certificate is demanded and shown", serve: func(l *Lab) Target {
			config := l.config()
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			config.ClientCAs.AddCert(l.Root.Certificate)
			client := l.leafFor([]string{"client"}, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
			cert, key := l.files(client)
			t := at(l.web("127.0.0.1", config, ok()))
			t.Client = &Client{cert, key}
			return t
		}},
		{Name: "a client certificate of the wrong CA is shown", Want: codes(finding.TLSClientCertificateRequired), serve: func(l *Lab) Target {
			config := l.config()
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			cert, key := l.files(l.leafFor([]string{"client"}))
			t := at(l.web("127.0.0.1", config, ok()))
			t.Client = &Client{cert, key}
			return t
		}},
		{Name: "TLS 1.1 only, chosen together with h2", Want: codes(finding.TLSVersionOld), serve: func(l *Lab) Target {
			config := l.config()
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return at(l.web("127.0.0.1", config, ok()))
		}},
		{Name: "no SNI, no certificate: unrecognized_name", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return at(l.web("127.0.0.1", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}, ok())) //nolint:nilnil // no certificate is the case
		}},
		{Name: "no ALPN protocol in common", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			config := l.config()
			config.NextProtos = []string{"acme-tls/1"}
			return at(l.secured(config, hangs))
		}},
		{Name: "a chain of 1 MiB", Want: codes(finding.CertChainOversized), serve: func(l *Lab) Target {
			p := l.leaf()
			ders := [][]byte{p.Certificate.Raw, l.Sub.Certificate.Raw}
			for range 1024 {
				ders = append(ders, l.padding(1000))
			}
			return l.chain(p, ders...)
		}},
		{Name: "a chain of 150 KiB", Want: codes(finding.CertChainOversized), serve: func(l *Lab) Target {
			p := l.leaf()
			ders := [][]byte{p.Certificate.Raw, l.Sub.Certificate.Raw}
			for range 10 {
				ders = append(ders, l.padding(15000))
			}
			return l.chain(p, ders...)
		}},
		{Name: "a certificate that cannot be parsed", Want: codes(finding.CertMalformed), serve: func(l *Lab) Target {
			p := l.leaf()
			broken := bytes.Clone(p.Certificate.Raw)
			broken[4] = 0x31 // a SET where the SEQUENCE of what is signed should begin
			return l.chain(p, broken, l.Sub.Certificate.Raw)
		}},
		{Name: "an issuer that cannot be parsed", Want: codes(finding.CertMalformed), serve: func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, []byte("no certificate"))
		}},
	}
}

// padding is an unrelated certificate of about so many bytes.
func (l *Lab) padding(size int) []byte {
	return l.leafFor([]string{strings.Repeat("a", 60) + ".example.net"}, func(c *x509.Certificate) {
		c.Subject.Organization = []string{strings.Repeat("padding ", size/8)}
	}).Certificate.Raw
}

// scripted follows a script of lines over plain TCP: it sends even lines and waits for odd ones. Then TLS begins.
func (l *Lab) scripted(url string, config *tls.Config, script ...string) Target {
	to := l.raw(func(conn net.Conn) {
		r, tag := bufio.NewReader(conn), ""
		for i, line := range script {
			if i%2 == 0 {
				_, _ = io.WriteString(conn, strings.Replace(line, "a1 ", tag+" ", 1))
				continue
			}
			var ok bool
			if tag, ok = awaits(conn, r, line); !ok {
				return
			}
		}
		if config == nil {
			hangs(conn)
			return
		}
		over := tls.Server(conn, config)
		if over.Handshake() == nil {
			hangs(over)
		}
	})
	return Target{URL: url, To: []string{to}}
}

// behindHeader serves who begins with a header of the PROXY protocol's version 1, and closes other connections.
func behindHeader(serve func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReader(conn)
		start, _ := in.Peek(6)
		if string(start) != "PROXY " {
			_, _ = in.Discard(in.Buffered()) // what is left unread would make the close a reset
			return
		}
		if _, err := in.ReadString('\n'); err == nil {
			_ = conn.SetReadDeadline(time.Time{})
			serve(peeked{conn, in})
		}
	}
}

// handshakes serves TLS and nothing over it.
func (l *Lab) handshakes() func(net.Conn) {
	config := l.config()
	return func(conn net.Conn) {
		if over := tls.Server(conn, config); over.Handshake() == nil {
			hangs(over)
		}
	}
}

// offersTLS is an SMTP server up to the handshake.
func offersTLS(then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, "220 mail ESMTP\r\n")
		in := bufio.NewReader(conn)
		for {
			switch line, err := in.ReadString('\n'); {
			case err != nil:
				return
			case strings.HasPrefix(line, "EHLO "):
				_, _ = io.WriteString(conn, "250-mail\r\n250 STARTTLS\r\n")
			case line == "STARTTLS\r\n":
				_, _ = io.WriteString(conn, "220 ready\r\n")
				then(peeked{conn, in})
				return
			}
		}
	}
}

// awaits reads lines until one contains a word, and returns how that line begins. It answers the requests for capabilities that
// some clients send first.
func awaits(conn net.Conn, r *bufio.Reader, word string) (tag string, ok bool) {
	for {
		got, err := r.ReadString('\n')
		if err != nil {
			return "", false
		}
		tag, _, _ = strings.Cut(strings.TrimSpace(got), " ")
		switch upper := strings.ToUpper(got); {
		case strings.Contains(upper, word):
			return tag, true
		case strings.Contains(upper, "CAPABILITY"):
			_, _ = fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 STARTTLS\r\n%s OK done\r\n", tag)
		case strings.HasPrefix(upper, "CAPA"):
			_, _ = io.WriteString(conn, "+OK\r\nSTLS\r\n.\r\n")
		default:
			return "", false
		}
	}
}

// agreeing agrees to STARTTLS in SMTP, then does what follows.
func agreeing(then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, "220 mail\r\n")
		in := textproto.NewReader(bufio.NewReader(conn))
		for _, answer := range []string{"250-mail\r\n250 STARTTLS\r\n", "220 go\r\n"} {
			if _, err := in.ReadLine(); err != nil {
				return
			}
			_, _ = io.WriteString(conn, answer)
		}
		then(conn)
	}
}

func startTLS() []Case {
	smtp, imap, pop3 := "smtp://"+Host, "imap://"+Host, "pop3://"+Host
	mail := func(name string, want []finding.Code, url string, tlsAfter bool, script ...string) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			if !tlsAfter {
				return l.scripted(url, nil, script...)
			}
			return l.scripted(url, l.config(), script...)
		}}
	}
	ehlo := "250-mail\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
	postgres := func(name string, want []finding.Code, handle func(*Lab, net.Conn)) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			return Target{URL: "postgres://" + Host, To: []string{l.raw(func(conn net.Conn) {
				_, _ = io.ReadFull(conn, make([]byte, 8))
				handle(l, conn)
			})}}
		}}
	}
	expired := mail("smtp: expired", codes(finding.CertExpired), smtp, true)
	expired.serve = func(l *Lab) Target {
		p := l.leaf(pki90(l)...)
		return l.scripted(smtp, &tls.Config{Certificates: []tls.Certificate{p.TLS()}}, "220 mail\r\n", "EHLO", ehlo, "STARTTLS", "220 go\r\n") // a server's defaults
	}
	return []Case{
		mail("smtp: healthy", nil, smtp, true, "220-mail\r\n220 ready\r\n", "EHLO", ehlo, "STARTTLS", "220 go\r\n"),
		expired,
		mail("smtp: STARTTLS not offered", codes(finding.TLSHandshake), smtp, false, "220 mail\r\n", "EHLO", "250 mail\r\n"),
		mail("smtp: STARTTLS refused", codes(finding.TLSHandshake), smtp, false, "220 mail\r\n", "EHLO", ehlo, "STARTTLS", "454 TLS not available\r\n"),
		mail("smtp: busy", codes(finding.TLSHandshake), smtp, false, "421 too busy\r\n"),
		mail("smtp: silence", codes(finding.TLSTimeout), smtp, false),
		mail("smtp: silence after EHLO", codes(finding.TLSTimeout), smtp, false, "220 mail\r\n", "EHLO"),
		mail("smtp: silence after STARTTLS", codes(finding.TLSTimeout), smtp, false, "220 mail\r\n", "EHLO", ehlo, "STARTTLS", "220 go\r\n"),
		mail("smtp: text injected after the agreement", codes(finding.TLSHandshake), smtp, true, "220 mail\r\n", "EHLO", ehlo, "STARTTLS", "220 go\r\n250 injected\r\n"),
		mail("smtp: a line without end", codes(finding.TLSHandshake), smtp, false, "220 "+strings.Repeat("x", 1<<16)),
		{Name: "smtp: a middlebox drops large ClientHellos", Want: codes(finding.TLSTimeout), serve: func(l *Lab) Target {
			return Target{URL: smtp, To: []string{l.raw(agreeing(l.middlebox(hangs)))}}
		}},
		{Name: "smtp: a middlebox resets large ClientHellos", Want: codes(finding.ConnectReset), serve: func(l *Lab) Target {
			return Target{URL: smtp, To: []string{l.raw(agreeing(l.middlebox(abort)))}}
		}},
		mail("imap: healthy", nil, imap, true, "* OK ready\r\n", "STARTTLS", "a1 OK begin\r\n"),
		mail("imap: refused", codes(finding.TLSHandshake), imap, false, "* OK ready\r\n", "STARTTLS", "a1 BAD unknown\r\n"),
		mail("imap: PREAUTH", codes(finding.TLSHandshake), imap, false, "* PREAUTH hello\r\n"),
		mail("imap: silence", codes(finding.TLSTimeout), imap, false),
		mail("imap: text injected after the agreement", codes(finding.TLSHandshake), imap, true, "* OK ready\r\n", "STARTTLS", "a1 OK begin\r\n* OK injected\r\n"),
		mail("pop3: text injected after the agreement", codes(finding.TLSHandshake), pop3, true, "+OK ready\r\n", "STLS", "+OK begin\r\n+OK injected\r\n"),
		mail("pop3: healthy", nil, pop3, true, "+OK ready\r\n", "STLS", "+OK begin\r\n"),
		mail("pop3: refused", codes(finding.TLSHandshake), pop3, false, "+OK ready\r\n", "STLS", "-ERR no\r\n"),
		mail("pop3: silence", codes(finding.TLSTimeout), pop3, false),
		postgres("postgres: healthy", nil, func(l *Lab, conn net.Conn) {
			_, _ = conn.Write([]byte("S"))
			over := tls.Server(conn, l.config())
			if over.Handshake() == nil {
				hangs(over)
			}
		}),
		postgres("postgres: text injected after the agreement", codes(finding.TLSHandshake), func(l *Lab, conn net.Conn) {
			_, _ = conn.Write([]byte("SE\x00\x00\x00\x1dSFATAL\x00Minjected error\x00\x00"))
			secure(conn, l.config())
		}),
		postgres("postgres: TLS switched off", codes(finding.TLSHandshake), func(_ *Lab, conn net.Conn) { _, _ = conn.Write([]byte("N")); hangs(conn) }),
		postgres("postgres: silence", codes(finding.TLSTimeout), func(_ *Lab, conn net.Conn) { hangs(conn) }),
		waits(postgres("postgres: an error", codes(finding.TLSHandshake), func(_ *Lab, conn net.Conn) { _, _ = conn.Write([]byte("E\x00\x00\x00\x10SFATAL\x00")); hangs(conn) })),
	}
}

func page(status int, body string, headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func zipped(text []byte) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.String()
}

// bomb is a case of a small body that decodes to 200 MiB.
func bomb(name string, encodings ...string) Case {
	return Case{Name: name, Want: codes(finding.HTTPTooLarge), serve: func(l *Lab) Target {
		body := string(make([]byte, 200<<20))
		for range encodings {
			body = zipped([]byte(body))
		}
		return at(l.web("127.0.0.1", l.config(), page(200, body, "Content-Encoding", strings.Join(encodings, ", "))))
	}}
}

// answer is a case of a web server behind a healthy certificate.
func answer(name string, want []finding.Code, handler http.Handler, expect string) Case {
	return Case{Name: name, Want: want, serve: func(l *Lab) Target {
		t := at(l.web("127.0.0.1", l.config(), handler))
		t.Endpoint = expect
		return t
	}}
}

// wire is a case of bytes sent over TLS after the request.
func wire(name string, want []finding.Code, handle func(net.Conn)) Case {
	return Case{Name: name, Want: want, serve: func(l *Lab) Target { return at(l.secured(l.config(), handle)) }}
}

func answers() []Case {
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(400 * time.Millisecond)
		_, _ = io.WriteString(w, "ok")
	})
	silence := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	halt := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	endless := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(conn, "X-More: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	}
	flood := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		for {
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	status503 := answer("503", codes(finding.HTTPStatus), page(503, "down"), "")
	return []Case{
		status503,
		answer("404", codes(finding.HTTPStatus), page(404, "no"), ""),
		answer("404 as expected", nil, page(404, "no"), "expect: {status: [404]}"),
		answer("200 where 204 is expected", codes(finding.HTTPStatus), page(200, "x"), "expect: {status: [204]}"),
		answer("204", nil, page(204, ""), ""),
		answer("304 without being asked", codes(finding.HTTPStatus), page(304, ""), ""),
		answer("400 that is no client certificate's", codes(finding.HTTPStatus), page(400, "no"), ""),
		answer("another body", codes(finding.HTTPBody), page(200, "maintenance"), "expect: {body_contains: healthy}"),
		answer("the body expected", nil, page(200, "all healthy"), "expect: {body_contains: healthy}"),
		answer("another body and another status", codes(finding.HTTPStatus), page(500, "maintenance"), "expect: {body_contains: healthy}"),
		answer("a body that matches", nil, page(200, "v1.2.3"), `expect: {body_matches: '^v\d+\.\d+'}`),
		answer("a body that does not match", codes(finding.HTTPBody), page(200, "vX"), `expect: {body_matches: '^v\d+\.\d+'}`),
		answer("JSON as expected", nil, page(200, `{"db":{"ok":true},"n":[{"id":7}]}`), "expect:\n  body_json:\n    - {path: $.db.ok, equals: true}\n    - {path: '$.n[0].id', equals: 7}"),
		answer("JSON otherwise", codes(finding.HTTPBody), page(200, `{"db":{"ok":false}}`), "expect: {body_json: [{path: $.db.ok, equals: true}]}"),
		answer("no JSON", codes(finding.HTTPBody), page(200, `<html>`), "expect: {body_json: [{path: $.db.ok, equals: true}]}"),
		answer("the header expected", nil, page(200, "", "X-App", "one two"), "expect: {headers: [{name: x-app, contains: two}]}"),
		answer("another header", codes(finding.HTTPBody), page(200, ""), "expect: {headers: [{name: X-App, contains: two}]}"),
		answer("several expectations unmet", codes(finding.HTTPBody), page(200, "no"), "expect: {body_contains: yes please, headers: [{name: X-App, contains: two}]}"),
		answer("larger than max_size", codes(finding.HTTPTooLarge), page(200, strings.Repeat("x", 5000)), "expect: {max_size: 4000}"),
		answer("slower than max_latency", codes(finding.HTTPSlow), slow, "expect: {max_latency: 100ms}"),
		answer("faster than max_latency", nil, page(200, ""), "expect: {max_latency: 900ms}"),
		answer("no answer", codes(finding.HTTPTimeout), silence, ""),
		answer("a body that stops", codes(finding.HTTPTimeout), halt, ""),
		answer("gzip", nil, page(200, zipped([]byte("all healthy")), "Content-Encoding", "gzip"), "expect: {body_contains: healthy}"),
		answer("gzip that is none", codes(finding.HTTPInvalid), page(200, "plain", "Content-Encoding", "gzip"), ""),
		bomb("a gzip bomb", "gzip"),
		answer("103 early hints", nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</x.css>; rel=preload")
			w.WriteHeader(103)
			_, _ = io.WriteString(w, "ok")
		}), ""),
		wire("chunked, with trailers", nil, says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n")),
		wire("ended by closing", nil, says("HTTP/1.0 200 OK\r\n\r\nok")),
		wire("100 Continue first", nil, says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
		wire("no HTTP", codes(finding.HTTPInvalid), says("220 mail ready\r\n")),
		wire("closes without an answer", codes(finding.HTTPInvalid), func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }),
		wire("resets without an answer", codes(finding.ConnectReset), resets),
		wire("less than its Content-Length", codes(finding.HTTPInvalid), says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")),
		wire("a chunk cut short", codes(finding.HTTPInvalid), says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nok")),
		wire("two lengths", codes(finding.HTTPInvalid), says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")),
		wire("endless headers", codes(finding.HTTPTooLarge), endless),
		wire("an endless body", codes(finding.HTTPTooLarge), flood),
		wire("headers of a byte now and then", codes(finding.HTTPTimeout), trickles("HTTP/1.1 200 OK\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")),
		wire("a body of a byte now and then", codes(finding.HTTPTimeout), func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			trickles("x")(conn)
		}),
		{Name: "credentials, and the certificate of another name", Want: codes(finding.CertNameMismatch), serve: func(l *Lab) Target {
			config := &tls.Config{Certificates: []tls.Certificate{l.leafFor([]string{"www.example.net"}).TLS()}} // a server's defaults
			t := at(l.web("127.0.0.1", config, page(401, "")))
			t.URL = "https://user:password@" + Host + "/"
			return t
		}},
		{Name: "credentials, and a healthy certificate", serve: func(l *Lab) Target {
			t := at(l.web("127.0.0.1", l.config(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, password, _ := r.BasicAuth(); password != "password" {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})))
			t.URL = "https://user:password@" + Host + "/"
			return t
		}},
		{Name: "expired and 503", Want: codes(finding.CertExpired, finding.HTTPStatus), serve: func(l *Lab) Target {
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{l.leaf(pki90(l)...).TLS()}}, page(503, ""))) // a server's defaults
		}},
		{Name: "http: healthy", serve: func(l *Lab) Target { return Target{URL: "http://" + Host + "/", To: []string{l.plain(ok())}} }},
		{Name: "http: 500", Want: codes(finding.HTTPStatus), serve: func(l *Lab) Target { return Target{URL: "http://" + Host + "/", To: []string{l.plain(page(500, ""))}} }},
		{Name: "http: a TLS port", Want: codes(finding.HTTPStatus), serve: func(l *Lab) Target {
			t := at(l.web("127.0.0.1", l.config(), ok()))
			t.URL = "http://" + Host + "/"
			return t
		}},
		{Name: "http: silence", Want: codes(finding.HTTPTimeout), serve: func(l *Lab) Target { return Target{URL: "http://" + Host + "/", To: []string{l.raw(hangs)}} }},
	}
}
