package probe

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// greetings are how servers begin that speak before the client does.
var greetings = map[observation.Protocol]string{
	"ssh":         "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
	"smtp":        "220 mail.example.org ESMTP Postfix\r\n",
	"ftp":         "220 (vsFTPd 3.0.3)\r\n",
	"smtp-or-ftp": "220 welcome\r\n",
	"imap":        "* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n",
	"pop3":        "+OK Dovecot ready.\r\n",
	"nntp":        "201 news.example.org InterNetNews ready (no posting).\r\n",
	"sieve":       "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"STARTTLS\"\r\nOK\r\n",
	"mysql":       mysqlTLS,
	"vnc":         "RFB 003.008\n",
	"amqp":        "AMQP\x00\x00\x09\x01",
}

// greets sends a greeting and reads what comes.
func greets(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// TestForeignGreeting: a server that greets in another protocol is named, whatever was expected.
func TestForeignGreeting(t *testing.T) {
	for protocol, text := range greetings {
		for _, kind := range []target.Kind{target.HTTPS, target.TLS, target.HTTP, target.SMTP, target.IMAP, target.Postgres, target.LDAP, target.XMPP, target.FTP} {
			if protocol == observation.Protocol(kind) || protocol == observation.SMTPOrFTP && (kind == target.SMTP || kind == target.FTP) {
				continue
			}
			if protocol == "amqp" || protocol == "vnc" { // shorter than what some preambles read; the handshake shows them
				if kind != target.HTTPS && kind != target.TLS {
					continue
				}
			}
			t.Run(string(kind)+" to "+string(protocol), func(t *testing.T) {
				t.Parallel()
				server := greets(text)
				if kind == target.SMTP || kind == target.FTP { // these begin alike
					server = func(conn net.Conn) {
						_, _ = io.WriteString(conn, text)
						_, _ = bufio.NewReader(conn).ReadString('\n')
						_, _ = io.WriteString(conn, "500 unknown command\r\n")
						_, _ = bufio.NewReader(conn).ReadString('\n')
						_, _ = io.WriteString(conn, "500 unknown command\r\n")
					}
				}
				f := observeServer(t, kind, server, false).Failure
				if f == nil || f.Speaks != protocol {
					t.Fatalf("got %+v", f)
				}
				if tlsKind := f.Kind == observation.NotTLS; tlsKind != (f.Said != "") {
					t.Errorf("it said %q", f.Said)
				}
			})
		}
	}
}

// replies serves with the answer to what a client must say first; what else comes is answered as other servers of the protocol do:
// they close.
func replies(hello, answer string) func(net.Conn) {
	return func(conn net.Conn) {
		got := make([]byte, len(hello))
		if n, err := conn.Read(got); err != nil || string(got[:n]) != hello {
			return
		}
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// TestForeignWaits: servers that wait for the client and hang up at what they cannot read are asked in their own protocol.
func TestForeignWaits(t *testing.T) {
	xmppError := xmppHeader + "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
	rdp := "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00"
	for name, c := range map[string]struct {
		kind  target.Kind
		serve func(net.Conn)
		want  observation.Protocol
	}{
		"PostgreSQL":              {target.TLS, replies(sslRequest, "S"), "postgres"},
		"PostgreSQL without TLS":  {target.TLS, replies(sslRequest, "N"), "postgres"},
		"LDAP":                    {target.TLS, replies(ldapRequest, ldapAgreed), "ldap"},
		"LDAP without TLS":        {target.TLS, replies(ldapRequest, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"), "ldap"},
		"RDP":                     {target.TLS, replies("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", rdp), "rdp"},
		"XMPP":                    {target.HTTPS, says(xmppError), "xmpp"},
		"XMPP, between servers":   {target.TLS, says(strings.ReplaceAll(xmppError, "jabber:client", "jabber:server")), "xmpp-server"},
		"XMPP where HTTP is due":  {target.HTTP, says(xmppError), "xmpp"},
		"Redis":                   {target.TLS, says("-ERR unknown command\r\n"), "redis"},
		"a PostgreSQL error":      {target.TLS, says("E\x00\x00\x00\x40SFATAL\x00VFATAL\x00C08P01\x00"), "postgres"},
		"TLS where LDAP is due":   {target.LDAP, closesUnlessTLS, "tls"},
		"TLS where XMPP is due":   {target.XMPP, closesUnlessTLS, "tls"},
		"HTTP where IMAP is due":  {target.IMAP, greets("HTTP/1.1 408 Request Timeout\r\n\r\n"), "http"},
		"HTTP where LDAP is due":  {target.LDAP, says("HTTP/1.1 400 Bad Request\r\n\r\n"), "http"},
		"nothing that is known":   {target.TLS, says("hello\r\n"), ""},
		"a letter that agrees":    {target.TLS, says("S"), ""},
		"SMTP, after it agreed":   {target.SMTP, agreed("454 TLS not available\r\n"), ""},
		"IMAP words on the SMTP":  {target.SMTP, agreed("* OK ready\r\n"), "imap"},
		"closes whatever is sent": {target.TLS, says(""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := observeServer(t, c.kind, c.serve, false).Failure
			if f == nil || f.Speaks != c.want {
				t.Fatalf("got %+v", f)
			}
		})
	}
}

// says answers whatever is sent with a text.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
	}
}

// closesUnlessTLS answers a ClientHello with an alert, and nothing else.
func closesUnlessTLS(conn net.Conn) {
	if start := make([]byte, 4096); read(conn, start) > 1 && start[0] == recordHandshake && start[1] == 3 {
		_, _ = io.WriteString(conn, "\x15\x03\x01\x00\x02\x02\x28")
	}
}

func read(conn net.Conn, into []byte) int {
	n, _ := conn.Read(into)
	return n
}

// agreed serves SMTP that agrees to STARTTLS, and then says a text.
func agreed(text string) func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for _, answer := range []string{"220 mail ESMTP\r\n", "250-" + strings.Repeat("x", 600) + "\r\n250 STARTTLS\r\n", "220 go\r\n"} {
			_, _ = io.WriteString(conn, answer)
			if answer == "220 go\r\n" {
				break
			}
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
		}
		_, _ = in.Peek(5) // the ClientHello
		_, _ = io.WriteString(conn, text)
	}
}

// TestForeignByPort: a server that is silent is asked only in the protocol of its port.
func TestForeignByPort(t *testing.T) {
	silentUnless := func(hello, answer string) func(net.Conn) {
		return func(conn net.Conn) {
			if got := make([]byte, len(hello)); read(conn, got) == len(got) && string(got) == hello {
				_, _ = io.WriteString(conn, answer)
			}
			certtest.Silent(conn)
		}
	}
	for _, c := range []struct {
		port int
		want observation.Protocol
	}{{389, "ldap"}, {636, ""}} {
		a := observeServer(t, target.TLS, silentUnless(ldapRequest, ldapAgreed), true, func(e *target.Endpoint) {
			e.Port, e.ConnectTo = c.port, []string{"127.0.0.1:1000"}
		})
		failed(t, a, observation.PhaseTLS, observation.TimedOut)
		if a.Failure.Speaks != c.want {
			t.Errorf("at port %d: %q", c.port, a.Failure.Speaks)
		}
	}
	hello := func(conn net.Conn) {
		if start := make([]byte, 4096); read(conn, start) > 1 && start[0] == recordHandshake {
			_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x28")
		}
		certtest.Silent(conn)
	}
	a := observeServer(t, target.SMTP, hello, true)
	failed(t, a, observation.PhaseStartTLS, observation.TimedOut)
	if a.Failure.Speaks != "tls" {
		t.Errorf("a TLS port that waits speaks %q", a.Failure.Speaks)
	}
}

// TestSaid: what a server says in plaintext after it agreed to STARTTLS is kept, cut and cleaned, also if it comes in pieces.
func TestSaid(t *testing.T) {
	for text, want := range map[string]string{
		"454 TLS not available due to temporary reason\r\n":   "454 TLS not available due to temporary reason",
		"454-TLS not\r\n454 available\r\n":                    "454-TLS not",
		"\r\n454 \x1b[31mred\r\n":                             `454 \x1b[31mred`,
		"454 " + strings.Repeat("x", 100000):                  "454 " + strings.Repeat("x", 196) + "…",
		"554 5.7.0 Error: no TLS for ::error file=a,line=1::": "554 5.7.0 Error: no TLS for ::error file=a,line=1::",
	} {
		a := observeServer(t, target.SMTP, agreed(text), false)
		failed(t, a, observation.PhaseTLS, observation.NotTLS)
		if a.Failure.Said != want {
			t.Errorf("got %q, want %q", a.Failure.Said, want)
		}
	}
	a := observeServer(t, target.SMTP, func(conn net.Conn) {
		agreed("454 T")(conn)
		_, _ = io.WriteString(conn, "LS not now\r\n")
		certtest.Silent(conn)
	}, true)
	if a.Failure == nil || a.Failure.Said != "454 TLS not now" {
		t.Errorf("in pieces: %+v", a.Failure)
	}
}

// TestForeignInTLS: an https URL of a port where another protocol runs over TLS.
func TestForeignInTLS(t *testing.T) {
	config := serving(t)
	for protocol, text := range map[observation.Protocol]string{"imap": greetings["imap"], "pop3": greetings["pop3"], "smtp": greetings["smtp"], "": "hello\r\n"} {
		a := observeServer(t, target.HTTPS, func(conn net.Conn) { greets(text)(tls.Server(conn, config)) }, false)
		failed(t, a, observation.PhaseHeaders, observation.Invalid)
		if a.Failure.Speaks != protocol {
			t.Errorf("%q is taken for %q: %s", text, a.Failure.Speaks, a.Failure.Detail)
		}
	}
	// An answer that is HTTP, but malformed, is no other protocol.
	a := observeServer(t, target.HTTPS, func(conn net.Conn) {
		over := tls.Server(conn, config)
		_, _ = http.ReadRequest(bufio.NewReader(over))
		_, _ = io.WriteString(over, "HTTP/1.1 2x0 OK\r\n\r\n")
	}, false)
	if a.Failure == nil || a.Failure.Speaks != "" {
		t.Errorf("%+v", a.Failure)
	}
}

func FuzzRecognize(f *testing.F) {
	for _, text := range greetings {
		f.Add([]byte(text), 25)
	}
	f.Add([]byte("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78"), 389)
	f.Add([]byte("E\x00\x00\x00\x40SFATAL"), 5432)
	f.Add([]byte("\x03\x00\x00\x13\x0e\xd0"), 3389)
	f.Fuzz(func(t *testing.T, said []byte, port int) {
		if got := recognize(said, port); len(said) == 0 && got != "" {
			t.Errorf("nothing is %q", got)
		}
	})
}
