package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpInvalid() rule {
	return rule{
		Entry: Entry{
			Code: finding.HTTPInvalid, Group: "HTTP",
			Severity: "critical",
			Title:    "The answer is not valid HTTP, or its body cannot be decoded",
			Meaning: "What came back is no HTTP response, ended too early, has a header that HTTP/2 forbids (Connection, " +
				"Upgrade), or has a body that does not match its Content-Encoding, Transfer-Encoding or Content-Length. " +
				"Some clients fail, others show half a page. Where plain HTTP is asked for at a port that breaks off, certdrift looks " +
				"whether it speaks TLS.",
			Check: "curl -v --raw --resolve HOST:PORT:ADDRESS https://HOST/PATH | head -c 500",
			Remedy: "See which process answers on this port (another protocol?), whether it crashed in mid-answer, and " +
				"what a proxy does to compression and length.",
			Source: "RFC 9112 (message syntax); RFC 9113 (HTTP/2); RFC 9110 §8.4 (content codings)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.HTTPInvalid)
			if f == nil {
				return nil
			}
			return c.failed(finding.HTTPInvalid, f, c.name()+" "+invalidWords(f), c.invalidRemedy(f))
		},
	}
}

func (c *connection) invalidRemedy(f *observation.Failure) string {
	if f.Kind == observation.SpeaksTLS {
		if c.hop != nil {
			return "Mend the redirect: its address must begin with https. Often the application builds it from the plain connection behind the load balancer; have it trust X-Forwarded-Proto."
		}
		return "Give the endpoint an https URL, or the listener its plain HTTP back."
	}
	return "See which process answers at " + c.Address.Address + ", whether it ended in mid-answer, and what proxies do to encoding and length."
}

func invalidWords(f *observation.Failure) string {
	switch {
	case f.Kind == observation.SpeaksTLS:
		return "speaks TLS where plain HTTP is due"
	case f.Kind == observation.Closed && f.Phase == observation.PhaseBody:
		return "ended its answer before the body was complete"
	case f.Kind == observation.Closed:
		return "closed the connection without an answer"
	case f.Phase == observation.PhaseBody:
		return "sent a body that cannot be read or decoded"
	}
	return "did not answer in valid HTTP"
}
