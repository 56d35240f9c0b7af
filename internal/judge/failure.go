package judge

import (
	"fmt"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// codeOf returns the one code of a probe's failure, so that exactly one rule reports it.
func (c *connection) codeOf(f *observation.Failure) finding.Code {
	switch {
	case f.Kind == observation.ChainOversized:
		return finding.CertChainOversized
	case f.Kind == observation.ChainMalformed:
		return finding.CertMalformed
	case f.Kind == observation.KeyUnusable:
		return finding.CertKeyWeak
	case lookedUp(f):
		return finding.DNSFailure
	case f.Kind == observation.Blocked && c.hop != nil:
		return finding.HTTPRedirectBlocked
	case f.Kind == observation.Blocked:
		return finding.AddressBlocked
	case c.insists(f):
		return finding.TLSClientCertificateRequired
	case f.Kind == observation.Reset:
		return finding.ConnectReset
	}
	switch f.Phase {
	case observation.PhaseStartTLS, observation.PhaseTLS:
		return tlsCode(f.Kind)
	case observation.PhaseHeaders, observation.PhaseBody:
		return httpCode(f.Kind)
	}
	return connectCode(f.Kind)
}

// lookedUp reports whether a failure is one of DNS resolution.
func lookedUp(f *observation.Failure) bool {
	switch f.Kind {
	case observation.Blocked, observation.ChainOversized, observation.ChainMalformed, observation.KeyUnusable:
		return false
	}
	return f.Phase == observation.PhaseDNS
}

// connectCode returns the code of a failure to connect. A network without a route fails as immediately as a host without a
// listener, and the remedy is the same, so whatever is neither a timeout nor a reset is connect-refused.
func connectCode(kind observation.FailureKind) finding.Code {
	switch kind {
	case observation.TimedOut:
		return finding.ConnectTimeout
	case observation.Closed:
		return finding.ConnectReset
	}
	return finding.ConnectRefused
}

func tlsCode(kind observation.FailureKind) finding.Code {
	switch kind {
	case observation.TimedOut:
		return finding.TLSTimeout
	case observation.Plaintext:
		return finding.TLSPlaintext
	case observation.VersionOld:
		return finding.TLSVersionOld
	}
	return finding.TLSHandshake
}

func httpCode(kind observation.FailureKind) finding.Code {
	switch kind {
	case observation.TimedOut:
		return finding.HTTPTimeout
	case observation.TooLarge:
		return finding.HTTPTooLarge
	case observation.Alert:
		return finding.TLSHandshake
	}
	return finding.HTTPInvalid
}

// insists reports whether the server closed the connection because the client sent no certificate, or one it does not
// accept. In TLS 1.3 that shows only after the handshake (RFC 8446 §4.4.2.4); older servers send one of several alerts after
// they requested a certificate and got none.
func (c *connection) insists(f *observation.Failure) bool {
	if f.Kind == observation.ClientCertNeeded || f.Alert == "certificate_required" {
		return true
	}
	if f.Kind != observation.Alert || c.TLS == nil || !c.TLS.ClientCertificateRequested {
		return false
	}
	switch f.Alert {
	case "handshake_failure", "bad_certificate", "unsupported_certificate", "certificate_unknown", "certificate_expired",
		"certificate_revoked", "unknown_ca", "access_denied":
		return true
	}
	return false
}

// fails returns the connection's failure if the code's rule reports it; else nil.
func (c *connection) fails(code finding.Code) *observation.Failure {
	if f := c.Failure; f != nil && c.codeOf(f) == code {
		return f
	}
	return nil
}

// failed is the finding for a failed probe: critical, with the phase and the system's own message in the evidence.
func (c *connection) failed(code finding.Code, f *observation.Failure, summary, remedy string) []finding.Finding {
	evidence := finding.Evidence{"phase": string(f.Phase), "kind": string(f.Kind)}
	if f.Alert != "" {
		evidence["alert"] = finding.Clean(f.Alert, finding.QuoteLimit)
	}
	if f.Detail != "" {
		evidence["detail"] = finding.Clean(f.Detail, finding.QuoteLimit)
	}
	if speaks(f) != "" {
		evidence["speaks"] = string(f.Speaks)
	}
	if f.Said != "" {
		evidence["said"] = finding.Clean(f.Said, finding.QuoteLimit)
	}
	if ms := c.Phases.Total; ms > 0 {
		evidence["took_ms"] = ms.Milliseconds()
	}
	return []finding.Finding{c.finding(code, finding.Critical, summary, evidence, remedy)}
}

// name is how a summary names the target of a connection: host and port, and the redirect if one led here.
func (c *connection) name() string {
	text := hostPort(c.host, c.port)
	if c.hop != nil {
		text += " (redirected from " + finding.Clean(c.endpoint.Target.Host, finding.QuoteLimit) + ")"
	}
	return text
}

func hostPort(host string, port int) string {
	host = finding.Clean(host, finding.QuoteLimit)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// patience describes how long the probe waited for a phase.
func (c *connection) patience(f *observation.Failure) string {
	if f.Hurried {
		return "before the time limit for all redirects expired"
	}
	if t := c.endpoint.Target.Timeout; t > 0 {
		return "within " + t.Round(time.Millisecond).String()
	}
	return "within the time limit"
}

// phaseWords describes what a probe was doing.
func phaseWords(p observation.Phase) string {
	switch p {
	case observation.PhaseDNS:
		return "during DNS resolution"
	case observation.PhaseConnect:
		return "while connecting"
	case observation.PhaseStartTLS:
		return "before STARTTLS"
	case observation.PhaseTLS:
		return "during the TLS handshake"
	case observation.PhaseHeaders:
		return "after the request, before the response headers"
	case observation.PhaseBody:
		return "in the middle of the response body"
	}
	return "after connecting"
}
