package judge

import (
	"cmp"

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
			if f.ProxyHeader != nil {
				return c.proxyHeader(finding.HTTPInvalid, f)
			}
			return c.failed(finding.HTTPInvalid, f, c.name()+" "+invalidWords(f)+itSpeaks(f), cmp.Or(c.foreignRemedy(f), c.invalidRemedy(f)))
		},
	}
}

func (c *connection) invalidRemedy(f *observation.Failure) string {
	if f.Kind == observation.SpeaksTLS {
		if c.hop != nil {
			return "Fix the redirect: its URL must begin with https. Often the application builds it from the plain connection behind a proxy or load balancer; configure it to trust X-Forwarded-Proto."
		}
		return "Change the endpoint to an https URL, or change the " + c.listening() + " back to plain HTTP."
	}
	if f.Kind == observation.Unprocessed {
		return "Check whether the server or proxy at " + c.Address.Address + " is shutting down, overloaded or over a limit of streams: clients may send such a request again, and this one was refused again."
	}
	return "Check which process answers at " + c.Address.Address + ", whether it stopped in the middle of the response, and how proxies change encoding and length."
}

func invalidWords(f *observation.Failure) string {
	switch {
	case f.Kind == observation.SpeaksTLS:
		return "speaks TLS instead of plain HTTP"
	case f.Kind == observation.Unprocessed:
		return "rejected the request over HTTP/2 without processing it (GOAWAY or REFUSED_STREAM), on two connections in a row"
	case f.Kind == observation.Closed && f.Phase == observation.PhaseBody:
		return "ended the response before the body was complete"
	case f.Kind == observation.Closed:
		return "closed the connection without a response"
	case f.Phase == observation.PhaseBody:
		return "sent a body that cannot be read or decoded"
	}
	return "did not return a valid HTTP response"
}
