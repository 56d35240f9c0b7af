package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// judged returns the one finding for a failed probe of a URL's kind and port.
func judged(t *testing.T, kind target.Kind, port int, f observation.Failure) finding.Finding {
	t.Helper()
	s := newScene(t)
	e := s.HTTPS("it", host, observation.Address{Address: "10.0.0.1:443", Failure: &f})
	e.Target.Kind, e.Target.Port, e.Target.URL = kind, port, string(kind)+"://"+host
	all := s.judge().Findings
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	return all[0]
}

// TestForeignProtocol: a server that speaks another protocol than expected is named, and the scheme to use is suggested, whatever
// code the failure has.
func TestForeignProtocol(t *testing.T) {
	tls, start, headers := observation.PhaseTLS, observation.PhaseStartTLS, observation.PhaseHeaders
	for _, c := range []struct {
		kind           target.Kind
		port           int
		phase          observation.Phase
		failure        observation.FailureKind
		speaks         observation.Protocol
		code           finding.Code
		summary, fixed string
	}{
		{target.HTTPS, 25, tls, observation.NotTLS, "smtp", finding.TLSHandshake, "replied with SMTP instead of TLS", "smtp://" + host + ":25."},
		{target.TLS, 21, tls, observation.NotTLS, "smtp-or-ftp", finding.TLSHandshake, "SMTP or FTP instead", "smtp://" + host + ":21 or ftp://" + host + ":21"},
		{target.TLS, 22, tls, observation.NotTLS, "ssh", finding.TLSHandshake, "replied with SSH", "cannot check SSH"},
		{target.TLS, 389, tls, observation.Closed, "ldap", finding.TLSHandshake, "during the TLS handshake: it speaks LDAP", "ldap://" + host + ":389"},
		{target.TLS, 389, tls, observation.Reset, "ldap", finding.ConnectReset, "during the TLS handshake: it speaks LDAP", "ldap://" + host + ":389"},
		{target.TLS, 5432, tls, observation.TimedOut, "postgres", finding.TLSTimeout, "it speaks PostgreSQL's protocol", "postgres://" + host + ":5432"},
		{target.HTTPS, 5222, tls, observation.NotTLS, "xmpp", finding.TLSHandshake, "replied with XMPP", "xmpp://" + host + ":5222"},
		{target.HTTPS, 3389, tls, observation.Reset, "rdp", finding.ConnectReset, "it speaks RDP", "cannot check RDP"},
		{target.SMTP, 465, start, observation.TimedOut, "tls", finding.TLSTimeout, "it speaks TLS from the first byte", "tls://" + host + ":465"},
		{target.LDAP, 636, start, observation.Closed, "tls", finding.TLSHandshake, "before STARTTLS: it speaks TLS", "tls://" + host + ":636"},
		{target.SMTP, 21, start, observation.StartTLSRefused, "ftp", finding.TLSHandshake, "does not provide STARTTLS (smtp): it speaks FTP", "ftp://" + host + ":21"},
		{target.IMAP, 80, start, observation.StartTLSRefused, "http", finding.TLSHandshake, "it speaks plain HTTP", "http://" + host + ":80"},
		{target.HTTP, 22, headers, observation.Invalid, "ssh", finding.HTTPInvalid, "valid HTTP response: it speaks SSH", "cannot check SSH"},
		{target.HTTP, 143, headers, observation.Invalid, "imap", finding.HTTPInvalid, "it speaks IMAP", "imap://" + host + ":143"},
	} {
		f := judged(t, c.kind, c.port, observation.Failure{Phase: c.phase, Kind: c.failure, Speaks: c.speaks, Detail: "x"})
		if f.Code != c.code || !strings.Contains(f.Summary, c.summary) || !strings.Contains(f.Remedy, c.fixed) || f.Evidence["speaks"] != string(c.speaks) {
			t.Errorf("%s to %s, %s: %s %q, %q, %v", c.kind, c.speaks, c.failure, f.Code, f.Summary, f.Remedy, f.Evidence["speaks"])
		}
	}
	for protocol, name := range protocolNames() {
		if kind := target.Kind(protocol); name == "" || kind == target.HTTPS {
			t.Errorf("%q has the name %q", protocol, name)
		}
	}
	for _, scheme := range target.Schemes() {
		if speaks(&observation.Failure{Speaks: observation.Protocol(scheme)}) == "" && scheme != string(target.HTTPS) {
			t.Errorf("%s has no name", scheme)
		}
	}
}

// TestForeignProtocolInTLS: the port is right, and HTTP is not what runs inside TLS.
func TestForeignProtocolInTLS(t *testing.T) {
	s := newScene(t)
	imaps := ok("10.0.0.1", s.Leaf(host))
	imaps.HTTP, imaps.Failure = nil, &observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.Invalid, Speaks: "imap"}
	s.HTTPS("it", host, imaps)
	if f := s.one(finding.HTTPInvalid, finding.Critical); !strings.Contains(f.Summary, "it speaks IMAP") || !strings.Contains(f.Remedy, "tls://"+host+":443") {
		t.Errorf("%q, %q", f.Summary, f.Remedy)
	}
}

// TestUnknownProtocol: what a newer certdrift recognized is not printed as it is.
func TestUnknownProtocol(t *testing.T) {
	f := judged(t, target.HTTPS, 443, observation.Failure{Phase: observation.PhaseTLS, Kind: observation.NotTLS, Speaks: "\x1b[31m", Said: "x\x1b[0m::error::" + strings.Repeat("x", 500)})
	if strings.Contains(f.Summary, "\x1b") || f.Evidence["speaks"] != nil || len(f.Summary) > 300 || !strings.Contains(f.Summary, `other than TLS: "x\x1b[0m`) {
		t.Errorf("%q, %v", f.Summary, f.Evidence)
	}
}

// TestPlaintextAfterTheAgreement: the server's own words are the reason.
func TestPlaintextAfterTheAgreement(t *testing.T) {
	f := judged(t, target.SMTP, 25, observation.Failure{Phase: observation.PhaseTLS, Kind: observation.NotTLS, Said: "454 TLS not available due to temporary reason"})
	if f.Code != finding.TLSHandshake || !strings.HasSuffix(f.Summary, `agreed to STARTTLS (smtp) and then replied in plaintext: "454 TLS not available due to temporary reason"`) ||
		!strings.Contains(f.Remedy, "certificate and key") || f.Evidence["said"] != "454 TLS not available due to temporary reason" {
		t.Errorf("%s %q, %q, %v", f.Code, f.Summary, f.Remedy, f.Evidence)
	}
}

// TestNameRejected: the setting is in the remedy if the server rejects the client's name.
func TestNameRejected(t *testing.T) {
	f := judged(t, target.SMTP, 25, observation.Failure{
		Phase: observation.PhaseStartTLS, Kind: observation.StartTLSRefused, Detail: `STARTTLS refused: the server rejects EHLO [192.0.2.1] and EHLO a.example.org: "550 x"`,
	})
	if !strings.Contains(f.Remedy, "ehlo_name") {
		t.Errorf("%q", f.Remedy)
	}
}

func TestClientCommandForXMPP(t *testing.T) {
	f := judged(t, target.XMPP, 5222, observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed})
	if !strings.Contains(f.Remedy, "-starttls xmpp -xmpphost "+host+" -connect") {
		t.Errorf("%q", f.Remedy)
	}
}
