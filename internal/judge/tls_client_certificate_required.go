package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func judgeClientCertificate(c *connection) []finding.Finding {
	const code = finding.TLSClientCertificateRequired
	shown := c.TLS != nil && c.TLS.ClientCertificateSent
	summary := c.name() + " insists on a client certificate, and none is configured"
	remedy := "Configure client_certificate for the endpoint, or switch mutual TLS off if it is not meant."
	if shown {
		summary = c.name() + " refuses the client certificate that is configured"
		remedy = "Renew the endpoint's client_certificate, or have the server trust its issuer."
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

// mutual is the listener behind which the connection's endpoint is known to be, where it asks for client certificates; nil
// otherwise. A redirect's hop leads anywhere.
func (c *connection) mutual() *listener {
	l := c.endpoint.listener()
	if c.hop != nil || l == nil || l.MutualTLS != "verify" && l.MutualTLS != "passthrough" {
		return nil
	}
	return l
}

// mutualEvidence names the listener and what it does about client certificates; nothing where l is nil.
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
		text = "\nListener " + l.Label() + " hands client certificates on unverified: it is the targets behind it that refuse"
	}
	text += "; see its mode and trust store:\naws elbv2 describe-listeners" + at + "s " + topology.Shell(l.ARN) +
		" --query 'Listeners[].MutualAuthentication'"
	if shown {
		return text
	}
	return text + "\nOnly if mutual TLS was not meant, switch it off:\naws elbv2 modify-listener" + at + " " + topology.Shell(l.ARN) + " --mutual-authentication Mode=off"
}
