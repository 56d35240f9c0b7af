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
			return c.failed(finding.TLSPlaintext, f, c.name()+" speaks plain HTTP instead of TLS", "Restore the listener's TLS protocol and certificate (on Kubernetes: the annotations aws-load-balancer-ssl-cert and -ssl-ports).")
		},
	}
}
