package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

// gatewayGroup is the API group of the Gateway API, whose Gateways the AWS Load Balancer Controller makes load balancers of
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/gateway/).
const gatewayGroup = "gateway.networking.k8s.io"

// gatewayKinds are the kinds of load balancers that the controller makes, by the controllerName of a GatewayClass, with the protocols
// of listeners that it accepts. It ignores a listener of another protocol (pkg/gateway/routeutils, validateListenerList).
var gatewayKinds = map[string]struct {
	kind      observation.LoadBalancerKind
	protocols []string
}{
	"gateway.k8s.aws/alb": {observation.Application, []string{"HTTP", "HTTPS"}},
	"gateway.k8s.aws/nlb": {observation.Network, []string{"TCP", "UDP", "TLS"}},
}

// latticeController makes services of VPC Lattice, which are no load balancers.
const latticeController = "application-networking.k8s.aws/gateway-api-controller"

// otherGatewayClass reports whether a class has one of the usual names of other controllers', as otherClass does for Ingresses.
func otherGatewayClass(name string) bool {
	return otherClass(name) || strings.HasPrefix(name, "istio-") || strings.HasPrefix(name, "gke-") ||
		slices.Contains([]string{"eg", "envoy", "envoy-gateway", "amazon-vpc-lattice", "azure-alb-external"}, name)
}

// gateway declares one listener for each port with TLS. All listeners of a Gateway, and of the ListenerSets that it accepts, that share
// a port are one listener of the load balancer. Its certificates come from the LoadBalancerConfiguration; without any, the controller
// looks them up in ACM by the hostnames of the listeners and of their routes. It reads neither tls.certificateRefs nor tls.options.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/l7gateway/
func (o object) gateway(version string) {
	s := o.gatewaySettings()
	if !s.managed {
		if s.controller != latticeController {
			o.caught(version)
		}
		return
	}
	o.strayCertificates(inConfigurations)
	ports := o.gatewayPorts(s)
	base := observation.Declaration{
		Object: observation.Gateway + " " + o.name(), Service: o.name(), Kind: s.kind, LoadBalancer: clean(s.config.loadBalancer), UndecidedBecause: s.undecided,
	}
	var declared []observation.Declaration
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		if p := ports[port]; p.secure() {
			declared = append(declared, s.declare(base, port, p)...)
		}
	}
	declared = o.heldToPlan(gatewayPlan, base, declared, s.elsewhere)
	o.declared = append(o.declared, declared...)
	o.closesGateway(base, ports)
}

// declare is the declaration of a port; none if what it should hold was reported already.
func (s gatewaySettings) declare(d observation.Declaration, port int, p gatewayPort) []observation.Declaration {
	d.Port, d.Hosts, d.Source = port, hosts(p.hosts), p.at
	if p.disputed != "" {
		d.UndecidedBecause = cmp.Or(d.UndecidedBecause, p.disputed)
	}
	if d.Kind == "" {
		d.Kind = map[string]observation.LoadBalancerKind{"HTTPS": observation.Application, "TLS": observation.Network}[p.protocol]
	}
	config := s.config.listeners[p.protocol+":"+strconv.Itoa(port)]
	if config.refused {
		return nil
	}
	d.Policy = clean(config.policy)
	if d.ARNs = config.arns; len(d.ARNs) > 0 {
		d.Source = config.at
	}
	d.Discovered = len(d.ARNs) == 0
	return []observation.Declaration{d}
}

// closesGateway declares, on request, that the Gateway's load balancer has no other listeners. ListenerSets may add some, if it
// allows any.
func (o object) closesGateway(d observation.Declaration, ports map[int]gatewayPort) {
	if !o.plain {
		return
	}
	line, column := o.position(o.node)
	d.RemovesListeners, d.Source = true, o.at(line, column)
	for _, p := range ports {
		d.Hosts = append(d.Hosts, p.hosts...)
	}
	d.Hosts = hosts(d.Hosts)
	if from := o.text(o.node, "spec", "allowedListeners", "namespaces", "from"); from != "" && from != "None" {
		d.UndecidedBecause = cmp.Or(d.UndecidedBecause, "whether a ListenerSet that is not among the manifests adds a listener to "+d.Object)
	}
	o.declared = append(o.declared, d)
}

// inConfigurations is where the certificates of Gateways belong.
const inConfigurations = "defaultCertificate and certificates of listenerConfigurations in a " + balancerKind

