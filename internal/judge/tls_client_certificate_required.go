package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func judgeClientCertificate(c *connection) []finding.Finding {
	const code = finding.TLSClientCertificateRequired
	shown := c.TLS != nil && c.TLS.ClientCertificateSent
	summary := c.name() + " requires a client certificate, and none is configured"
	remedy := "Configure client_certificate for the endpoint, or disable mutual TLS if it is not intended."
	if shown {
		summary = c.name() + " rejects the configured client certificate"
		remedy = "Renew the endpoint's client_certificate, or make the server trust its issuer."
	}
	asks := c.mutual()
	if asks != nil {
		remedy += asks.mutualRemedy(shown)
	}
	if f := c.fails(code); f != nil {
		return asks.mutualEvidence(c.failed(code, f, summary, remedy))
	}
	if h := c.answer(); h != nil && !expected(c.endpoint.Target.Expect, h.Status) && c.wantsClientCertificate(h) {
		evidence := answerEvidence(h)
		evidence["phase"] = string(observation.PhaseHeaders)
		return asks.mutualEvidence([]finding.Finding{c.finding(code, finding.Critical, summary, evidence, remedy)})
	}
	return nil
}

// mutual is the listener that the connection's endpoint is known to be behind, if it requests client certificates; else nil.
// A redirect's hop can be behind any listener.
func (c *connection) mutual() *listener {
	l := c.endpoint.listener()
	if c.hop != nil || l == nil || l.MutualTLS != "verify" && l.MutualTLS != "passthrough" {
		return nil
	}
	return l
}

// mutualEvidence adds the listener and its mode for client certificates; nothing where l is nil.
func (l *listener) mutualEvidence(fs []finding.Finding) []finding.Finding {
	if l == nil {
		return fs
	}
	for i := range fs {
		f := &fs[i]
		f.Subject.Behind, f.Evidence["arn"] = l.Label(), finding.Clean(l.ARN, finding.QuoteLimit)
		f.Evidence["region"], f.Evidence["mutual_tls"] = finding.Clean(l.LoadBalancer.Region, finding.QuoteLimit), l.MutualTLS
	}
	return fs
}

// mutualRemedy is how to see, and to change, what the listener does about client certificates. shown: the endpoint's own
// one was refused, so that mutual TLS is meant.
func (l *listener) mutualRemedy(shown bool) string {
	at := " --region " + topology.Shell(l.LoadBalancer.Region) + " --listener-arn"
	text := "\nListener " + l.Label() + " verifies client certificates itself"
	if l.MutualTLS == "passthrough" {
		text = "\nListener " + l.Label() + " passes client certificates on unverified: the targets behind it reject clients"
	}
	text += "; check its mode and trust store:\naws elbv2 describe-listeners" + at + "s " + topology.Shell(l.ARN) +
		" --query 'Listeners[].MutualAuthentication'"
	if shown {
		return text
	}
	return text + "\nOnly if mutual TLS is not intended, disable it:\naws elbv2 modify-listener" + at + " " + topology.Shell(l.ARN) + " --mutual-authentication Mode=off"
}
