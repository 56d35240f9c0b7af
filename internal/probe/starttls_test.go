package probe

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// step is one exchange of a scripted server: what it waits for and its answer.
type step struct{ want, answer string }

// scripted performs a preamble and then, if upgrade is set, TLS.
func scripted(t testing.TB, upgrade *tls.Config, steps ...step) func(net.Conn) {
	return func(conn net.Conn) {
		for _, s := range steps {
			got := make([]byte, len(s.want))
			if _, err := io.ReadFull(conn, got); err != nil {
				return
			}
			if strings.HasPrefix(string(got), "\x16\x03") {
				certtest.Silent(conn) // the follow-up probe: a ClientHello at once
				return
			}
			if string(got) != s.want {
				t.Errorf("the client says %q, want %q", got, s.want)
				return
			}
			if _, err := io.WriteString(conn, s.answer); err != nil {
				return
			}
		}
		if upgrade != nil {
			_ = tls.Server(conn, upgrade).Handshake()
			return
		}
		certtest.Silent(conn)
	}
}

// What clients send and servers answer in the binary protocols, and the elements of XMPP.
const (
	sslRequest   = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	mysqlRequest = "\x20\x00\x00\x01\x00\x8a\x08\x00\x00\x00\x00\x01\x2d" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	mysqlTLS     = "\x1a\x00\x00\x00\x0a8.0\x00\x01\x00\x00\x0012345678\x00\xff\xff\x2d\x02\x00\xff\xdf\x00"
	mysqlNoTLS   = "\x1a\x00\x00\x00\x0a8.0\x00\x01\x00\x00\x0012345678\x00\xff\xf7\x2d\x02\x00\xff\xdf\x00"
	ldapRequest  = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	ldapAgreed   = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	xmppOpen     = "<?xml version='1.0'?><stream:stream to='127.0.0.1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	xmppHeader   = "<?xml version='1.0'?>\n<stream:stream id='1' from='x' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	xmppOffer    = xmppHeader + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
	xmppStart    = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

func TestStartTLS(t *testing.T) {
	config := serving(t)
	ehlo, name := "EHLO [127.0.0.1]\r\n", "EHLO "+ownName()+"\r\n"
	for name, c := range map[string]struct {
		kind    target.Kind
		upgrade bool
		steps   []step
		fault   observation.FailureKind
	}{
		"smtp": {target.SMTP, true, []step{
			{"", "220-mail.test\r\n220 ESMTP\r\n"}, {ehlo, "250-mail.test\r\n250-SIZE 1\r\n250-starttls\r\n250 HELP\r\n"},
			{"STARTTLS\r\n", "220 go ahead\r\n"},
		}, ""},
		"smtp, terse":            {target.SMTP, true, []step{{"", "220\n"}, {ehlo, "250 STARTTLS\n"}, {"STARTTLS\r\n", "220\n"}}, ""},
		"smtp, not offered":      {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "250-x\r\n250 SIZE 1\r\n"}}, observation.StartTLSRefused},
		"smtp, refused":          {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "454 not now\r\n"}}, observation.StartTLSRefused},
		"smtp, turned away":      {target.SMTP, false, []step{{"", "554 no service\r\n"}}, observation.StartTLSRefused},
		"smtp, an HTTP server":   {target.SMTP, false, []step{{"", "HTTP/1.1 400 Bad Request\r\n"}}, observation.StartTLSRefused},
		"smtp, silent":           {target.SMTP, false, nil, observation.TimedOut},
		"smtp, silent later":     {target.SMTP, false, []step{{"", "220 x\r\n"}}, observation.TimedOut},
		"smtp, text injected":    {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "220 go\r\n250 injected\r\n"}}, observation.Injected},
		"smtp, an endless line":  {target.SMTP, false, []step{{"", "220 " + strings.Repeat("x", 5000)}}, observation.StartTLSRefused},
		"smtp, an endless reply": {target.SMTP, false, []step{{"", strings.Repeat("220-x\r\n", 5000)}}, observation.StartTLSRefused},
		"smtp, a name instead of an address": {target.SMTP, true, []step{
			{"", "220 x\r\n"}, {ehlo, "501-5.5.2 that is\r\n501 no name\r\n"}, {name, "250-x\r\n250 STARTTLS REQUIRED\r\n"}, {"STARTTLS\r\n", "220 go\r\n"},
		}, ""},
		"smtp, neither address nor name": {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "501 x\r\n"}, {name, "550 y\r\n"}}, observation.StartTLSRefused},
		"smtp, not now":                  {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "421 x\r\n"}}, observation.StartTLSRefused},
		"imap": {target.IMAP, true, []step{
			{"", "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"}, {"a1 STARTTLS\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n"},
		}, ""},
		"imap, injected":     {target.IMAP, false, []step{{"", "* OK ready\r\n"}, {"a1 STARTTLS\r\n", "a1 OK begin\r\n* OK hello\r\n"}}, observation.Injected},
		"imap, refused":      {target.IMAP, false, []step{{"", "* OK ready\r\n"}, {"a1 STARTTLS\r\n", "a1 BAD unknown\r\n"}}, observation.StartTLSRefused},
		"imap, preauth":      {target.IMAP, false, []step{{"", "* PREAUTH welcome\r\n"}}, observation.StartTLSRefused},
		"imap, endless":      {target.IMAP, false, []step{{"", "* OK ready\r\n"}, {"a1 STARTTLS\r\n", strings.Repeat("* x\r\n", 5000)}}, observation.StartTLSRefused},
		"imap, silent":       {target.IMAP, false, nil, observation.TimedOut},
		"pop3":               {target.POP3, true, []step{{"", "+OK ready\r\n"}, {"STLS\r\n", "+OK begin\r\n"}}, ""},
		"pop3, injected":     {target.POP3, false, []step{{"", "+OK ready\r\n"}, {"STLS\r\n", "+OK begin\r\n+OK hello\r\n"}}, observation.Injected},
		"pop3, refused":      {target.POP3, false, []step{{"", "+OK ready\r\n"}, {"STLS\r\n", "-ERR no\r\n"}}, observation.StartTLSRefused},
		"pop3, silent":       {target.POP3, false, nil, observation.TimedOut},
		"postgres":           {target.Postgres, true, []step{{sslRequest, "S"}}, ""},
		"postgres, injected": {target.Postgres, false, []step{{sslRequest, "SE\x00\x00\x00\x09SFATAL"}}, observation.Injected},
		"postgres, off":      {target.Postgres, false, []step{{sslRequest, "N"}}, observation.StartTLSRefused},
		"postgres, error":    {target.Postgres, false, []step{{sslRequest, "E\x00\x00\x00\x08SERR"}}, observation.StartTLSRefused},
		"postgres, silent":   {target.Postgres, false, []step{{sslRequest, ""}}, observation.TimedOut},
		"mysql":              {target.MySQL, true, []step{{"", mysqlTLS}, {mysqlRequest, ""}}, ""},
		"mysql, off":         {target.MySQL, false, []step{{"", mysqlNoTLS}}, observation.StartTLSRefused},
		"mysql, blocked":     {target.MySQL, false, []step{{"", "\x0a\x00\x00\x00\xff\x69\x04blocked"}}, observation.StartTLSRefused},
		"mysql, old":         {target.MySQL, false, []step{{"", "\x05\x00\x00\x00\x093.20"}}, observation.StartTLSRefused},
		"mysql, cut off":     {target.MySQL, false, []step{{"", "\x06\x00\x00\x00\x0a8.0\x00\x01"}}, observation.StartTLSRefused},
		"mysql, injected":    {target.MySQL, false, []step{{"", mysqlTLS + "x"}}, observation.Injected},
		"mysql, endless":     {target.MySQL, false, []step{{"", "\xff\xff\xff\x00"}}, observation.StartTLSRefused},
		"mysql, silent":      {target.MySQL, false, nil, observation.TimedOut},
		"ldap":               {target.LDAP, true, []step{{ldapRequest, ldapAgreed}}, ""},
		"ldap, Active Directory": {target.LDAP, true, []step{{ldapRequest, "\x30\x84\x00\x00\x00\x28\x02\x01\x01\x78\x84\x00\x00\x00\x1f\x0a\x01\x00\x04\x00\x04\x00" +
			"\x8a\x161.3.6.1.4.1.1466.20037"}}, ""},
		"ldap, refused":         {target.LDAP, false, []step{{ldapRequest, "\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01\x02\x04\x00\x04\x03no!"}}, observation.StartTLSRefused},
		"ldap, disconnected":    {target.LDAP, false, []step{{ldapRequest, "\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x33\x04\x00\x04\x00"}}, observation.StartTLSRefused},
		"ldap, not ours":        {target.LDAP, false, []step{{ldapRequest, "\x30\x0c\x02\x01\x07\x78\x07\x0a\x01\x00\x04\x00\x04\x00"}}, observation.StartTLSRefused},
		"ldap, another message": {target.LDAP, false, []step{{ldapRequest, "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"}}, observation.StartTLSRefused},
		"ldap, malformed":       {target.LDAP, false, []step{{ldapRequest, "\x30\x05\x02\x01\x01\x78\x7f"}}, observation.StartTLSRefused},
		"ldap, indefinite":      {target.LDAP, false, []step{{ldapRequest, "\x30\x80\x02\x01\x01"}}, observation.StartTLSRefused},
		"ldap, endless":         {target.LDAP, false, []step{{ldapRequest, "\x30\x84\xff\xff\xff\xff"}}, observation.StartTLSRefused},
		"ldap, injected":        {target.LDAP, false, []step{{ldapRequest, ldapAgreed + ldapAgreed}}, observation.Injected},
		"ldap, no LDAP":         {target.LDAP, false, []step{{ldapRequest, "HTTP/1.1 400\r\n"}}, observation.StartTLSRefused},
		"ldap, silent":          {target.LDAP, false, []step{{ldapRequest, ""}}, observation.TimedOut},
		"ldap, a message stops": {target.LDAP, false, []step{{ldapRequest, ldapAgreed[:9]}}, observation.TimedOut},
		"ftp":                   {target.FTP, true, []step{{"", "220-Welcome\r\nto this server\r\n 220 or so\r\n220 ready\r\n"}, {"AUTH TLS\r\n", "234 go\r\n"}}, ""},
		"ftp, soon":             {target.FTP, true, []step{{"", "120 in a minute\r\n220 ready\r\n"}, {"AUTH TLS\r\n", "234-go\r\n234 on\r\n"}}, ""},
		"ftp, refused":          {target.FTP, false, []step{{"", "220 ready\r\n"}, {"AUTH TLS\r\n", "530 Please login with USER and PASS.\r\n"}}, observation.StartTLSRefused},
		"ftp, injected":         {target.FTP, false, []step{{"", "220 ready\r\n"}, {"AUTH TLS\r\n", "234 go\r\n230 hello\r\n"}}, observation.Injected},
		"ftp, busy":             {target.FTP, false, []step{{"", "421 too many\r\n"}}, observation.StartTLSRefused},
		"ftp, endless":          {target.FTP, false, []step{{"", "220-x\r\n" + strings.Repeat("x\r\n", 5000)}}, observation.StartTLSRefused},
		"ftp, silent":           {target.FTP, false, nil, observation.TimedOut},
		"nntp":                  {target.NNTP, true, []step{{"", "200 news\r\n"}, {"STARTTLS\r\n", "382 go\r\n"}}, ""},
		"nntp, refused":         {target.NNTP, false, []step{{"", "201 news\r\n"}, {"STARTTLS\r\n", "580 no\r\n"}}, observation.StartTLSRefused},
		"nntp, unknown":         {target.NNTP, false, []step{{"", "201 news\r\n"}, {"STARTTLS\r\n", "500 what\r\n"}}, observation.StartTLSRefused},
		"nntp, injected":        {target.NNTP, false, []step{{"", "201 news\r\n"}, {"STARTTLS\r\n", "382 go\r\n101 x\r\n"}}, observation.Injected},
		"nntp, turned away":     {target.NNTP, false, []step{{"", "502 no\r\n"}}, observation.StartTLSRefused},
		"nntp, silent":          {target.NNTP, false, nil, observation.TimedOut},
		"sieve": {target.Sieve, true, []step{
			{"", "\"IMPLEMENTATION\" \"x\"\r\n\"SIEVE\" {4+}\r\nabcd\r\n\"starttls\"\r\nOK (TAG {1}\r\nx) \"ready\"\r\n"}, {"STARTTLS\r\n", "OK\r\n"},
		}, ""},
		"sieve, not offered":           {target.Sieve, false, []step{{"", "\"IMPLEMENTATION\" \"x\"\r\nOK\r\n"}}, observation.StartTLSRefused},
		"sieve, refused":               {target.Sieve, false, []step{{"", "\"STARTTLS\"\r\nOK\r\n"}, {"STARTTLS\r\n", "NO \"not now\"\r\n"}}, observation.StartTLSRefused},
		"sieve, injected":              {target.Sieve, false, []step{{"", "\"STARTTLS\"\r\nOK\r\n"}, {"STARTTLS\r\n", "OK\r\nOK\r\n"}}, observation.Injected},
		"sieve, turned away":           {target.Sieve, false, []step{{"", "BYE \"no\"\r\n"}}, observation.StartTLSRefused},
		"sieve, endless":               {target.Sieve, false, []step{{"", strings.Repeat("\"X\"\r\n", 5000)}}, observation.StartTLSRefused},
		"sieve, a literal without end": {target.Sieve, false, []step{{"", strings.Repeat("\"X\" {1}\r\n", 5000)}}, observation.StartTLSRefused},
		"sieve, silent":                {target.Sieve, false, nil, observation.TimedOut},
		"xmpp":                         {target.XMPP, true, []step{{xmppOpen, xmppOffer}, {xmppStart, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}}, ""},
		"xmpp-server": {target.XMPPServer, true, []step{
			{strings.ReplaceAll(xmppOpen, ":client", ":server"), xmppOffer}, {xmppStart, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"},
		}, ""},
		"xmpp, not offered": {target.XMPP, false, []step{{xmppOpen, xmppHeader + "<stream:features/>"}}, observation.StartTLSRefused},
		"xmpp, refused":     {target.XMPP, false, []step{{xmppOpen, xmppOffer}, {xmppStart, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"}}, observation.StartTLSRefused},
		"xmpp, an error":    {target.XMPP, false, []step{{xmppOpen, xmppHeader + "<stream:error><host-unknown xmlns='x'/></stream:error></stream:stream>"}}, observation.StartTLSRefused},
		"xmpp, closed":      {target.XMPP, false, []step{{xmppOpen, xmppHeader + "</stream:stream>"}}, observation.StartTLSRefused},
		"xmpp, injected":    {target.XMPP, false, []step{{xmppOpen, xmppOffer}, {xmppStart, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message/>"}}, observation.Injected},
		"xmpp, an entity":   {target.XMPP, false, []step{{xmppOpen, "<!DOCTYPE a [<!ENTITY b 'c'>]>" + xmppHeader}}, observation.StartTLSRefused},
		"xmpp, a page":      {target.XMPP, false, []step{{xmppOpen, "<html><p>no"}}, observation.StartTLSRefused},
		"xmpp, endless":     {target.XMPP, false, []step{{xmppOpen, xmppHeader + strings.Repeat("<x>", 50000)}}, observation.StartTLSRefused},
		"xmpp, an encoding": {target.XMPP, false, []step{{xmppOpen, "<?xml version='1.0' encoding='UTF-7'?>" + xmppHeader}}, observation.StartTLSRefused},
		"xmpp, silent":      {target.XMPP, false, []step{{xmppOpen, xmppHeader}}, observation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var upgrade *tls.Config
			if c.upgrade {
				upgrade = config
			}
			a := observeServer(t, c.kind, scripted(t, upgrade, c.steps...), c.fault == observation.TimedOut)
			if c.fault != "" {
				failed(t, a, observation.PhaseStartTLS, c.fault)
				return
			}
			healthy(t, a)
			if a.TLS == nil || len(a.TLS.Chain) != 2 || a.TLS.ALPN != "" || a.Phases.StartTLS <= 0 {
				t.Errorf("got %+v, phases %+v", a.TLS, a.Phases)
			}
		})
	}
}

// ownName is the name that a probe uses where a server wants none but names.
func ownName() string {
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") {
		return name
	}
	return "localhost.localdomain"
}

// TestRefusalSaysWhy: a refusal quotes the server's answer, escaped and cut.
func TestRefusalSaysWhy(t *testing.T) {
	ehlo := "EHLO [127.0.0.1]\r\n"
	for name, c := range map[string]struct {
		kind  target.Kind
		want  string
		steps []step
	}{
		"smtp, both names": {target.SMTP, `the server rejects EHLO [127.0.0.1] and EHLO ` + ownName() + `: "501 5.5.2 a name, please", "550 not you"`, []step{
			{"", "220 x\r\n"}, {ehlo, "501-5.5.2 a name,\r\n501 please\r\n"}, {"EHLO " + ownName() + "\r\n", "550 not you\r\n"},
		}},
		"ftp":            {target.FTP, `"530 Please log in\x1b[0m, first"`, []step{{"", "220 x\r\n"}, {"AUTH TLS\r\n", "530-Please log in\x1b[0m,\r\n530 first\r\n"}}},
		"ldap, no words": {target.LDAP, `answered with the result 53 (unwillingToPerform)`, []step{{ldapRequest, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00"}}},
		"ldap": {target.LDAP, `result 2 (protocolError): "unsupported"`, []step{
			{ldapRequest, "\x30\x17\x02\x01\x01\x78\x12\x0a\x01\x02\x04\x00\x04\x0bunsupported"},
		}},
		"mysql": {target.MySQL, `error 1129: "Host is blocked"`, []step{{"", "\x18\x00\x00\x00\xff\x69\x04#HY000Host is blocked"}}},
		"nntp":  {target.NNTP, `"502 permission denied"`, []step{{"", "502 permission denied\r\n"}}},
		"sieve": {target.Sieve, `"NO (TRYLATER) \"busy\""`, []step{{"", "\"STARTTLS\"\r\nOK\r\n"}, {"STARTTLS\r\n", "NO (TRYLATER) \"busy\"\r\n"}}},
		"xmpp": {target.XMPP, `"error host-unknown not here"`, []step{
			{xmppOpen, xmppHeader + "<stream:error><host-unknown xmlns='x'/><text xmlns='x'>not  here</text></stream:error>"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := observeServer(t, c.kind, scripted(t, nil, c.steps...), false)
			failed(t, a, observation.PhaseStartTLS, observation.StartTLSRefused)
			if !strings.Contains(a.Failure.Detail, c.want) || strings.HasSuffix(a.Failure.Detail, `: ""`) {
				t.Errorf("got %q, want %q in it", a.Failure.Detail, c.want)
			}
		})
	}
}

// TestAddressInEHLOEndsTheConnection: a server that rejects the address and hangs up is asked once more with the host name, on a new connection,
// and by the host name alone from then on; one that rejects something else, or a configured name, is not.
func TestAddressInEHLOEndsTheConnection(t *testing.T) {
	config := serving(t)
	for name, c := range map[string]struct {
		code     string // of the rejection
		rejects  string // what the name must hold to be rejected
		ehlo     string // configured
		met      int32  // connections with a rejected name
		healthy  bool
		mentions string
	}{
		"accepts names":              {"550", "[", "", 1, true, ""},
		"accepts no name":            {"550", "", "", 2, false, "rejects EHLO " + ownName()},
		"not now":                    {"450", "[", "", 1, false, "rejects EHLO [127.0.0.1]"},
		"no service":                 {"421", "[", "", 1, false, "rejects EHLO [127.0.0.1]"},
		"rejects the configured one": {"550", "", "monitor.example.org", 1, false, "rejects EHLO monitor.example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			var rejected, accepted atomic.Int32
			a := observeServer(t, target.SMTP, func(conn net.Conn) {
				_, _ = io.WriteString(conn, "220 x\r\n")
				in := bufio.NewReader(conn)
				line, err := in.ReadString('\n')
				if err != nil || !strings.HasPrefix(line, "EHLO ") {
					return // a look for another protocol
				}
				if strings.Contains(line, c.rejects) {
					rejected.Add(1)
					_, _ = io.WriteString(conn, c.code+" not you\r\n")
					return
				}
				accepted.Add(1)
				_, _ = io.WriteString(conn, "250 STARTTLS\r\n")
				_, _ = in.ReadString('\n')
				_, _ = io.WriteString(conn, "220 go\r\n")
				_ = tls.Server(conn, config).Handshake()
			}, false, func(e *target.Endpoint) { e.EHLOName = c.ehlo })
			if got := rejected.Load(); got != c.met {
				t.Errorf("met %d connections with a name that it rejects", got)
			}
			if c.healthy {
				healthy(t, a)
				if a.Other == nil || accepted.Load() != 2 {
					t.Errorf("other certificate %+v, accepted %d", a.Other, accepted.Load())
				}
				return
			}
			failed(t, a, observation.PhaseStartTLS, observation.StartTLSRefused)
			if !strings.Contains(a.Failure.Detail, c.mentions) {
				t.Error(a.Failure.Detail)
			}
		})
	}
}

// TestInjectedText: text between the agreement and the handshake is kept, and nothing of it, or behind it, is taken for TLS.
func TestInjectedText(t *testing.T) {
	var said atomic.Int64
	a := observeServer(t, target.SMTP, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		_, _ = io.WriteString(conn, "220 x\r\n")
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(conn, "250 STARTTLS\r\n")
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(conn, "220 go\r\n250 \x1b[31mhello\r\nmore\r\n")
		n, _ := io.Copy(io.Discard, in)
		said.Add(n)
	}, false)
	failed(t, a, observation.PhaseStartTLS, observation.Injected)
	if a.Failure.Said != `250 \x1b[31mhello` || said.Load() != 0 || a.TLS != nil {
		t.Errorf("%+v, sent %d bytes more", a.Failure, said.Load())
	}
}

// TestEHLOName: the configured name is used, and no other.
func TestEHLOName(t *testing.T) {
	named := func(e *target.Endpoint) { e.EHLOName = "monitor.example.org" }
	hello := "EHLO monitor.example.org\r\n"
	accepting := certtest.Serve(t, "127.0.0.1", scripted(t, serving(t), step{"", "220 x\r\n"}, step{hello, "250 STARTTLS\r\n"}, step{"STARTTLS\r\n", "220 go\r\n"}))
	healthy(t, one(t, observe(t, at(t, target.SMTP, accepting, named))))
	rejecting := certtest.Serve(t, "127.0.0.1", scripted(t, nil, step{"", "220 x\r\n"}, step{hello, "550 unknown\r\n"}))
	a := one(t, observe(t, at(t, target.SMTP, rejecting, named)))
	failed(t, a, observation.PhaseStartTLS, observation.StartTLSRefused)
	if !strings.HasSuffix(a.Failure.Detail, `rejects EHLO monitor.example.org: "550 unknown"`) {
		t.Errorf("%q", a.Failure.Detail)
	}
}

func TestPostgresSaysWhy(t *testing.T) {
	for said, want := range map[string]string{
		"E\x00\x00\x00\x2fSFATAL\x00C53300\x00Mtoo many connections\x00\x00": `an error: "too many connections"`,
		"E\xff\xff\xff\xffSFATAL\x00Mno \x1b[31m end":                        `an error: "no \x1b[31m end"`,
		"E\x00\x00": "no message",
	} {
		address := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 8))
			_, _ = io.WriteString(conn, said)
		})
		a := one(t, observe(t, at(t, target.Postgres, address)))
		failed(t, a, observation.PhaseStartTLS, observation.StartTLSRefused)
		if !strings.Contains(a.Failure.Detail, want) {
			t.Errorf("got %q, want %q in it", a.Failure.Detail, want)
		}
	}
}

func TestStartTLSBrokenOff(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		kind  observation.FailureKind
	}{
		"closed": {func(net.Conn) {}, observation.Closed},
		"reset": {func(c net.Conn) {
			_, _ = io.WriteString(c, "220 x\r\n")
			certtest.Reset(c)
		}, observation.Reset},
		"a byte at a time": {func(c net.Conn) { certtest.Trickle(c, []byte("220-x"), 100*time.Millisecond) }, observation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			a := observeServer(t, target.SMTP, c.serve, c.kind == observation.TimedOut)
			failed(t, a, observation.PhaseStartTLS, c.kind)
		})
	}
}