// strayCertificates notes a certificate where the controller does not look for any: what it is meant for is not known. It belongs in what
// is named; known are the nodes that were read.
func (o object) strayCertificates(belongs string, known ...ast.Node) {
	read := map[ast.Node]bool{}
	for _, n := range known {
		read[n] = true
	}
	for _, key := range []string{lastApplied, gatewayPlan} {
		if e := o.annotation(key); e != nil {
			read[e.Value] = true
		}
	}
	if at, what := o.certificateBut(o.node, read, 0); what != "" {
		line, column := o.position(at)
		o.passOver(line, column, o.label(), "it contains "+what+" where the AWS Load Balancer Controller reads none: certificates belong in "+belongs, "Move it there, or remove it.")
	}
}

// gatewaySettings are what a Gateway's class and its LoadBalancerConfigurations decide.
type gatewaySettings struct {
	managed    bool // by the AWS Load Balancer Controller, or perhaps
	controller string
	kind       observation.LoadBalancerKind // empty if it is not known
	protocols  []string
	config     balancerConfig
	undecided  string
	elsewhere  bool // what is undecided is so only since something is not in the input
}

func (o object) gatewaySettings() gatewaySettings {
	name := o.text(o.node, "spec", "gatewayClassName")
	class, ok := o.classes.gateways.classes[name]
	if !ok {
		s := gatewaySettings{managed: !otherGatewayClass(name) || o.awsParameters(), elsewhere: true}
		s.undecided = "whether the GatewayClass " + finding.Quote(name) + ", which is not in the input, is the AWS Load Balancer Controller's, and " +
			"whether its LoadBalancerConfiguration, which goes before the Gateway's, specifies certificates"
		s.config, _ = o.gatewayConfig(&s)
		return s
	}
	known := gatewayKinds[class.controller]
	s := gatewaySettings{managed: known.kind != "", controller: class.controller, kind: known.kind, protocols: known.protocols}
	if !o.gone {
		o.classes.gateways.usedClasses[name] = true
	}
	switch {
	case class.ambiguous:
		s = gatewaySettings{managed: true, undecided: "which GatewayClass " + finding.Quote(name) + " is meant: the input has several that differ"}
	case !s.managed && strings.Contains(class.controller, "amazonaws"):
		s.managed, s.undecided = true, "what the controller "+finding.Quote(class.controller)+" of the GatewayClass "+finding.Quote(name)+" makes: certdrift does not know it"
	case class.gone && !o.gone:
		s.undecided = "what happens to " + o.name() + ": the apply deletes its class"
	}
	own, ofGateway := o.gatewayConfig(&s)
	byClass, ofClass := o.classes.gateways.config(o.reader, class.config, &s)
	s.config = mergeConfigs(byClass, ofClass, own, ofGateway)
	return s
}

// awsParameters reports whether the Gateway refers to an object of the controller's API group.
func (o object) awsParameters() bool {
	return o.text(o.node, "spec", "infrastructure", "parametersRef", "group") == balancerGroup
}

// gatewayConfig is the LoadBalancerConfiguration that the Gateway itself refers to, in its own namespace; false if it refers to none.
func (o object) gatewayConfig(s *gatewaySettings) (balancerConfig, bool) {
	reference := o.get(o.node, "spec", "infrastructure", "parametersRef")
	if reference == nil {
		return balancerConfig{}, false
	}
	if kind := o.text(reference, "kind"); !o.awsParameters() || kind != balancerKind {
		s.undecided = cmp.Or(s.undecided, "what the parameters of "+o.name()+" hold: they are no LoadBalancerConfiguration, but "+finding.Quote(kind))
		return balancerConfig{}, false
	}
	return o.classes.gateways.config(o.reader, o.namespaceOf()+"/"+o.text(reference, "name"), s)
}

// gatewayPort is what the listeners of a Gateway on one port have in common.
type gatewayPort struct {
	protocol, by string // by is the object that has the first of them
	hosts        []string
	at           target.Position
	disputed     string
}

// secure reports whether the load balancer ends TLS on the port.
func (p gatewayPort) secure() bool { return p.protocol == "HTTPS" || p.protocol == "TLS" }

// gatewayPorts are the ports of the Gateway, and of the ListenerSets in the input that it accepts. Of listeners on one port whose
// protocols differ, the first counts: the Gateway's before those of sets, and the older of two sets.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/listenersets/
func (o object) gatewayPorts(s gatewaySettings) map[int]gatewayPort {
	ports := map[int]gatewayPort{}
	self := observation.Gateway + " " + o.name()
	for _, l := range o.gatewayListeners(self) {
		if !o.refusesListener(s, l, ports[l.port]) {
			o.classes.gateways.addListener(ports, l)
		}
	}
	for _, set := range o.classes.gateways.setsOf(o) {
		for _, l := range set.listeners {
			if l.port != 0 && (len(s.protocols) == 0 || slices.Contains(s.protocols, l.kind())) {
				o.classes.gateways.addListener(ports, l)
			}
		}
	}
	return ports
}

