package judge

import "certdrift/internal/finding"

func tlsPlaintext() rule {
	return rule{
		Code: finding.TLSPlaintext,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.TLSPlaintext)
			if f == nil {
				return nil
			}
			if f.ProxyHeader != nil {
				return c.proxyHeader(finding.TLSPlaintext, f)
			}
			return c.failed(finding.TLSPlaintext, f, c.name()+" speaks plain HTTP instead of TLS", c.plaintextRemedy())
		},
	}
}

func (c *connection) plaintextRemedy() string {
	switch {
	case c.hop != nil && !c.mayBeBalanced():
		return "Fix the redirect: its target " + finding.Quote(c.hop.URL) + " has no TLS. Or configure TLS with a certificate on the server at " + c.Address.Address + "."
	case !c.mayBeBalanced():
		return "Configure TLS with a certificate for the hostname on the server or proxy that listens at " + c.Address.Address + ". If plain HTTP is meant, change the endpoint to an http URL."
	}
	return "Restore the listener's TLS protocol and certificate (on Kubernetes: the annotations aws-load-balancer-ssl-cert and -ssl-ports)."
}
