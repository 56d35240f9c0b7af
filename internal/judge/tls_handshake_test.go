package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestTLSHandshake(t *testing.T) {
	for _, c := range []struct {
		failure observation.Failure
		says    string
	}{
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "unrecognized_name"}, `"unrecognized_name"`},
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "handshake_failure"}, `"handshake_failure"`},
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed}, "closed the connection during the TLS handshake"},
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.NoCertificate}, "no certificate"},
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.NotTLS}, "other than TLS"},
		{observation.Failure{Phase: observation.PhaseStartTLS, Kind: observation.StartTLSRefused}, "STARTTLS"},
		{observation.Failure{Phase: observation.PhaseStartTLS, Kind: observation.Closed}, "before STARTTLS"},
		{observation.Failure{Phase: observation.PhaseTLS, Kind: observation.HandshakeFailed}, "failed"},
	} {
		s := newScene(t)
		s.HTTPS("api", host, observation.Address{Address: "10.0.0.1:443", Failure: &c.failure})
		s.only(finding.TLSHandshake)
		if f := s.one(finding.TLSHandshake, finding.Critical); !strings.Contains(f.Summary, c.says) {
			t.Errorf("%q does not say %q", f.Summary, c.says)
		}
	}
}

func TestTLSHandshakeEscapesTheAlert(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, observation.Address{Address: "10.0.0.1:443", Failure: &observation.Failure{
		Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "bad\x1b[31m", Detail: "line\r\n::error::",
	}})
	f := s.one(finding.TLSHandshake, finding.Critical)
	if strings.ContainsAny(f.Summary+f.Evidence["detail"].(string), "\x1b\r\n") {
		t.Errorf("raw control characters in %q, %q", f.Summary, f.Evidence["detail"])
	}
}

// TestTLSHandshakeBySTARTTLS: the finding says what the server answered, and its command speaks STARTTLS as the probe did.
func TestTLSHandshakeBySTARTTLS(t *testing.T) {
	failed := func(f observation.Failure) finding.Finding {
		s := newScene(t)
		e := s.HTTPS("relay", host, observation.Address{Address: "10.0.0.1:25", Failure: &f})
		e.Target.Kind, e.Target.Port, e.Target.URL = target.SMTP, 25, "smtp://"+host
		return s.one(finding.TLSHandshake, finding.Critical)
	}
	f := failed(observation.Failure{Phase: observation.PhaseStartTLS, Kind: observation.StartTLSRefused, Detail: `STARTTLS refused: the server answers "421 busy"`})
	if !strings.Contains(f.Summary, `(smtp): the server answers "421 busy"`) || !strings.Contains(f.Remedy, "the server's own reply") {
		t.Errorf("%q, %q", f.Summary, f.Remedy)
	}
	f = failed(observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed})
	if !strings.Contains(f.Remedy, "openssl s_client -starttls smtp -connect 10.0.0.1:25") {
		t.Errorf("%q", f.Remedy)
	}
}

// TestTLSHandshakeInjected: text between the agreement and the handshake is no lack of STARTTLS, whatever the protocol.
func TestTLSHandshakeInjected(t *testing.T) {
	for _, scheme := range target.Schemes() {
		kind := target.Kind(scheme)
		if !kind.StartTLS() {
			continue
		}
		s := newScene(t)
		a := failing("10.0.0.1", observation.PhaseStartTLS, observation.Injected)
		a.Failure.Detail, a.Failure.Said = "the server sent 10 bytes of plaintext after agreeing to TLS", "250 hello"
		s.HTTPS("relay", host, a).Target.Kind = kind
		f := s.one(finding.TLSHandshake, finding.Critical)
		if !strings.Contains(f.Summary, "agreed to STARTTLS ("+scheme+") and sent plaintext before the handshake: \"250 hello\"") || strings.Contains(f.Summary, "does not") ||
			!strings.Contains(f.Remedy, "on the path") || strings.Contains(f.Remedy, "enable STARTTLS") || f.Evidence["said"] != "250 hello" {
			t.Errorf("%s: %s. %s %v", kind, f.Summary, f.Remedy, f.Evidence)
		}
	}
}

// TestTLSHandshakeRemedies: the remedy depends on what failed.
func TestTLSHandshakeRemedies(t *testing.T) {
	foreign := observation.Failure{Phase: observation.PhaseTLS, Kind: observation.HandshakeFailed, Detail: "tls: invalid signature by the server certificate: ECDSA verification failure"}
	for _, c := range []struct {
		host    string
		failure observation.Failure
		summary string
		remedy  string
	}{
		{host, foreign, "a key that doesn't match the first certificate", "openssl pkey -pubout"},
		{host, observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "unrecognized_name"}, "", "a certificate for it"},
		{host, observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "internal_error"}, "", "-servername " + host},
		{"10.0.0.1", observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "unrecognized_name"}, "", "connect_to"},
		{"10.0.0.1", observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed}, "", "-noservername"},
	} {
		s := newScene(t)
		s.HTTPS("api", c.host, observation.Address{Address: "10.0.0.1:443", Failure: &c.failure})
		if f := s.one(finding.TLSHandshake, finding.Critical); !strings.Contains(f.Summary, c.summary) || !strings.Contains(f.Remedy, c.remedy) {
			t.Errorf("%s %s: %q, %q", c.host, c.failure.Kind, f.Summary, f.Remedy)
		}
	}
}
