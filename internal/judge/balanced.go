package judge

import (
	"strings"

	"certdrift/internal/observation"
)

// balancer returns the kind of the AWS load balancer that the connection's endpoint is behind; empty if none is known.
func (c *connection) balancer() observation.LoadBalancerKind {
	if c.hop != nil || c.endpoint.Listener == nil {
		return ""
	}
	return c.endpoint.Listener.LoadBalancer.Kind
}

// mayBeBalanced reports whether an AWS load balancer may be in front: the round knows it or leaves load balancers to
// another one, or the configuration or DNS names it. An endpoint of which nothing does gets no advice about a listener.
func (c *connection) mayBeBalanced() bool {
	if c.hop != nil {
		return namesBalancer(c.host) || namesBalancer(c.hop.DNS.CanonicalName)
	}
	t := c.endpoint.Target
	return c.endpoint.Listener != nil || c.judgment.Round.EndpointsOnly || t.LoadBalancer != nil || t.Service != "" ||
		t.Declared != nil && t.Declared.ARN != "" || namesBalancer(t.Host) || namesBalancer(c.endpoint.DNS.CanonicalName)
}

// namesBalancer reports whether a DNS name is one that AWS gives to load balancers, in any partition.
func namesBalancer(name string) bool {
	return strings.Contains(name, ".elb.") && strings.Contains(name, ".amazonaws.")
}

// terminators names what may terminate TLS.
func (c *connection) terminators() string {
	if c.mayBeBalanced() {
		return "server or load balancer"
	}
	return "server or proxy"
}

// orPolicy adds to advice on TLS settings where a load balancer has them.
func (c *connection) orPolicy() string {
	if c.mayBeBalanced() {
		return ", or choose a newer security policy for the listener"
	}
	return ""
}
