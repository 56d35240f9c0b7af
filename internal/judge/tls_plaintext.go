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
			return c.failed(finding.TLSPlaintext, f, c.name()+" speaks plain HTTP where TLS is due", "Give the listener its TLS protocol and certificate back (on Kubernetes: the annotations aws-load-balancer-ssl-cert and -ssl-ports).")
		},
	}
}
