package manifest

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

// balancerKind, of balancerGroup in any version, holds the certificates of Gateways
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/loadbalancerconfig/).
const (
	balancerKind  = "LoadBalancerConfiguration"
	balancerGroup = "gateway.k8s.aws"
)

// balancerConfig is a LoadBalancerConfiguration, as far as it decides about certificates.
type balancerConfig struct {
	loadBalancer    string
	preferGateway   bool
	listeners       map[string]listenerConfig // by PROTOCOL:PORT
	ambiguous, gone bool                      // as for ingressClass
	at              target.Position           // of its first certificate, else of itself
}

// listenerConfig is an entry of listenerConfigurations.
type listenerConfig struct {
	arns    []string // the default first
	policy  string
	refused bool // some certificate is no ARN, which is reported
	at      target.Position
}

func (c listenerConfig) equal(other listenerConfig) bool {
	return slices.Equal(c.arns, other.arns) && c.policy == other.policy && c.refused == other.refused
}

func (c balancerConfig) equal(other balancerConfig) bool {
	return c.loadBalancer == other.loadBalancer && c.preferGateway == other.preferGateway && c.gone == other.gone &&
		maps.EqualFunc(c.listeners, other.listeners, listenerConfig.equal)
}

func (c balancerConfig) certificates() bool {
	for _, l := range c.listeners {
		if len(l.arns) > 0 {
			return true
		}
	}
	return false
}

// balancerConfig notes a LoadBalancerConfiguration. Of entries for the same protocol and port, the last counts.
func (o object) balancerConfig() {
	spec := o.get(o.node, "spec")
	line, column := o.position(o.node)
	c := balancerConfig{
		loadBalancer: o.text(spec, "loadBalancerName"), preferGateway: o.text(spec, "mergingMode") == "prefer-gateway", gone: o.gone,
		listeners: map[string]listenerConfig{}, at: o.at(line, column),
	}
	var read []ast.Node
	for _, n := range o.items(spec, "listenerConfigurations") {
		l := o.listenerConfig(n)
		if len(l.arns) > 0 && !c.certificates() {
			c.at = l.at
		}
		c.listeners[o.text(n, "protocolPort")] = l
		for _, key := range []string{"defaultCertificate", "certificates"} {
			if e := o.entry(n, key); e != nil {
				read = append(read, e.Value)
			}
		}
	}
	o.strayCertificates(inConfigurations, read...)
	key, all := o.namespaceOf()+"/"+o.text(o.node, "metadata", "name"), o.classes.gateways.configs
	if known, ok := all[key]; ok && !known.equal(c) {
		c.ambiguous = true
	}
	all[key] = c
}

// protocolPort is what the controller's definition of the resource allows, whatever protocols it knows by now.
var protocolPort = regexp.MustCompile(`^[A-Z_]*:[1-9][0-9]{0,4}$`)

// entryShapes are the fields of an entry of listenerConfigurations, as in shapes.
var entryShapes = []shape{{"protocolPort", takesText}, {"certificates", takesList}, {"sslPolicy", takesText}}

// listenerConfig reads an entry of listenerConfigurations. Without a default certificate, the first of the others is the default
// (pkg/gateway/model, buildExplicitTLSCertARNs).
func (o object) listenerConfig(n ast.Node) listenerConfig {
	l := listenerConfig{policy: o.text(n, "sslPolicy")}
	for _, s := range entryShapes {
		l.refused = !o.reportShape(n, s) || l.refused
	}
	if e := o.entry(n, "protocolPort"); e != nil && !protocolPort.MatchString(o.text(e.Value)) {
		o.report(e, balancerKind+" "+o.name()+": protocolPort is not valid: "+finding.Quote(o.text(e.Value))+", and the cluster refuses it", "write it as PROTOCOL:PORT, in capitals: HTTPS:443")
	}
	for _, key := range []string{"defaultCertificate", "certificates"} {
		e := o.entry(n, key)
		if e == nil {
			continue
		}
		if l.at.Line == 0 {
			line, column := o.position(e.Key)
			l.at = o.at(line, column)
		}
		values := []ast.Node{e.Value}
		if key == "certificates" {
			values = o.items(n, key)
		}
		for _, v := range values {
			o.addCertificate(&l, e, o.doc.Value(v))
		}
	}
	return l
}

func (o object) addCertificate(l *listenerConfig, at *ast.MappingValueNode, value ast.Node) {
	text, scalar := yamldoc.Text(value)
	_, null := value.(*ast.NullNode)
	_, err := arn.Certificate(text)
	switch name := balancerKind + " " + o.name(); {
	case null:
	case !scalar:
		l.refused = true
		o.report(at, name+": a certificate must be text, not "+yamldoc.Kind(value), "put the ARN in quotes")
	case strings.Contains(text, "{{"):
		l.refused = true
		o.report(at, name+" is a template that was not rendered", renderHint)
	case err != nil:
		l.refused = true
		o.report(at, name+": "+finding.Quote(text)+" "+err.Error(), arnHint)
	default: // a default that is among the others is in the SNI list, too
		l.arns = append(l.arns, text)
	}
}

// config is a LoadBalancerConfiguration that a Gateway or its class refers to; false if key is empty. Where it is not in the input, the
// certificates of the Gateway are not known.
func (g *gateways) config(r *reader, key string, s *gatewaySettings) (balancerConfig, bool) {
	if key == "" {
		return balancerConfig{}, false
	}
	c, ok := g.configs[key]
	name := balancerKind + " " + finding.Quote(key)
	if !r.gone {
		g.used[key] = true
	}
	switch {
	case !ok:
		s.elsewhere = s.elsewhere || s.undecided == ""
		s.undecided = cmp.Or(s.undecided, "what "+name+" holds, which decides about the certificates: it is not in the input")
	case c.ambiguous:
		s.undecided = cmp.Or(s.undecided, "which "+name+" is meant: the input has several that differ")
	case c.gone && !r.gone:
		s.undecided = cmp.Or(s.undecided, "what happens without "+name+", which the apply deletes")
	}
	return c, true
}

// mergeConfigs merges the LoadBalancerConfiguration of a class with that of a Gateway. The class's goes first unless it says otherwise;
// the entry for a protocol and port is taken as a whole, so that one without certificates hides one with some
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/customization/).
func mergeConfigs(class balancerConfig, ofClass bool, own balancerConfig, ofGateway bool) balancerConfig {
	switch {
	case !ofClass:
		return own
	case !ofGateway:
		return class
	}
	high, low := class, own
	if class.preferGateway {
		high, low = own, class
	}
	merged := balancerConfig{loadBalancer: cmp.Or(high.loadBalancer, low.loadBalancer), listeners: maps.Clone(low.listeners)}
	if merged.listeners == nil {
		merged.listeners = map[string]listenerConfig{}
	}
	maps.Copy(merged.listeners, high.listeners)
	return merged
}
