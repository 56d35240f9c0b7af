package judge

import (
	"cmp"
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func tlsTimeout() rule {
	return rule{
		Code: finding.TLSTimeout,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.TLSTimeout)
			if f == nil {
				return nil
			}
			if f.Hello != nil {
				return c.largeHello(finding.TLSTimeout, f)
			}
			if f.ProxyHeader != nil {
				return c.proxyHeader(finding.TLSTimeout, f)
			}
			return c.failed(finding.TLSTimeout, f, c.name()+" did not complete "+handshakeWords(f.Phase)+" "+c.patience(f)+itSpeaks(f), cmp.Or(c.foreignRemedy(f), c.silenceRemedy(f.Phase)))
		},
	}
}

func (c *connection) silenceRemedy(p observation.Phase) string {
	if p == observation.PhaseStartTLS {
		usual := ""
		if port := c.kind.TLSPort(); port > 0 {
			usual = fmt.Sprintf(", as is usual on port %d", port)
		}
		return "Check that the server at " + c.Address.Address + " is running, not overloaded, and speaks " + string(c.kind) +
			" on this port. If it speaks TLS from the first byte" + usual + ", use a tls URL."
	}
	return "Check that the server at " + c.Address.Address + " is running, not overloaded, and speaks TLS on this port."
}

func handshakeWords(p observation.Phase) string {
	if p == observation.PhaseStartTLS {
		return "the exchange before STARTTLS"
	}
	return "the TLS handshake"
}
