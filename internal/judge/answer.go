package judge

import (
	"maps"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// answer is the HTTP response that the connection's endpoint is judged by: its own, or that of the last hop of the
// redirects followed. It is nil where there is none, and for an intermediate hop.
func (c *connection) answer() *observation.HTTP {
	if c.HTTP == nil || c.HTTP.Status == 0 || c.misleads() {
		return nil
	}
	if c.hop == nil {
		if len(c.HTTP.Hops) > 0 || c.HTTP.Loop {
			return nil
		}
		return c.HTTP
	}
	redirects := c.parent.HTTP
	if redirects.Loop || c.hop != &redirects.Hops[len(redirects.Hops)-1] {
		return nil
	}
	return c.HTTP
}

// misleads reports whether the location of a redirect cannot be read: the response is invalid, and the status is not the
// problem.
func (c *connection) misleads() bool {
	return c.Failure != nil && c.Failure.Phase == observation.PhaseHeaders && c.Failure.Kind == observation.Invalid
}

// expected reports whether a status is among those that the endpoint must return.
func expected(e target.Expect, status int) bool {
	if len(e.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(e.Status, status)
}

// wantsClientCertificate reports whether the server rejected the request because it lacks a client certificate: nginx
// accepts the request first and then responds with 400 (its own 495 and 496, ngx_http_ssl_module), so the handshake shows only
// that a certificate was requested.
func (c *connection) wantsClientCertificate(h *observation.HTTP) bool {
	if c.TLS == nil || !c.TLS.ClientCertificateRequested {
		return false
	}
	if h.Status == 495 || h.Status == 496 {
		return true
	}
	page := strings.ToLower(h.Excerpt)
	return h.Status == 400 && (strings.Contains(page, "no required ssl certificate was sent") || strings.Contains(page, "the ssl certificate error"))
}

// answerEvidence returns a response as evidence.
func answerEvidence(h *observation.HTTP) finding.Evidence {
	evidence := finding.Evidence{"status": h.Status}
	if h.Proto != "" {
		evidence["protocol"] = finding.Clean(h.Proto, finding.QuoteLimit)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) { // "X-A" and "X_A" are one name here
		evidence["header_"+strings.ReplaceAll(strings.ToLower(finding.Clean(name, 64)), "-", "_")] = finding.Clean(h.Headers[name], finding.QuoteLimit)
	}
	if h.Location != "" {
		evidence["location"] = finding.Clean(h.Location, finding.QuoteLimit)
	}
	if h.Excerpt != "" {
		evidence["body"] = finding.Clean(h.Excerpt, finding.QuoteLimit)
	}
	return evidence
}