// TestMySQLFarewell: a MySQL server sees a login that it can deny, since it blocks hosts whose connections end without one, and the
// time for that is not the endpoint's. MariaDB requests a client certificate, for which other servers get time to reject the client.
func TestMySQLFarewell(t *testing.T) {
	config := serving(t)
	config.ClientAuth = tls.RequestClientCert
	login := make(chan string, 1)
	a := observeServer(t, target.MySQL, func(conn net.Conn) {
		_, _ = io.WriteString(conn, mysqlTLS)
		_, _ = io.ReadFull(conn, make([]byte, len(mysqlRequest)))
		over := tls.Server(conn, config)
		packet := make([]byte, 4+65)
		if _, err := io.ReadFull(over, packet); err != nil {
			t.Error(err)
		}
		login <- string(packet)
		certtest.Silent(conn)
	}, true)
	healthy(t, a)
	if got := <-login; !strings.Contains(got, "\x00certdrift\x00\x00") || got[3] != 2 {
		t.Errorf("%q", got)
	}
	if a.Phases.Total != 0 { // in fake time
		t.Errorf("phases %+v", a.Phases)
	}
	if a.Other != nil { // for which the server would meet a handshake without an end
		t.Errorf("asked for another certificate: %+v", a.Other)
	}
}

// TestMySQLRequiresACertificate: a farewell does not hide that the server rejects a client without a certificate.
func TestMySQLRequiresACertificate(t *testing.T) {
	config := serving(t)
	config.ClientAuth = tls.RequireAnyClientCert
	a := observeServer(t, target.MySQL, func(conn net.Conn) {
		_, _ = io.WriteString(conn, mysqlTLS)
		_, _ = io.ReadFull(conn, make([]byte, len(mysqlRequest)))
		_, _ = io.Copy(io.Discard, tls.Server(conn, config))
	}, true)
	failed(t, a, observation.PhaseTLS, observation.ClientCertNeeded)
}
