package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func connectRefused() rule {
	return rule{
		Entry: Entry{
			Code: finding.ConnectRefused, Group: "reach",
			Severity: "critical; info where only this machine could not send to one of the addresses (no IPv6 route, a local firewall) and others were reached",
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
			found := c.failed(finding.ConnectRefused, f, c.name()+refusal(f), "See that something listens at "+c.Address.Address+" and that security groups, network ACLs and routes let clients through; take the address out of DNS if it is no longer in use.")
			if f.Local && c.reachedElsewhere() {
				found[0].Severity = finding.Info
				found[0].Remedy = "Give certdrift's host a route for this kind of address (IPv6, mostly) if its clients use it; nothing is said of the endpoint."
			}
			return found
		},
	}
}

// reachedElsewhere reports whether another address of the same name was connected to.
func (c *connection) reachedElsewhere() bool {
	for _, other := range c.world.connections {
		if other.endpoint == c.endpoint && other.hop == c.hop && (other.Failure == nil || other.Failure.Phase != observation.PhaseConnect) {
			return true
		}
	}
	return false
}

func refusal(f *observation.Failure) string {
	switch {
	case f.Local:
		return " cannot be reached from here: this machine could not send to it"
	case f.Kind == observation.Refused:
		return " refuses connections"
	case f.Kind == observation.Unreachable:
		return " cannot be reached: no route to the host or network"
	}
	return " could not be connected to"
}
