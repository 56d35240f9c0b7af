package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func connectRefused() rule {
	return rule{
		Entry: Entry{
			Code: finding.ConnectRefused, Group: "reach",
			Severity: "critical",
			Title:    "Nothing accepts connections at the address",
			Meaning: "The host answered that nothing listens on the port, or the network has no route to it (unreachable " +
				"counts as refused: both end at once, and both are mended in the same places). Clients that get this " +
				"address fail at once.",
			Check: "nc -vz ADDRESS PORT",
			Remedy: "See that the listener exists and its port is the URL's; that targets are registered; that security " +
				"groups, network ACLs and route tables let the probe through. Take an address that is no longer in " +
				"use out of DNS.",
			Source: "RFC 9293 §3.5.2 (reset in answer to SYN); RFC 1122 §3.2.2.1 (destination unreachable)",
		},
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectRefused)
			if f == nil {
				return nil
			}
			return c.failed(finding.ConnectRefused, f, c.name()+refusal(f.Kind), "See that something listens at "+c.Address.Address+" and that security groups, network ACLs and routes let clients through; take the address out of DNS if it is no longer in use.")
		},
	}
}

func refusal(kind observation.FailureKind) string {
	switch kind {
	case observation.Refused:
		return " refuses connections"
	case observation.Unreachable:
		return " cannot be reached: no route to the host or network"
	}
	return " could not be connected to"
}
