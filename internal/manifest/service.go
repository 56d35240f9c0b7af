package manifest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/yamldoc"
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
	tcpUDP        = servicePrefix + "enable-tcp-udp-listener"
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
		o.declare(o.get(o.node, "spec", "type"), nil, o.plainPorts(nil), "")
		o.closes(o.get(o.node, "spec", "ports"), o.patch())
		return
	}
	arns := o.arns(at, o.note(sslCert))
	if len(arns) == 0 {
		return
	}
	unknown := o.unknownMaker(arns)
	secure, unclear, ok := o.securePorts()
	if !ok {
		return
	}
	o.declare(at.Key, arns, secure, unknown)
	o.declare(at.Key, arns, unclear, cmp.Or(unknown, o.unclearPorts()))
	o.declare(at.Key, nil, o.plainPorts(slices.Concat(secure, unclear)), unknown)
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
		s := o.settings()
		d.LoadBalancer, d.Group, d.Kind = clean(cmp.Or(s.params.loadBalancer, o.note(ingressLBName))), o.group(s), observation.Application
		d.Hosts = o.hosts()
	}
	o.declared = append(o.declared, d)
}

// declare declares the same certificates for each of the ports; undecided is what is not known about them.
func (o object) declare(at ast.Node, arns []string, ports []int, undecided string) {
	line, column := o.position(at)
	names := hosts(split(o.note(externalDNS)))
	for _, port := range ports {
		o.declared = append(o.declared, observation.Declaration{
			Object: "Service " + o.name(), Service: o.name(), LoadBalancer: clean(o.note(serviceLBName)),
			Kind: o.serviceKind(), MakerUnknown: !o.byController(), Port: port, ARNs: arns, Hosts: names,
			Policy: clean(o.note(sslPolicy)), UndecidedBecause: undecided, Source: o.reader.at(line, column),
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
		if p.tcp && !slices.Contains(secure, p.number) {
			plain = append(plain, p.number)
		}
	}
	return plain
}

// serviceKind is Network if the manifest says so. Otherwise it depends on the cluster: the cloud provider creates a classic
// load balancer, the controller's webhook a network load balancer.
func (o object) serviceKind() observation.LoadBalancerKind {
	if o.note(serviceLBType) == "nlb" || o.byController() {
		return observation.Network
	}
	return ""
}

// byController reports whether the AWS Load Balancer Controller, or EKS Auto Mode, makes the load balancer for certain. For a
// Service without a class either of them may, since their webhooks add one, or the cloud provider.
func (o object) byController() bool {
	switch o.loadBalancerClass() {
	case "service.k8s.aws/nlb", "eks.amazonaws.com/nlb":
		return true
	case "":
		return o.raw(serviceLBType) == "nlb-ip" || o.raw(serviceLBType) == "external"
	}
	return false
}

func (o object) loadBalancerClass() string { return o.text(o.node, "spec", "loadBalancerClass") }

// unknownMaker returns what is not known about what makes the load balancer; empty if nothing that matters. The cloud provider
// takes the annotation for one certificate, with any space in it, and AWS refuses what is no ARN.
func (o object) unknownMaker(arns []string) string {
	class := o.loadBalancerClass()
	switch {
	case o.byController():
		return ""
	case class != "":
		return "which controller makes load balancers of the class " + finding.Quote(class)
	case len(arns) == 1 && o.raw(sslCert) != arns[0]:
		return o.eitherMade() + ": the former takes " + finding.Quote(o.raw(sslCert)) + " as it is, spaces and commas included, and AWS refuses it"
	}
	return ""
}

func (o object) eitherMade() string {
	return "whether the cloud provider or the AWS Load Balancer Controller makes the load balancer of Service " + o.name()
}

func (o object) unclearPorts() string {
	return o.eitherMade() + ": they read ssl-ports " + finding.Quote(o.raw(sslPorts)) + " differently (write it without spaces, or name a loadBalancerClass)"
}

// servicePort is a port of a Service; only TCP ports take certificates.
type servicePort struct {
	name   string
	number int
	tcp    bool
}

func (p servicePort) is(want string) bool {
	return want == p.name && want != "" || want == strconv.Itoa(p.number)
}

// securePorts returns the ports that speak TLS according to ssl-ports, and those that do only if one of the two that may make
// the load balancer does. Entries that are no port are reported: the cloud provider ignores them, and the controller refuses the
// Service, which is then false.
func (o object) securePorts() (secure, unclear []int, ok bool) {
	ports := o.ports()
	byController, unused := o.controllerPorts(ports)
	switch {
	case o.patch() != "": // its ports stand elsewhere
		return nil, nil, true
	case o.byController():
		o.unusedPorts(ports, unused)
		return byController, nil, len(unused) == 0
	}
	byProvider := o.providerPorts(ports)
	if len(unused) > 0 { // the controller, if it is the one, changes nothing
		o.unusedPorts(ports, slices.DeleteFunc(unused, func(want string) bool {
			number, err := strconv.Atoi(want) // "0443" is a number to the provider
			return o.raw(sslPorts) == "*" || err == nil && slices.ContainsFunc(ports, func(p servicePort) bool { return p.number == number })
		}))
		return byProvider, nil, true
	}
	for _, port := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(byProvider, byController)))) {
		if slices.Contains(byProvider, port) && slices.Contains(byController, port) {
			secure = append(secure, port)
		} else {
			unclear = append(unclear, port)
		}
	}
	return secure, unclear, true
}

