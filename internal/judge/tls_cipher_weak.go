package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func tlsCipherWeak() rule {
	return rule{Code: finding.TLSCipherWeak, connection: findCipherWeak}
}

// findCipherWeak reports a handshake that some clients cannot make. The probe offers what every current client offers first, and
// more only where a server rejects that: what is weak here is the best that the server has.
func findCipherWeak(c *connection) []finding.Finding {
	if c.TLS == nil || oldVersion(c.TLS.Version) || c.brokenOff() {
		return nil
	}
	var why []string
	var by []finding.Clients
	severity := finding.Warning
	if suite := legacySuite(c.TLS.Cipher); suite != nil {
		severity, by = suite.severity, append(by, clients.Of(suite.problem))
		why = append(why, fmt.Sprintf("the cipher suite %s (%s)", finding.Clean(c.TLS.Cipher, 60), suite.what))
	}
	if c.TLS.Group == "CurveP521" {
		why = append(why, "the group P-521")
		by = append(by, clients.Of(clients.GroupP521))
	}
	if len(why) == 0 {
		return nil
	}
	remedy, check := "Enable TLS 1.3, and for TLS 1.2 ECDHE with AES-GCM or ChaCha20 on X25519 and P-256", " -tls1_2 -cipher ECDHE+AESGCM:ECDHE+CHACHA20"
	if legacySuite(c.TLS.Cipher) == nil {
		remedy, check = "Enable the groups X25519 and P-256", ""
	}
	f := c.finding(finding.TLSCipherWeak, severity,
		fmt.Sprintf("%s offers nothing better than %s", c.name(), strings.Join(why, " and ")),
		finding.Evidence{"version": c.TLS.Version, "cipher": finding.Clean(c.TLS.Cipher, finding.QuoteLimit), "group": finding.Clean(c.TLS.Group, 40)},
		remedy+c.orPolicy()+". To check: "+c.clientCommand()+check+" -groups X25519:P-256:P-384")
	f.Clients = clients.Merge(by...)
	return []finding.Finding{f}
}

// brokenOff reports whether the handshake failed for the server's sake, which has a finding of its own.
func (c *connection) brokenOff() bool {
	return c.Failure != nil && c.Failure.Phase == observation.PhaseTLS && c.Failure.Kind != observation.ClientCertNeeded
}

// legacyCipher is a kind of cipher suite that clients reject.
type legacyCipher struct {
	what     string
	severity finding.Severity
	problem  clients.Problem
}

// legacySuite returns what is wrong with a cipher suite; nil if every current client accepts it.
func legacySuite(name string) *legacyCipher {
	switch {
	case strings.Contains(name, "_3DES_"), strings.Contains(name, "_RC4_"):
		return &legacyCipher{"broken", finding.Critical, clients.Suite3DES}
	case strings.HasPrefix(name, "TLS_RSA_WITH_") && strings.HasSuffix(name, "_CBC_SHA256"):
		return &legacyCipher{"RSA key exchange, without forward secrecy, with CBC", finding.Critical, clients.SuiteRSACBC256}
	case strings.HasPrefix(name, "TLS_RSA_WITH_"):
		return &legacyCipher{"RSA key exchange, without forward secrecy", finding.Warning, clients.SuiteRSA}
	case strings.HasPrefix(name, "TLS_ECDHE_") && strings.HasSuffix(name, "_CBC_SHA256"):
		return &legacyCipher{"CBC with SHA-256", finding.Critical, clients.SuiteECDHECBC256}
	case strings.HasPrefix(name, "TLS_ECDHE_") && strings.HasSuffix(name, "_CBC_SHA"):
		return &legacyCipher{"CBC with SHA-1", finding.Warning, clients.SuiteECDHECBC}
	}
	return nil
}
