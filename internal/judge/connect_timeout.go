package judge

import "certdrift/internal/finding"

func connectTimeout() rule {
	return rule{
		Code: finding.ConnectTimeout,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectTimeout)
			if f == nil {
				return nil
			}
			return c.failed(finding.ConnectTimeout, f, c.name()+" did not accept a connection "+c.patience(f), "Check for a security group, network ACL or firewall that drops packets to "+c.Address.Address+", or a host that is down.")
		},
	}
}