// controllerPorts reads ssl-ports as the AWS Load Balancer Controller does: names and numbers, trimmed, by default all. It
// knows no asterisk, and refuses the Service for entries that are not used. A port that it shares with UDP (enable-tcp-udp-listener)
// takes no certificate.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#ssl-ports
func (o object) controllerPorts(ports []servicePort) (secure []int, unused []string) {
	var wanted []string
	for _, want := range split(o.raw(sslPorts)) {
		if want = strings.TrimSpace(want); want != "" {
			wanted = append(wanted, want)
		}
	}
	for _, want := range wanted {
		if !slices.ContainsFunc(ports, func(p servicePort) bool { return p.is(want) }) {
			unused = append(unused, want)
		}
	}
	shares, _ := strconv.ParseBool(o.raw(tcpUDP))
	for _, p := range ports {
		if shares && slices.ContainsFunc(ports, func(other servicePort) bool { return other.number == p.number && !other.tcp }) {
			continue
		}
		if p.tcp && (len(wanted) == 0 || slices.ContainsFunc(wanted, p.is)) {
			secure = append(secure, p.number)
		}
	}
	return secure, unused
}

// providerPorts reads ssl-ports as the cloud provider does: split at the commas and nothing trimmed, so that " 443" is the name
// of a port. All if the annotation is empty or an asterisk. It ignores entries that are no port.
// https://github.com/kubernetes/cloud-provider-aws/blob/master/docs/service_controller.md
func (o object) providerPorts(ports []servicePort) (secure []int) {
	text := o.raw(sslPorts)
	all := text == "" || text == "*"
	wanted := split(text)
	for _, p := range ports {
		named := func(want string) bool {
			number, err := strconv.Atoi(want)
			return err == nil && number == p.number || err != nil && want == p.name
		}
		if p.tcp && (all || slices.ContainsFunc(wanted, named)) {
			secure = append(secure, p.number)
		}
	}
	return secure
}

// unusedPorts reports entries of ssl-ports that are not a port of the Service.
func (o object) unusedPorts(ports []servicePort, unused []string) {
	names := make([]string, 0, len(ports))
	for _, p := range ports {
		names = append(names, fmt.Sprintf("%s (%d)", p.name, p.number))
	}
	for _, want := range unused {
		hint := finding.Clean("its ports: "+strings.Join(names, ", "), 2*finding.QuoteLimit)
		if want == "*" {
			hint = "remove ssl-ports: without it, every port speaks TLS. The AWS Load Balancer Controller does not know the asterisk, and refuses the Service"
		}
		o.report(o.annotation(sslPorts), "Service "+o.name()+": ssl-ports names "+finding.Quote(want)+", which is not a port of the Service", hint)
	}
}

// ports returns the Service's ports.
func (o object) ports() []servicePort {
	var ports []servicePort
	for _, p := range o.items(o.node, "spec", "ports") {
		number := o.number(p, "port")
		if len(ports) == maxEntries {
			break
		}
		if number != 0 {
			protocol := o.text(p, "protocol")
			ports = append(ports, servicePort{o.text(p, "name"), number, protocol == "" || protocol == "TCP"})
		}
	}
	return ports
}

// number returns a port; 0 if there is none, or a text in quotes. YAML also writes numbers as 0x1bb, 8_443 and 443.0.
func (o object) number(n ast.Node, key string) int {
	value := o.get(n, key)
	if value == nil || yamldoc.Quoted(value) {
		return 0
	}
	text, _ := yamldoc.Text(value)
	port, err := strconv.ParseInt(text, 0, 32)
	if whole, floatErr := strconv.ParseFloat(text, 64); err != nil && floatErr == nil && whole == math.Trunc(whole) && math.Abs(whole) <= 65535 {
		port, err = int64(whole), nil
	}
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return int(port)
}

// reportPorts reports the ports of a load balancer that are no numbers.
func (o object) reportPorts() {
	if o.text(o.node, "spec", "type") != "LoadBalancer" {
		return
	}
	for _, p := range o.items(o.node, "spec", "ports") {
		if o.number(p, "port") == 0 {
			line, column := o.position(p)
			o.errorAt(line, column, "Service "+o.name()+": a port is not a number from 1 to 65535, and kubectl refuses it", "write the number of the port")
			return
		}
	}
}

func clean(text string) string { return finding.Clean(text, finding.QuoteLimit) }
