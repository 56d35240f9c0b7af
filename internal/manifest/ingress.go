package manifest

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// The AWS Load Balancer Controller's annotations of an Ingress
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/).
const (
	ingressPrefix     = "alb.ingress.kubernetes.io/"
	certificateARN    = ingressPrefix + "certificate-arn"
	createCertificate = ingressPrefix + "create-acm-cert"
	listenPorts       = ingressPrefix + "listen-ports"
	sslRedirect       = ingressPrefix + "ssl-redirect"
	ingressPolicy     = ingressPrefix + "ssl-policy"
	ingressLBName     = ingressPrefix + "load-balancer-name"
	groupName         = ingressPrefix + "group.name"
	groupOrder        = ingressPrefix + "group.order"
	classAnnotation   = "kubernetes.io/ingress.class"
)

// ingress declares one listener for each HTTPS port. The certificates of the class go before the Ingress's own. Without any,
// the controller makes one (create-acm-cert), or looks up certificates in ACM by host.
func (o object) ingress() {
	s := o.settings()
	named := o.get(o.node, "spec", "ingressClassName")
	if !s.managed && (named == nil || s.perhapsPort443(o) == "") {
		o.closes(named, s.perhapsPort443(o))
		return
	}
	base, ok := o.ingressBase(s)
	if !ok {
		return
	}
	at := o.annotation(certificateARN)
	switch {
	case len(s.params.arns) > 0:
		base.ARNs, base.Source = s.params.arns, s.params.at
	case s.params.refused:
		return // each of them is reported already
	case at != nil:
		if base.ARNs = o.arns(at, o.note(certificateARN)); len(base.ARNs) == 0 && strings.Trim(o.note(certificateARN), ", ") != "" {
			return // each of them is reported already
		}
	}
	base.Discovered = len(base.ARNs) == 0
	create, _ := strconv.ParseBool(o.raw(createCertificate))
	if create && base.Discovered && s.undecided == "" {
		base.UndecidedBecause = "the certificate that the controller makes for " + base.Object + " (create-acm-cert): it does not exist yet, or is not named here"
	}
	listens, ok := o.listens(!base.Discovered || create)
	if !ok || !o.agrees(base, listens) {
		return
	}
	ports := encrypted(listens)
	perhaps := ""
	if base.Discovered && !create {
		perhaps = s.perhapsPort443(o)
	}
	if perhaps == "" && !o.redirects(s, ports) {
		return
	}
	var declared []observation.Declaration
	for _, port := range ports {
		d := base
		d.Port, d.PortUncertain = port, create && o.annotation(listenPorts) == nil && base.Discovered
		declared = append(declared, d)
	}
	o.declared = append(o.declared, o.heldToPlan(ingressPlan, base, declared, false)...)
	if perhaps = cmp.Or(s.undecided, perhaps); o.plain && len(ports) == 0 && perhaps != "" && o.annotation(listenPorts) == nil {
		d := base
		d.Port, d.PortUncertain, d.UndecidedBecause = 443, true, perhaps
		o.declared = append(o.declared, d)
	}
	o.closes(o.where(at), "")
}

// ingressBase is what is the same for each listener of an Ingress; false if the controller would refuse the Ingress, which is
// reported.
func (o object) ingressBase(s settings) (observation.Declaration, bool) {
	line, column := o.position(o.where(o.annotation(certificateARN)))
	d := observation.Declaration{
		Object: "Ingress " + o.name(), Service: o.name(), Kind: observation.Application, Hosts: o.hosts(), UndecidedBecause: s.undecided, Source: o.reader.at(line, column),
		LoadBalancer: clean(cmp.Or(s.params.loadBalancer, o.note(ingressLBName))), Policy: clean(cmp.Or(s.params.policy, o.note(ingressPolicy))), Group: o.group(s),
	}
	if e := o.annotation(groupName); e != nil && s.params.group == "" && !s.auto && !validGroup.MatchString(o.raw(groupName)) {
		o.report(e, "Ingress "+o.name()+": the controller ignores it: group.name is not valid: "+finding.Quote(o.raw(groupName)),
			"use at most 63 lower-case letters, digits, - and ., with a letter or digit at both ends")
		return d, false
	}
	if e := o.annotation(groupOrder); e != nil {
		order, err := strconv.ParseInt(o.raw(groupOrder), 10, 32)
		if err != nil || order < -1000 || order > 1000 {
			o.report(e, "Ingress "+o.name()+": the controller refuses its group: group.order is not valid: "+finding.Quote(o.raw(groupOrder)), "write a whole number from -1000 to 1000")
			return d, false
		}
		d.Order = int(order)
	}
	return d, true
}

var validGroup = regexp.MustCompile(`^([a-z0-9][-a-z0-9.]{0,61})?[a-z0-9]$`)

// group is the explicit group of an Ingress: its class's, else its own. EKS Auto Mode ignores the annotation.
func (o object) group(s settings) string {
	if s.params.group != "" || s.auto {
		return clean(s.params.group)
	}
	return clean(o.note(groupName))
}

// perhapsPort443 returns what may make an Ingress without certificates listen on port 443 although it does not say so: the
// parameters of its class may name certificates, and then 443 is the default. listen-ports overrides all defaults.
func (s settings) perhapsPort443(o object) string {
	if o.annotation(listenPorts) != nil || otherClass(o.text(o.node, "spec", "ingressClassName")) {
		return ""
	}
	return s.perhaps
}

