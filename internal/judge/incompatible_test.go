package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// TestTLSHandshakeNamesTheSuite: where a further handshake showed which suite is all that a server has, the finding names it and the clients
// without it, and its check fails as they do.
func TestTLSHandshakeNamesTheSuite(t *testing.T) {
	for cipher, says := range map[string]string{
		"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256":   "Refused by: Chromium, Firefox (NSS), Go, rustls. ",
		"TLS_DHE_RSA_WITH_AES_256_CBC_SHA":      "Refused by: Chromium, Firefox (NSS), Python 3.10 and later, Go, rustls. ",
		"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384": "Firefox (NSS), Go, GnuTLS, rustls. ",
		"TLS_RSA_WITH_CAMELLIA_128_CBC_SHA":     "Python 3.10 and later, Go, Java, rustls. ",
		"TLS_RSA_WITH_AES_128_CBC_SHA":          "", // one that Go has is not why Go's handshake failed
	} {
		s := newScene(t)
		a := failing("10.0.0.1", observation.PhaseTLS, observation.Alert)
		a.Failure.Alert = "handshake_failure"
		a.TLS = &observation.TLS{Version: "TLS 1.2", Cipher: cipher, Chain: s.Leaf(host).Served()}
		s.HTTPS("api", host, a)
		s.only(finding.TLSHandshake)
		f := s.one(finding.TLSHandshake, finding.Critical)
		named := strings.Contains(f.Summary, cipher) && strings.Contains(f.Summary, says) && strings.Contains(f.Remedy, " -cipher ECDHE")
		if named != (says != "") {
			t.Errorf("%s: %q, %q", cipher, f.Summary, f.Remedy)
		}
	}
}
