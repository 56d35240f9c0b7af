package probe

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
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

const sslRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"

func TestStartTLS(t *testing.T) {
	config := serving(t)
	ehlo := "EHLO [127.0.0.1]\r\n"
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
		"smtp, text injected":    {target.SMTP, false, []step{{"", "220 x\r\n"}, {ehlo, "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "220 go\r\n250 injected\r\n"}}, observation.StartTLSRefused},
		"smtp, an endless line":  {target.SMTP, false, []step{{"", "220 " + strings.Repeat("x", 5000)}}, observation.StartTLSRefused},
		"smtp, an endless reply": {target.SMTP, false, []step{{"", strings.Repeat("220-x\r\n", 5000)}}, observation.StartTLSRefused},
		"imap": {target.IMAP, true, []step{
			{"", "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"}, {"a1 STARTTLS\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n"},
		}, ""},
		"imap, refused":    {target.IMAP, false, []step{{"", "* OK ready\r\n"}, {"a1 STARTTLS\r\n", "a1 BAD unknown\r\n"}}, observation.StartTLSRefused},
		"imap, preauth":    {target.IMAP, false, []step{{"", "* PREAUTH welcome\r\n"}}, observation.StartTLSRefused},
		"imap, endless":    {target.IMAP, false, []step{{"", "* OK ready\r\n"}, {"a1 STARTTLS\r\n", strings.Repeat("* x\r\n", 5000)}}, observation.StartTLSRefused},
		"imap, silent":     {target.IMAP, false, nil, observation.TimedOut},
		"pop3":             {target.POP3, true, []step{{"", "+OK ready\r\n"}, {"STLS\r\n", "+OK begin\r\n"}}, ""},
		"pop3, refused":    {target.POP3, false, []step{{"", "+OK ready\r\n"}, {"STLS\r\n", "-ERR no\r\n"}}, observation.StartTLSRefused},
		"pop3, silent":     {target.POP3, false, nil, observation.TimedOut},
		"postgres":         {target.Postgres, true, []step{{sslRequest, "S"}}, ""},
		"postgres, off":    {target.Postgres, false, []step{{sslRequest, "N"}}, observation.StartTLSRefused},
		"postgres, error":  {target.Postgres, false, []step{{sslRequest, "E\x00\x00\x00\x08SERR"}}, observation.StartTLSRefused},
		"postgres, silent": {target.Postgres, false, []step{{sslRequest, ""}}, observation.TimedOut},
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