// refusesListener reports a listener that the controller ignores. first is the port's first listener.
func (o object) refusesListener(s gatewaySettings, l gatewayListener, first gatewayPort) bool {
	problem, hint := "", ""
	switch {
	case l.port == 0:
		problem, hint = "has no port from 1 to 65535, and kubectl refuses it", "write the number of the port"
	case len(s.protocols) > 0 && !slices.Contains(s.protocols, l.kind()):
		problem, hint = "has the protocol "+finding.Quote(l.kind())+", and the controller ignores it", "use one of "+strings.Join(s.protocols, ", ")+" with the controller "+finding.Quote(s.controller)
	case first.protocol != "" && !first.takes(l):
		problem, hint = "has the protocol "+finding.Quote(l.kind())+" on a port that speaks "+finding.Quote(first.protocol)+", and the controller ignores it", "give each port one protocol"
	default:
		return false
	}
	o.diagnostics = append(o.diagnostics, observation.Diagnostic{
		Position: l.at, Message: finding.Clean(observation.Gateway+" "+o.name()+": the listener "+finding.Quote(l.name)+" "+problem, 2*finding.QuoteLimit), Hint: hint,
	})
	return true
}

// takes reports whether another listener can share the port.
func (p gatewayPort) takes(l gatewayListener) bool {
	return p.protocol == l.protocol || tcpOrUDP(p.protocol) && tcpOrUDP(l.protocol)
}

// addListener adds a listener to its port.
func (g *gateways) addListener(ports map[int]gatewayPort, l gatewayListener) {
	p, taken := ports[l.port]
	switch {
	case !taken:
		p = gatewayPort{protocol: l.protocol, by: l.parent, at: l.at}
	case !p.takes(l):
		if p.by != l.parent && strings.HasPrefix(p.by, listenerSetKind+" ") {
			p.disputed = "whether " + p.by + " or " + l.parent + " decides the protocol of port " + strconv.Itoa(l.port) + ": the older one does"
			ports[l.port] = p
		}
		return
	}
	p.hosts = append(p.hosts, g.hostsOf(l)...)
	ports[l.port] = p
}

func tcpOrUDP(protocol string) bool { return protocol == "TCP" || protocol == "UDP" }

// gatewayListener is an entry of spec.listeners of a Gateway or a ListenerSet.
type gatewayListener struct {
	name, protocol, hostname string
	passthrough              bool
	port                     int
	kinds                    []string // the kinds of routes that it allows; none for the usual ones
	from                     string   // the namespaces of routes that it allows
	parent, namespace        string   // the object that has it
	at                       target.Position
}

// kind is the protocol as it is written.
func (l gatewayListener) kind() string {
	if l.passthrough {
		return "TLS"
	}
	return l.protocol
}

func (o object) gatewayListeners(parent string) []gatewayListener {
	var out []gatewayListener
	for _, n := range o.items(o.node, "spec", "listeners") {
		if len(out) == maxEntries {
			break
		}
		line, column := o.position(n)
		l := gatewayListener{
			name: o.text(n, "name"), protocol: o.text(n, "protocol"), hostname: o.text(n, "hostname"), port: o.number(n, "port"),
			from: o.text(n, "allowedRoutes", "namespaces", "from"), parent: parent, namespace: o.namespaceOf(), at: o.at(line, column),
		}
		if l.protocol == "TLS" && o.text(n, "tls", "mode") == "Passthrough" { // one of TCP (pkg/gateway/model, mapGatewayListenerConfigsByPort)
			l.protocol, l.passthrough = "TCP", true
		}
		for _, kind := range o.items(n, "allowedRoutes", "kinds") {
			l.kinds = append(l.kinds, o.text(kind, "kind"))
		}
		out = append(out, l)
	}
	return out
}

// gateways are the objects of the Gateway API of all files together, by name.
type gateways struct {
	classes map[string]gatewayClass
	configs map[string]balancerConfig // by NAMESPACE/NAME
	sets    []*listenerSet
	bySet   map[string][]*listenerSet // by their Gateway
	routes  map[string][]gatewayRoute // by the object they attach to, as KIND NAMESPACE/NAME
	// usedClasses and used are those of some Gateway.
	usedClasses, used map[string]bool
}

