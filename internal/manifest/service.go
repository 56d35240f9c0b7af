package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// The annotations that make a Service's load balancer speak TLS. The cloud provider and the AWS Load Balancer Controller
// share them (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/).
const (
	servicePrefix = "service.beta.kubernetes.io/aws-load-balancer-"
	sslCert       = servicePrefix + "ssl-cert"
	sslPorts      = servicePrefix + "ssl-ports"
	sslPolicy     = servicePrefix + "ssl-negotiation-policy"
	serviceLBType = servicePrefix + "type"
	serviceLBName = servicePrefix + "name"
	externalDNS   = "external-dns.alpha.kubernetes.io/hostname"
)

// service declares one listener for each port that speaks TLS, and where they are asked for those that don't. A Service of
// another type than LoadBalancer has none, whatever its annotations say.
func (o object) service() {
	if o.text(o.node, "spec", "type") != "LoadBalancer" {
		o.closes(o.get(o.node, "spec", "type"), o.patch())
		return
	}
	at := o.annotation(sslCert)
	if o.note(sslCert) == "" { // left out, or a value that nobody set: for the cloud provider it is the same
		o.declare(o.get(o.node, "spec", "type"), nil, o.plainPorts(nil))
		o.closes(o.get(o.node, "spec", "ports"), o.patch())
		return
	}
	arns := o.arns(at, o.note(sslCert))
	if len(arns) == 0 {
		return
	}
	secure := o.securePorts()
	o.declare(at.Key, arns, secure)
	o.declare(at.Key, nil, o.plainPorts(secure))
	o.closes(o.get(o.node, "spec", "ports"), o.patch())
}

// patch is what cannot be told of a Service that names no ports and no type that has none: kubectl would refuse it, so
// that it must be a patch of another manifest. Empty for a whole one.
func (o object) patch() string {
	kind := o.text(o.node, "spec", "type")
	if len(o.items(o.node, "spec", "ports")) > 0 || kind != "" && kind != "LoadBalancer" {
		return ""
	}
	return "which ports Service " + o.name() + " has: this manifest names none, as a patch does"
}

// closes declares, where anybody asks for it, that the object's load balancer has no other listeners than the ones
// declared. at is what says so; nil for the object itself.
func (o object) closes(at ast.Node, perhaps string) {
	if !o.plain {
		return
	}
	if at == nil {
		at = o.node
	}
	line, column := o.position(at)
	d := observation.Declaration{Object: o.kind + " " + o.name(), Service: o.name(), Closes: true, Perhaps: perhaps, Source: o.reader.at(line, column)}
	switch o.kind {
	case observation.Service:
		d.LoadBalancer, d.Kind = clean(o.note(serviceLBName)), o.serviceKind()
	case observation.Ingress:
		d.LoadBalancer, d.Group, d.Kind = clean(o.note(ingressLBName)), clean(o.note(groupName)), observation.Application
	}
	o.declared = append(o.declared, d)
}

// declare declares the same certificates for each of some ports.
func (o object) declare(at ast.Node, arns []string, ports []int) {
	line, column := o.position(at)
	names := hosts(split(o.note(externalDNS)))
	for _, port := range ports {
		o.declared = append(o.declared, observation.Declaration{
			Object: "Service " + o.name(), Service: o.name(), LoadBalancer: clean(o.note(serviceLBName)),
			Kind: o.serviceKind(), Port: port, ARNs: arns, Hosts: names,
			Policy: clean(o.note(sslPolicy)), Source: o.reader.at(line, column),
		})
	}
}

// plainPorts are the ports that are not secure, where anybody asks for them.
func (o object) plainPorts(secure []int) []int {
	if !o.plain {
		return nil
	}
	var plain []int
	for _, p := range o.ports() {
		if !slices.Contains(secure, p.number) {
			plain = append(plain, p.number)
		}
	}
	return plain
}

// serviceKind is a network load balancer where the manifest says so. Otherwise it depends on the cluster: the cloud
// provider makes a classic one, the controller's webhook a network one.
func (o object) serviceKind() observation.LoadBalancerKind {
	switch o.note(serviceLBType) {
	case "nlb", "nlb-ip", "external":
		return observation.Network
	}
	switch o.text(o.node, "spec", "loadBalancerClass") {
	case "service.k8s.aws/nlb", "eks.amazonaws.com/nlb":
		return observation.Network
	}
	return ""
}

type servicePort struct {
	name   string
	number int
}

// securePorts are the ports that ssl-ports names, all by default.
func (o object) securePorts() []int {
	ports := o.ports()
	wanted := split(o.note(sslPorts))
	var secure []int
	for _, p := range ports {
		for _, want := range wanted {
			if want = strings.TrimSpace(want); want == "" && len(wanted) == 1 || want == "*" || want == p.name && want != "" || want == strconv.Itoa(p.number) {
				secure = append(secure, p.number)
				break
			}
		}
	}
	o.unknownPorts(ports, wanted)
	return secure
}

// unknownPorts reports what ssl-ports names and the Service lacks: the provider passes over it, and the port that was
// meant speaks plain text.
func (o object) unknownPorts(ports []servicePort, wanted []string) {
	for _, want := range wanted {
		want = strings.TrimSpace(want)
		known := want == "" || want == "*"
		names := make([]string, 0, len(ports))
		for _, p := range ports {
			known = known || want == p.name || want == strconv.Itoa(p.number)
			names = append(names, fmt.Sprintf("%s (%d)", p.name, p.number))
		}
		if !known {
			o.report(o.annotation(sslPorts), "Service "+o.name()+": ssl-ports names "+finding.Quote(want)+", which is not a port of the Service",
				finding.Clean("its ports: "+strings.Join(names, ", "), 2*finding.QuoteLimit))
		}
	}
}

// ports are the Service's TCP ports: no certificate goes on UDP or SCTP.
func (o object) ports() []servicePort {
	var ports []servicePort
	for _, p := range o.items(o.node, "spec", "ports") {
		number := o.number(p, "port")
		if len(ports) == maxEntries {
			break
		}
		if protocol := o.text(p, "protocol"); number == 0 || protocol != "" && protocol != "TCP" {
			continue
		}
		ports = append(ports, servicePort{o.text(p, "name"), number})
	}
	return ports
}

// number reads a port; 0 where there is none.
func (o object) number(n ast.Node, key string) int {
	port, err := strconv.Atoi(o.text(n, key))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

func clean(text string) string { return finding.Clean(text, finding.QuoteLimit) }
