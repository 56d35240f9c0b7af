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

// service declares one listener for each port with TLS and, on request, for each port without. A Service that is not of type
// LoadBalancer has none, whatever its annotations say.
func (o object) service() {
	if o.text(o.node, "spec", "type") != "LoadBalancer" {
		o.closes(o.get(o.node, "spec", "type"), o.patch())
		return
	}
	at := o.annotation(sslCert)
	if o.note(sslCert) == "" { // missing or empty: the same for the cloud provider
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

// patch returns what is unknown about a Service without ports whose type requires some: kubectl would reject it, so it must be
// a patch of another manifest. It is empty for a complete Service.
func (o object) patch() string {
	kind := o.text(o.node, "spec", "type")
	if len(o.items(o.node, "spec", "ports")) > 0 || kind != "" && kind != "LoadBalancer" {
		return ""
	}
	return "which ports Service " + o.name() + " has: this manifest names none, as a patch does"
}

// closes declares, on request, that the object's load balancer has only the declared listeners. at is the node that says so;
// nil for the object itself.
func (o object) closes(at ast.Node, perhaps string) {
	if !o.plain {
		return
	}
	if at == nil {
		at = o.node
	}
	line, column := o.position(at)
	d := observation.Declaration{Object: o.kind + " " + o.name(), Service: o.name(), RemovesListeners: true, UndecidedBecause: perhaps, Source: o.reader.at(line, column)}
	switch o.kind {
	case observation.Service:
		d.LoadBalancer, d.Kind = clean(o.note(serviceLBName)), o.serviceKind()
	case observation.Ingress:
		d.LoadBalancer, d.Group, d.Kind = clean(o.note(ingressLBName)), clean(o.note(groupName)), observation.Application
	}
	o.declared = append(o.declared, d)
}

// declare declares the same certificates for each of the ports.
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

// plainPorts returns the ports without TLS, on request.
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

// serviceKind is Network if the manifest says so. Otherwise it depends on the cluster: the cloud provider creates a classic
// load balancer, the controller's webhook a network load balancer.
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

// securePorts returns the ports that ssl-ports names, by default all.
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

// unknownPorts reports ports in ssl-ports that the Service does not have: the provider ignores them, and the intended port has
// no TLS.
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

// ports returns the Service's TCP ports: UDP and SCTP take no certificates.
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

// number returns a port; 0 if there is none.
func (o object) number(n ast.Node, key string) int {
	port, err := strconv.Atoi(o.text(n, key))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

func clean(text string) string { return finding.Clean(text, finding.QuoteLimit) }
