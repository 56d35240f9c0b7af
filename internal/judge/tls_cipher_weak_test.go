package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestTLSCipherWeak(t *testing.T) {
	for _, test := range []struct {
		cipher, group string
		severity      finding.Severity
		says          string
	}{
		{"TLS_AES_128_GCM_SHA256", "X25519", 0, ""},
		{"TLS_AES_128_GCM_SHA256", "", 0, ""}, // seen by a probe that did not note the group
		{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "CurveP384", 0, ""},
		{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "X25519MLKEM768", 0, ""},
		{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "X25519", finding.Warning, "(CBC with SHA-1). Refused by: Python 3.10 and later, rustls. "},
		{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "X25519", finding.Critical, "Refused by: Chromium, Firefox (NSS), Go, GnuTLS, rustls. "},
		{"TLS_RSA_WITH_AES_256_GCM_SHA384", "", finding.Warning, "(RSA key exchange, without forward secrecy). Refused by: Python 3.10 and later, Go, rustls. "},
		{"TLS_RSA_WITH_AES_128_CBC_SHA256", "", finding.Critical, "Refused by: Chromium, Firefox (NSS), Python 3.10 and later, Go, GnuTLS, rustls. "},
		{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "X25519", finding.Critical, "(broken). Refused by: Chromium, Firefox (NSS), OpenSSL, curl, Python"},
		{"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "X25519", finding.Critical, "(broken)"},
		{"TLS_AES_256_GCM_SHA384", "CurveP521", finding.Warning, "nothing better than the group P-521. Refused by: Chromium, rustls. "},
		{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "CurveP521", finding.Warning, "Refused by: Chromium, Python 3.10 and later, rustls. "},
	} {
		s := newScene(t)
		a := ok("10.0.0.1", s.Leaf(host))
		a.TLS.Version, a.TLS.Cipher, a.TLS.Group = "TLS 1.2", test.cipher, test.group
		s.HTTPS("api", host, a)
		if test.says == "" {
			s.only()
			continue
		}
		s.only(finding.TLSCipherWeak)
		f := s.one(finding.TLSCipherWeak, test.severity)
		groupAlone := strings.Contains(test.says, "nothing better than the group")
		if !strings.Contains(f.Summary, test.says) || strings.Contains(f.Remedy, "-cipher ECDHE+AESGCM") == groupAlone ||
			strings.HasPrefix(f.Remedy, "Enable the groups X25519 and P-256") != groupAlone || !strings.Contains(f.Remedy, "-groups X25519:P-256:P-384") {
			t.Errorf("%s: %q, %q", test.cipher, f.Summary, f.Remedy)
		}
	}
}

// TestTLSCipherWeakBesideWorse: TLS 1.0 and a handshake that fails have findings of their own; a demand for a client certificate hides
// nothing.
func TestTLSCipherWeakBesideWorse(t *testing.T) {
	weak := func(version string) observation.Address {
		a := failing("10.0.0.1", observation.PhaseTLS, observation.ClientCertNeeded)
		a.TLS = &observation.TLS{Version: version, Cipher: "TLS_RSA_WITH_AES_128_CBC_SHA", ClientCertificateRequested: true}
		return a
	}
	s := newScene(t)
	a := weak("TLS 1.2")
	a.TLS.Chain = s.Leaf(host).Served()
	s.HTTPS("api", host, a)
	s.only(finding.TLSCipherWeak, finding.TLSClientCertificateRequired)

	s = newScene(t)
	a = ok("10.0.0.1", s.Leaf(host))
	a.TLS.Version, a.TLS.Cipher = "TLS 1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
	s.HTTPS("api", host, a)
	s.only(finding.TLSVersionOld)
}
