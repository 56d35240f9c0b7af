package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func httpInvalid() rule {
	return rule{
		Code: finding.HTTPInvalid,
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
