package manifest

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

const listenerSetKind = "ListenerSet"

// routeKinds are the routes that a listener of a protocol takes unless it says otherwise (pkg/gateway/routeutils,
// DefaultProtocolToRouteKindMap). Others have no hostnames that matter for certificates.
var routeKinds = map[string][]string{"HTTPS": {"HTTPRoute", "GRPCRoute"}, "TLS": {"TLSRoute", "TCPRoute"}}

// listenerSet adds listeners to a Gateway that allows it.
type listenerSet struct {
	name, namespace, gateway string // gateway is NAMESPACE/NAME
	listeners                []gatewayListener
	ends                     bool // some of them with TLS
	taken                    bool // its Gateway is in the input
	at                       target.Position
}

// listenerSet notes a ListenerSet.
func (o object) listenerSet() {
	line, column := o.position(o.node)
	s := &listenerSet{name: o.name(), namespace: o.namespaceOf(), at: o.at(line, column), listeners: o.gatewayListeners(listenerSetKind + " " + o.name())}
	parent := o.parentRef(o.get(o.node, "spec", "parentRef"))
	s.gateway = parent.namespace + "/" + parent.name
	s.ends = slices.ContainsFunc(s.listeners, func(l gatewayListener) bool { return gatewayPort{protocol: l.protocol}.secure() })
	if !o.gone {
		g := &o.classes.gateways
		g.sets, g.bySet[s.gateway] = append(g.sets, s), append(g.bySet[s.gateway], s)
	}
}

// setsOf are the ListenerSets in the input that belong to a Gateway and that it accepts: none unless it says so. By which labels it
// selects namespaces only the cluster knows.
func (g *gateways) setsOf(o object) []listenerSet {
	self := o.namespaceOf() + "/" + o.text(o.node, "metadata", "name")
	from := o.text(o.node, "spec", "allowedListeners", "namespaces", "from")
	var out []listenerSet
	for _, s := range g.bySet[self] {
		s.taken = true
		if from == "All" || from == "Selector" || from == "Same" && s.namespace == o.namespaceOf() {
			out = append(out, *s)
		}
	}
	slices.SortStableFunc(out, func(a, b listenerSet) int { return strings.Compare(a.name, b.name) })
	return out
}

// gatewayRoute is a route with hostnames, for one of its parents.
type gatewayRoute struct {
	kind, namespace string
	hostnames       []string
	parent          parentRef
}

// parentRef is what a route attaches to: a Gateway or a ListenerSet, and perhaps one listener or port of it.
type parentRef struct {
	kind, namespace, name, section string
	port                           int
}

// gatewayRoute notes a route.
func (o object) gatewayRoute() {
	r := gatewayRoute{kind: o.kind, namespace: o.namespaceOf(), hostnames: o.texts(o.node, "spec", "hostnames")}
	if o.gone {
		return
	}
	routes := o.classes.gateways.routes
	for _, n := range o.items(o.node, "spec", "parentRefs") {
		r.parent = o.parentRef(n)
		key := r.parent.kind + " " + clean(r.parent.namespace+"/"+r.parent.name)
		routes[key] = append(routes[key], r)
	}
}

func (o object) parentRef(n ast.Node) parentRef {
	p := parentRef{kind: o.text(n, "kind"), namespace: o.text(n, "namespace"), name: o.text(n, "name"), section: o.text(n, "sectionName"), port: o.number(n, "port")}
	if p.kind == "" {
		p.kind = observation.Gateway
	}
	if p.namespace == "" {
		p.namespace = o.namespaceOf()
	}
	return p
}

// hostsOf are the hostnames of a listener, and those of its routes as far as they are compatible with its own. The controller looks up
// certificates for them (pkg/gateway/routeutils, hostnameCheck).
func (g *gateways) hostsOf(l gatewayListener) []string {
	var out []string
	if l.hostname != "" {
		out = append(out, l.hostname)
	}
	for _, r := range g.routes[l.parent] {
		if !r.attaches(l) {
			continue
		}
		for _, host := range r.hostnames {
			if both := compatible(host, l.hostname); both != "" {
				out = append(out, both)
			}
			if len(out) > maxEntries {
				return out
			}
		}
	}
	return out
}

// attaches reports whether a route of the listener's object asks for the listener, and the listener takes it.
func (r gatewayRoute) attaches(l gatewayListener) bool {
	kinds := l.kinds
	if len(kinds) == 0 {
		kinds = routeKinds[l.protocol]
	}
	if !slices.Contains(kinds, r.kind) || l.from == "None" || (l.from == "" || l.from == "Same") && r.namespace != l.namespace {
		return false
	}
	return (r.parent.section == "" || r.parent.section == l.name) && (r.parent.port == 0 || r.parent.port == l.port)
}

// compatible is the more specific of two hostnames that a client may ask for by one name, empty if there is none. A listener without a
// hostname takes all.
func compatible(a, b string) string {
	switch {
	case b == "" || a == b:
		return a
	case strings.HasPrefix(a, "*.") && strings.HasSuffix(b, a[1:]):
		return b
	case strings.HasPrefix(b, "*.") && strings.HasSuffix(a, b[1:]):
		return a
	}
	return ""
}
