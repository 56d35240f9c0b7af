package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// TestLargeHello: a handshake that only a small ClientHello completes keeps its code and its severity, and names size, cause and clients.
// The certificate that the small one showed is judged all the same.
func TestLargeHello(t *testing.T) {
	for kind, code := range map[observation.FailureKind]finding.Code{
		observation.TimedOut: finding.TLSTimeout, observation.Reset: finding.ConnectReset,
		observation.Closed: finding.TLSHandshake, observation.Alert: finding.TLSHandshake,
	} {
		s := newScene(t)
		a := ok("10.0.0.1", s.Leaf("other.example.org"))
		a.HTTP = nil
		a.Failure = &observation.Failure{Phase: observation.PhaseTLS, Kind: kind, Hello: &observation.HelloSizes{Lost: 1558, Answered: 341}}
		s.HTTPS("api", host, a)
		f := s.one(code, finding.Critical)
		for _, words := range []string{"1558 bytes", "341 bytes", "middlebox", "Refused by: Chromium, Firefox (NSS), OpenSSL 3.5 and later, Go 1.24 and later, Apple. "} {
			if !strings.Contains(f.Summary, words) {
				t.Errorf("%s: %q does not say %q", kind, f.Summary, words)
			}
		}
		if !strings.Contains(f.Remedy, "X25519MLKEM768") || f.Evidence["client_hello_bytes"] != 1558 || f.Evidence["client_hello_answered_bytes"] != 341 {
			t.Errorf("%s: %q, %+v", kind, f.Remedy, f.Evidence)
		}
		s.one(finding.CertNameMismatch, finding.Critical)
	}
}
