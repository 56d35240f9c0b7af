package judge

import "certdrift/internal/finding"

func connectTimeout() rule {
	return rule{
		Entry: Entry{
			Code: finding.ConnectTimeout, Group: "reach",
			Severity: "critical",
			Title:    "The address does not answer",
			Meaning: "Packets to the address vanish: no connection within the endpoint's timeout, and no refusal either. " +
				"Clients hang until they give up. Mostly a security group or firewall, a host that is down, or an " +
				"address left in DNS.",
			Check: "nc -vz -w 10 ADDRESS PORT; traceroute -T -p PORT ADDRESS",
			Remedy: "Open the port in security group and network ACL, bring the host back, or take the address out of " +
				"DNS. An internal load balancer answers only within its VPC: run certdrift there.",
			Source: "RFC 9293 §3.8.3 (connection time-outs)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectTimeout)
			if f == nil {
				return nil
			}
			return c.failed(finding.ConnectTimeout, f, c.name()+" did not accept a connection "+c.patience(f), "Look for a security group, network ACL or firewall that drops packets to "+c.Address.Address+", or a host that is down.")
		},
	}
}
