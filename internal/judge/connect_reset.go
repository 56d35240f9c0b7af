package judge

import (
	"cmp"

	"certdrift/internal/finding"
)

func connectReset() rule {
	return rule{
		Code: finding.ConnectReset,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectReset)
			if f == nil {
				return nil
			}
			if f.Hello != nil {
				return c.largeHello(finding.ConnectReset, f)
			}
			if f.ProxyHeader != nil {
				return c.proxyHeader(finding.ConnectReset, f)
			}
			return c.failed(finding.ConnectReset, f, c.name()+" reset the connection "+phaseWords(f.Phase)+itSpeaks(f), cmp.Or(c.foreignRemedy(f), "Check the log of the server at "+c.Address.Address+" for the time of the probe, then the firewalls and proxies in between."))
		},
	}
}
