package manifest

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// shape is a field that certdrift reads, and what the cluster takes for it, in yamldoc's words.
type shape struct{ path, takes string }

const (
	takesText    = "text"
	takesList    = "a list"
	takesMapping = "a mapping"
)

// shapes are the fields that decide about certificates, by kind. The cluster refuses an object in which they are anything else, null
// aside, so that what was applied before stays: nothing of such an object may count as read.
var shapes = map[string][]shape{
	"Service":      {{"spec", takesMapping}, {"spec.type", takesText}, {"spec.ports", takesList}, {"spec.loadBalancerClass", takesText}},
	"Ingress":      {{"spec", takesMapping}, {"spec.ingressClassName", takesText}, {"spec.rules", takesList}, {"spec.tls", takesList}},
	"IngressClass": {{"spec", takesMapping}, {"spec.controller", takesText}, {"spec.parameters", takesMapping}},
	"IngressClassParams": {
		{"spec", takesMapping}, {"spec.certificateArn", takesList}, {"spec.certificateARNs", takesList}, {"spec.group", takesMapping}, {"spec.loadBalancerName", takesText},
		{"spec.sslPolicy", takesText}, {"spec.sslRedirectPort", takesText}, {"spec.namespaceSelector", takesMapping},
	},
	"Gateway":       {{"spec", takesMapping}, {"spec.gatewayClassName", takesText}, {"spec.listeners", takesList}, {"spec.infrastructure", takesMapping}},
	"GatewayClass":  {{"spec", takesMapping}, {"spec.controllerName", takesText}, {"spec.parametersRef", takesMapping}},
	listenerSetKind: {{"spec", takesMapping}, {"spec.parentRef", takesMapping}, {"spec.listeners", takesList}},
	balancerKind:    {{"spec", takesMapping}, {"spec.loadBalancerName", takesText}, {"spec.mergingMode", takesText}, {"spec.listenerConfigurations", takesList}},
}

// readGroups are the API groups of what is read; v1 has none. Others have kinds of the same names.
var readGroups = [...]string{"v1", "networking.k8s.io", "extensions", "elbv2.k8s.aws", "eks.amazonaws.com", gatewayGroup, balancerGroup}

// reportShapes reports the fields of an object that is read whose values the cluster refuses, those of its annotations and labels
// included: an unquoted number or yes is no text.
func (o object) reportShapes(version string) {
	if !declares(o.kind) {
		return
	}
	for _, s := range shapes[o.kind] {
		if slices.Contains(readGroups[:], apiGroup(version)) {
			o.reportShape(o.node, s)
		}
	}
	for _, texts := range []string{"annotations", "labels"} {
		metadata := o.get(o.node, "metadata")
		o.reportShape(metadata, shape{texts, takesMapping})
		entries, _ := o.doc.Entries(o.get(metadata, texts))
		for _, e := range entries {
			o.reportKind(e.Node, finding.Quote(e.Key), takesText)
		}
	}
}

// reportShape reports a field below a node that is not what the cluster takes; false if it does.
func (o object) reportShape(n ast.Node, s shape) bool {
	path := strings.Split(s.path, ".")
	last := len(path) - 1
	e := o.entry(o.get(n, path[:last]...), path[last])
	return e == nil || o.reportKind(e, finding.Quote(s.path), s.takes)
}

func (o object) reportKind(e *ast.MappingValueNode, what, takes string) bool {
	kind := o.doc.KubernetesKind(e.Value)
	if kind == "" || kind == "null" || kind == takes {
		return true
	}
	hint := "correct it"
	if takes == takesText && kind != takesList && kind != takesMapping {
		hint = "put it in quotes"
	}
	o.report(e, o.kind+" "+o.name()+": "+what+" must be "+takes+", not "+kind+", and kubectl refuses the object", hint)
	return false
}

// reportItems reports items that are no list: kubectl takes every object that has some for a list.
func (o object) reportItems() {
	if e := o.entry(o.node, "items"); e != nil && o.kind != "" {
		switch value := o.doc.Value(e.Value).(type) {
		case nil, *ast.NullNode, *ast.SequenceNode:
		default:
			o.report(e, o.kind+": items must be a list, not "+yamldoc.Kind(value)+", and kubectl refuses it", "write a list")
		}
	}
}
