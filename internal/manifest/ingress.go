package manifest

import (
	"cmp"
	"encoding/json"
	"maps"
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
	ingressPrefix  = "alb.ingress.kubernetes.io/"
	certificateARN = ingressPrefix + "certificate-arn"
	listenPorts    = ingressPrefix + "listen-ports"
	ingressPolicy  = ingressPrefix + "ssl-policy"
	ingressLBName  = ingressPrefix + "load-balancer-name"
	groupName      = ingressPrefix + "group.name"
	groupOrder     = ingressPrefix + "group.order"
	ingressClass   = "kubernetes.io/ingress.class"
)

// ingress declares one listener for each HTTPS port. Without certificate-arn the controller looks up certificates in ACM by
// host.
func (o object) ingress() {
	if !o.forALB() {
		o.closes(o.get(o.node, "spec", "ingressClassName"), o.parameters())
		return
	}
	at := o.annotation(certificateARN)
	var arns []string
	if at != nil {
		if arns = o.arns(at, o.note(certificateARN)); len(arns) == 0 && o.note(certificateARN) != "" {
			return // each of them is reported already
		}
	}
	ports, ok := o.securedPorts(len(arns) > 0)
	if !ok {
		return
	}
	line, column := o.position(o.where(at))
	names := o.hosts()
	order, _ := strconv.Atoi(o.note(groupOrder)) // 0 by default
	for _, port := range ports {
		o.declared = append(o.declared, observation.Declaration{
			Object: "Ingress " + o.name(), Service: o.name(), LoadBalancer: clean(o.note(ingressLBName)), Group: clean(o.note(groupName)), Order: order,
			Kind: observation.Application, Port: port, ARNs: arns, Discovered: len(arns) == 0, Hosts: names,
			Policy: clean(o.note(ingressPolicy)), Source: o.reader.at(line, column),
		})
	}
	perhaps := ""
	if len(arns) == 0 {
		perhaps = o.parameters()
	}
	o.closes(o.where(at), perhaps)
}

// parameters returns what may make an Ingress listen on port 443 although it does not say so: the parameters of its class
// (IngressClassParams) may name certificates, and then 443 is the default. listen-ports overrides all defaults, and a class
// named by the old annotation has no parameters. It is empty if there is no such thing.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/
func (o object) parameters() string {
	class := o.text(o.node, "spec", "ingressClassName")
	switch {
	case o.note(listenPorts) != "", class == "" && o.note(ingressClass) != "", o.otherClass():
		return ""
	case class == "":
		return "whether the cluster's default class of Ingresses is the ALB controller's, and its parameters name certificates"
	}
	return "whether the parameters of the class " + finding.Quote(class) + " (IngressClassParams) name certificates"
}

// where returns the node to fix: the annotation with the certificate, else the one that requests TLS, else the object.
func (o object) where(at *ast.MappingValueNode) ast.Node {
	if at == nil {
		at = o.annotation(listenPorts)
	}
	if at == nil {
		return o.node
	}
	return at.Key
}

// otherClasses are the usual class names of other controllers. The ALB controller ignores an Ingress with one of these classes
// even if it has ALB annotations. Any other name may be a class of the ALB controller.
var otherClasses = [...]string{"nginx", "traefik", "haproxy", "kong", "istio", "contour", "cilium", "gce", "ambassador"}

// forALB reports whether the ALB controller handles the Ingress, judging by its class or its annotations.
func (o object) forALB() bool {
	switch {
	case o.class() == "alb":
		return true
	case o.otherClass():
		return false
	}
	entries := o.get(o.node, "metadata", "annotations")
	found := false
	if entries != nil {
		for _, name := range []string{certificateARN, listenPorts, ingressPolicy, ingressLBName, groupName} {
			found = found || o.entry(entries, name) != nil
		}
	}
	return found
}

func (o object) class() string {
	return cmp.Or(o.text(o.node, "spec", "ingressClassName"), o.note(ingressClass))
}

func (o object) otherClass() bool { return slices.Contains(otherClasses[:], o.class()) }

// securedPorts returns the HTTPS ports of listen-ports. The default is 443 if certificates are named, and none otherwise. It
// is false if the annotation cannot be parsed.
func (o object) securedPorts(certificates bool) ([]int, bool) {
	at := o.annotation(listenPorts)
	if at == nil || o.note(listenPorts) == "" {
		if certificates {
			return []int{443}, true
		}
		return nil, true
	}
	var listed []map[string]int
	err := json.Unmarshal([]byte(o.note(listenPorts)), &listed)
	ports := map[int]bool{}
	for _, entry := range listed {
		for protocol, port := range entry {
			if port < 1 || port > 65535 || protocol != "HTTP" && protocol != "HTTPS" {
				o.badPorts(at)
				return nil, false
			}
			if protocol == "HTTPS" {
				ports[port] = true
			}
		}
	}
	if err != nil {
		o.badPorts(at)
		return nil, false
	}
	return slices.Sorted(maps.Keys(ports)), true
}

func (o object) badPorts(at *ast.MappingValueNode) {
	o.report(at, "Ingress "+o.name()+": listen-ports cannot be read: "+finding.Quote(o.note(listenPorts)),
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