func newGateways() gateways {
	return gateways{
		classes: map[string]gatewayClass{}, configs: map[string]balancerConfig{}, bySet: map[string][]*listenerSet{}, routes: map[string][]gatewayRoute{},
		usedClasses: map[string]bool{}, used: map[string]bool{},
	}
}

// gatewayClass is a GatewayClass; config is the NAMESPACE/NAME of its LoadBalancerConfiguration, empty for none.
type gatewayClass struct {
	controller, config string
	ambiguous, gone    bool // as for ingressClass
	at                 target.Position
}

// gatewayClass notes a GatewayClass. The controller accepts no reference to parameters without a namespace
// (controllers/gateway, gatewayClassReconciler).
func (o object) gatewayClass() {
	name := o.text(o.node, "metadata", "name")
	line, column := o.position(o.node)
	c := gatewayClass{controller: o.text(o.node, "spec", "controllerName"), gone: o.gone, at: o.at(line, column)}
	if reference := o.entry(o.get(o.node, "spec"), "parametersRef"); reference != nil && gatewayKinds[c.controller].kind != "" {
		namespace := o.text(reference.Value, "namespace")
		if namespace == "" {
			o.report(reference, "GatewayClass "+name+": the controller rejects the class, since parametersRef names no namespace", "add the namespace of the LoadBalancerConfiguration")
		}
		c.config = namespace + "/" + o.text(reference.Value, "name")
	}
	all := o.classes.gateways.classes
	if known, ok := all[name]; ok {
		at := known.at
		known.at = c.at
		c.ambiguous = known != c
		c.at = at
	}
	all[name] = c
}

// unused are the configurations with certificates, and the classes with unknown ones, of which the input has no Gateway.
func (g *gateways) unused() []observation.PassedOver {
	var out []observation.PassedOver
	for _, key := range slices.Sorted(maps.Keys(g.configs)) {
		c := g.configs[key]
		why := "the Gateways that use it are not in the input, so it is not known which listeners get its certificates"
		if c.gone {
			why = "the Gateways that use it are not in the input, so it is not known from which listeners the apply removes its certificates"
		}
		if c.certificates() && !g.used[key] {
			out = append(out, observation.PassedOver{Position: c.at, Object: clean(balancerKind + " " + key), Why: why, Remedy: objectsRemedy})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.classes)) {
		class := g.classes[name]
		_, known := g.configs[class.config]
		if class.config != "" && !g.usedClasses[name] && (class.gone || !known) {
			out = append(out, observation.PassedOver{Position: class.at, Object: clean("GatewayClass " + name), Why: "its Gateways or its LoadBalancerConfiguration, which may specify certificates, are not in the input", Remedy: objectsRemedy})
		}
	}
	for _, s := range g.sets {
		if s.ends && !s.taken {
			out = append(out, observation.PassedOver{Position: s.at, Object: clean(listenerSetKind + " " + s.name), Why: "its HTTPS or TLS listeners belong to the Gateway " +
				finding.Quote(s.gateway) + ", which is not in the input", Remedy: objectsRemedy})
		}
	}
	return out
}

// gatewayObject reads the objects that surround Gateways; false if it is none of them.
func (o object) gatewayObject(version string) bool {
	group := apiGroup(version)
	switch {
	case o.kind == balancerKind && group == balancerGroup:
		o.balancerConfig()
	case group != gatewayGroup:
		return false
	case o.kind == observation.Gateway:
		t := o.tree
		o.later(func() { o.within(t, func() { o.ending(func() { o.gateway(version) }) }) })
	case o.kind == "GatewayClass":
		o.gatewayClass()
		o.strayCertificates(inConfigurations)
	case o.kind == listenerSetKind:
		o.listenerSet()
		o.strayCertificates(inConfigurations)
	case slices.Contains(routeKinds["HTTPS"], o.kind) || slices.Contains(routeKinds["TLS"], o.kind):
		o.gatewayRoute()
		o.strayCertificates(inConfigurations)
	default:
		return false
	}
	return true
}

// isGatewayKind reports whether objects of the kind decide about the listeners of Gateways.
func isGatewayKind(kind string) bool {
	return slices.Contains([]string{observation.Gateway, "GatewayClass", balancerKind, listenerSetKind}, kind) ||
		slices.Contains(routeKinds["HTTPS"], kind) || slices.Contains(routeKinds["TLS"], kind)
}

// texts are the scalars of a list.
func (o object) texts(n ast.Node, keys ...string) []string {
	var out []string
	for _, item := range o.items(n, keys...) {
		text, _ := yamldoc.Text(o.doc.Value(item))
		out = append(out, text)
	}
	return out
}