// redirects reports whether ssl-redirect, if the Ingress has one, leads to an HTTPS port: the controller refuses an Ingress
// otherwise, which is reported. Another Ingress of a group may have the port.
func (o object) redirects(s settings, ports []int) bool {
	e := o.annotation(sslRedirect)
	if s.params.redirect != "" || e == nil || o.group(s) != "" || s.undecided != "" {
		return true
	}
	port, err := strconv.ParseInt(o.raw(sslRedirect), 10, 32)
	if err == nil && slices.Contains(ports, int(port)) {
		return true
	}
	o.report(e, "Ingress "+o.name()+": the controller refuses it: ssl-redirect leads to "+finding.Quote(o.raw(sslRedirect))+", for which it has no HTTPS listener",
		"name the port in listen-ports, or remove the annotation")
	return false
}

// where returns the node to fix: the annotation with the certificate, else the one that requests TLS, else the object.
func (o object) where(at *ast.MappingValueNode) ast.Node {
	for _, name := range []string{listenPorts, createCertificate} {
		if at == nil {
			at = o.annotation(name)
		}
	}
	if at == nil {
		return o.node
	}
	return at.Key
}

// otherClass reports whether a class has one of the usual names of other controllers'. The ALB controller ignores an Ingress
// with such a class even if it has ALB annotations. Any other name may be a class of the ALB controller.
func otherClass(name string) bool {
	return slices.Contains([]string{"nginx", "traefik", "haproxy", "kong", "istio", "contour", "cilium", "gce", "ambassador"}, name)
}

// annotated reports whether the Ingress has annotations of the ALB controller.
func (o object) annotated() bool {
	return slices.ContainsFunc([]string{certificateARN, createCertificate, listenPorts, ingressPolicy, ingressLBName, groupName}, func(name string) bool { return o.annotation(name) != nil })
}

// listens returns the ports of listen-ports, and whether they are HTTPS, read as the controller does: of a port that is given twice the
// last counts. The default is 443 if there are certificates, and 80 otherwise. It is false if the controller would refuse the annotation.
func (o object) listens(certificates bool) (map[int]bool, bool) {
	at := o.annotation(listenPorts)
	if at == nil {
		if certificates {
			return map[int]bool{443: true}, true
		}
		return map[int]bool{80: false}, true
	}
	var listed []map[string]int32
	if err := json.Unmarshal([]byte(o.raw(listenPorts)), &listed); err != nil || len(listed) == 0 {
		o.badPorts(at)
		return nil, false
	}
	secure := map[int]bool{}
	for _, entry := range listed {
		seen := map[int32]bool{}
		for protocol, port := range entry {
			if port < 1 || port > 65535 || protocol != "HTTP" && protocol != "HTTPS" || seen[port] {
				o.badPorts(at)
				return nil, false
			}
			seen[port], secure[int(port)] = true, protocol == "HTTPS"
		}
	}
	return secure, true
}

// encrypted are the HTTPS ports.
func encrypted(listens map[int]bool) []int {
	var ports []int
	for port, https := range listens {
		if https {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// said is what a member of a group says of a listener or the load balancer, and which member it is.
type said struct{ value, by string }

// agrees reports whether an Ingress says the same as the other members of its group of what they share. The controller refuses a group whose
// members contradict each other, and changes nothing (pkg/ingress, mergeListenPortConfigs and buildLoadBalancerName), which is reported.
func (o object) agrees(d observation.Declaration, listens map[int]bool) bool {
	if d.Group == "" || d.UndecidedBecause != "" || o.gone {
		return true
	}
	says := map[string]string{"load-balancer-name": d.LoadBalancer}
	for port, https := range listens {
		says["the protocol of port "+strconv.Itoa(port)] = map[bool]string{false: "HTTP", true: "HTTPS"}[https]
		if https {
			says["the ssl-policy of port "+strconv.Itoa(port)] = d.Policy
		}
	}
	for _, what := range slices.Sorted(maps.Keys(says)) {
		key, value := d.Group+" "+what, says[what]
		first, known := o.classes.said[key]
		switch {
		case value == "":
		case !known:
			o.classes.said[key] = said{value, d.Object}
		case first.value != value:
			line, column := o.position(o.where(nil))
			o.errorAt(line, column, finding.Clean(d.Object+": the controller refuses its group: "+what+" is "+finding.Quote(value)+" here, and "+finding.Quote(first.value)+" in "+first.by, 2*finding.QuoteLimit),
				"give all Ingresses of the group the same value")
			return false
		}
	}
	return true
}

func (o object) badPorts(at *ast.MappingValueNode) {
	o.report(at, "Ingress "+o.name()+": listen-ports cannot be read: "+finding.Quote(o.raw(listenPorts)),
		`write it as JSON in single quotes: '[{"HTTP": 80}, {"HTTPS": 443}]'`)
}

// hosts returns the names in rules and tls, sorted and without duplicates.
func (o object) hosts() []string {
	var names []string
	for _, rule := range o.items(o.node, "spec", "rules") {
		names = append(names, o.text(rule, "host"))
	}
	for _, block := range o.items(o.node, "spec", "tls") {
		for _, host := range o.items(block, "hosts") {
			names = append(names, o.text(host))
		}
		if len(names) > maxEntries {
			break
		}
	}
	return hosts(names)
}

func hosts(names []string) []string {
	var out []string
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
		if name != "" {
			out = append(out, clean(name))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
