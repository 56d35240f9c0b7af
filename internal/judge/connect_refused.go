package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func connectRefused() rule {
	return rule{
		Code: finding.ConnectRefused,
		connection: func(c *connection) []finding.Finding {
			f := c.fails(finding.ConnectRefused)
			if f == nil {
				return nil
			}
			found := c.failed(finding.ConnectRefused, f, c.name()+refusal(f), "Check that a process listens on "+c.Address.Address+" and that security groups, network ACLs and routes allow clients. Remove the address from DNS if it is no longer in use.")
			if f.Local && c.reachedElsewhere() {
				found[0].Severity = finding.Info
				found[0].Remedy = "If clients use this kind of address (usually IPv6), give certdrift's host a route for it. This says nothing about the endpoint itself."
			}
			return found
		},
	}
}

// reachedElsewhere reports whether the connection to another address of the same name succeeded.
func (c *connection) reachedElsewhere() bool {
	for _, other := range c.judgment.connections {
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
	return " could not be reached"
}
