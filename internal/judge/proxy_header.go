package judge

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// proxyHeader is the finding for a connection that the PROXY protocol at one side only breaks.
func (c *connection) proxyHeader(code finding.Code, f *observation.Failure) []finding.Finding {
	if f.ProxyHeader.Missing > 0 {
		return c.headerMissing(code, f)
	}
	summary := "answers the TLS handshake in plain HTTP, with the error of a TLS server that was sent something else: what forwards the connection puts a header of the PROXY protocol " +
		"in front of the handshake, which the server does not expect"
	if f.ProxyHeader.Suspected {
		summary = "speaks plain HTTP instead of TLS, and answers even a valid plain HTTP request with status 400: either the port serves no TLS, or what forwards the connection puts a header " +
			"of the PROXY protocol in front of the handshake, which a TLS server behind it does not expect"
	}
	remedy := "Have the server behind " + c.Address.Address + " expect the header (nginx: `listen 443 ssl proxy_protocol`; HAProxy: `accept-proxy`; ingress-nginx: `use-proxy-protocol`), or stop sending it: " + c.proxySetting("off") + "."
	if f.ProxyHeader.Suspected {
		remedy = "If TLS should end at this port, restore its TLS protocol and certificate. If it should only be passed through: " + remedy
	}
	found := c.failed(code, f, c.name()+" "+summary, remedy)
	found[0].Evidence["proxy_protocol"] = "unexpected"
	if f.ProxyHeader.Suspected {
		found[0].Evidence["proxy_protocol"] = "suspected"
	}
	return found
}

// headerMissing is the finding for a server that expects the header and gets none.
func (c *connection) headerMissing(code finding.Code, f *observation.Failure) []finding.Finding {
	found := c.failed(code, f, fmt.Sprintf("%s %s, but answers behind a header of the PROXY protocol (version %d): the server expects the header, and what forwards the connection does not send it",
		c.name(), c.endWords(f), f.ProxyHeader.Missing),
		"Send the header to the server behind "+c.Address.Address+": "+c.proxySetting("on")+". Or stop the server from expecting it (nginx: `proxy_protocol` in its `listen` line; HAProxy: `accept-proxy`; ingress-nginx: `use-proxy-protocol`). "+
			"Clients that connect to the server directly never send one. To check: "+c.headerCommand())
	found[0].Evidence["proxy_protocol"] = "missing"
	found[0].Evidence["proxy_protocol_version"] = f.ProxyHeader.Missing
	return found
}

// endWords says how a connection without the header ends.
func (c *connection) endWords(f *observation.Failure) string {
	verb := "closes the connection "
	switch f.Kind {
	case observation.Reset:
		verb = "resets the connection "
	case observation.TimedOut:
		return "does not answer " + c.patience(f)
	}
	return verb + phaseWords(f.Phase)
}

// proxySetting names what turns the header on or off at what forwards the connection.
func (c *connection) proxySetting(to string) string {
	attribute, annotation := "`proxy_protocol_v2.enabled=true`", "`service.beta.kubernetes.io/aws-load-balancer-proxy-protocol: \"*\"`"
	policy := "a ProxyProtocol policy on the instance port"
	if to == "off" {
		attribute, annotation = "`proxy_protocol_v2.enabled=false`", "without `service.beta.kubernetes.io/aws-load-balancer-proxy-protocol`"
		policy = "no ProxyProtocol policy on the instance port"
	}
	network, classic := "the attribute "+attribute+" of the NLB's target group", "for a classic load balancer "+policy
	switch kind := c.balancer(); {
	case kind == observation.Network:
		return network + " (on Kubernetes the Service " + annotation + ")"
	case kind == observation.Classic:
		return classic + " (on Kubernetes the Service " + annotation + ")"
	case c.mayBeBalanced():
		return network + ", " + classic + " (on Kubernetes the Service " + annotation + ")"
	case to == "off":
		return "on the proxy or load balancer in front, turn the PROXY protocol off (HAProxy: no `send-proxy`; nginx stream: `proxy_protocol off`)"
	}
	return "on the proxy or load balancer in front, turn the PROXY protocol on (HAProxy: `send-proxy`; nginx stream: `proxy_protocol on`)"
}

// headerCommand is a command that connects behind a header.
func (c *connection) headerCommand() string {
	scheme := "https"
	if c.kind == target.HTTP {
		scheme = "http"
	}
	if !c.kind.Web() {
		return "compare with `nc " + c.Address.Address + "` and a first line `PROXY UNKNOWN`."
	}
	return fmt.Sprintf("`curl --haproxy-protocol --connect-to ::%s %s://%s/` (version 1).", c.Address.Address, scheme, hostPort(c.host, c.port))
}
