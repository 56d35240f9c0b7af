package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

// controllerEKS is EKS Auto Mode's name for the controller of an IngressClass.
const controllerEKS = "eks.amazonaws.com/alb"

// certificateFields are the certificates' field in IngressClassParams by API group: those of the AWS Load Balancer Controller
// and of EKS Auto Mode
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/,
// https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html).
var certificateFields = map[string]string{"elbv2.k8s.aws": "certificateArn", "eks.amazonaws.com": "certificateARNs"}

// parametersOf has the API group whose IngressClassParams a controller reads.
var parametersOf = map[string]string{"ingress.k8s.aws/alb": "elbv2.k8s.aws", controllerEKS: "eks.amazonaws.com"}

// classes are the IngressClasses and IngressClassParams of all files together, by name, and the objects of the Gateway API.
type classes struct {
	gateways   gateways
	named      map[string]ingressClass
	parameters map[string]classParams // by API group/name
	// usedClasses and used are those of some Ingress, likewise.
	usedClasses, used map[string]bool
	lost              []lostCertificate
	// live reads the objects that the cluster assigned a uid to, once all others are known: an object that is also among those, which are
	// rendered, is what the apply makes of it (rendered, by API group, kind and name).
	live     []func()
	rendered map[string]bool
	said     map[string]said // by the members of groups of Ingresses, by group and what it is about
}

// readLive reads what there is only from the cluster.
func (c *classes) readLive() {
	for _, read := range c.live {
		read()
	}
}

// lostCertificate is a certificate that a plan removes from IngressClassParams or a LoadBalancerConfiguration, which are written as their
// kind and their key in used.
type lostCertificate struct {
	object, what string
	at           target.Position
}

func newClasses() *classes {
	return &classes{gateways: newGateways(), named: map[string]ingressClass{}, parameters: map[string]classParams{}, usedClasses: map[string]bool{}, used: map[string]bool{}, rendered: map[string]bool{}, said: map[string]said{}}
}

type ingressClass struct {
	controller string
	// parameters is API group/name, without a name if the kind is none that the controllers know; empty for none.
	parameters string
	isDefault  bool
	ambiguous  bool // the input has several of this name, which differ
	gone       bool // the apply deletes it
	at         target.Position
}

func (c ingressClass) equal(other ingressClass) bool {
	c.at = other.at
	return c == other
}

// classParams are the settings for all Ingresses of a class. They go before the Ingresses' annotations.
type classParams struct {
	arns                                  []string
	refused                               bool // some certificate is no ARN, which is reported
	at                                    target.Position
	group, loadBalancer, policy, redirect string
	namespace                             string // the only namespace that is selected; "*" if the labels decide
	ambiguous, gone                       bool   // as for ingressClass
}

func (p classParams) equal(other classParams) bool {
	return slices.Equal(p.arns, other.arns) && p.group == other.group && p.loadBalancer == other.loadBalancer &&
		p.policy == other.policy && p.redirect == other.redirect && p.namespace == other.namespace && p.gone == other.gone
}

// ingressClass notes an IngressClass.
func (o object) ingressClass() {
	o.strayCertificates("IngressClassParams")
	name := o.text(o.node, "metadata", "name")
	line, column := o.position(o.node)
	c := ingressClass{
		controller: o.text(o.node, "spec", "controller"), isDefault: o.note("ingressclass.kubernetes.io/is-default-class") == "true",
		gone: o.gone, at: o.at(line, column),
	}
	if reference := o.get(o.node, "spec", "parameters"); reference != nil {
		c.parameters = o.text(reference, "apiGroup") + "/"
		if o.text(reference, "kind") == "IngressClassParams" {
			c.parameters += o.text(reference, "name")
		}
	}
	if known, ok := o.classes.named[name]; ok && !known.equal(c) {
		c.ambiguous = true
	}
	o.classes.named[name] = c
}

// ingressClassParams notes an IngressClassParams of an API group.
func (o object) ingressClassParams(group string) {
	spec := o.get(o.node, "spec")
	p := classParams{
		group: o.text(spec, "group", "name"), loadBalancer: o.text(spec, "loadBalancerName"), policy: o.text(spec, "sslPolicy"),
		redirect: o.text(spec, "sslRedirectPort"), namespace: o.selected(o.get(spec, "namespaceSelector")), gone: o.gone,
	}
	e := o.entry(spec, certificateFields[group])
	if e == nil {
		o.strayCertificates(certificateFields[group] + " of its spec")
	} else {
		o.strayCertificates(certificateFields[group]+" of its spec", e.Value)
		line, column := o.position(e.Key)
		p.at = o.at(line, column)
		switch o.doc.Value(e.Value).(type) {
		case *ast.SequenceNode, *ast.NullNode:
		default:
			p.refused = true // reported
		}
		for _, item := range o.items(spec, certificateFields[group]) {
			text, scalar := yamldoc.Text(o.doc.Value(item))
			if !scalar {
				p.refused = true
				o.report(e, "IngressClassParams "+o.text(o.node, "metadata", "name")+": a certificate must be text, not "+yamldoc.Kind(o.doc.Value(item)), "put the ARN in quotes")
				continue
			}
			if _, err := arn.Certificate(text); err != nil {
				p.refused = true
				o.report(e, "IngressClassParams "+o.text(o.node, "metadata", "name")+": "+finding.Quote(text)+" "+err.Error(), arnHint)
				continue
			}
			p.arns = append(p.arns, text)
		}
	}
	key := group + "/" + o.text(o.node, "metadata", "name")
	if known, ok := o.classes.parameters[key]; ok && !known.equal(p) {
		p.ambiguous = true
	}
	o.classes.parameters[key] = p
}

// selected returns the namespace that a selector selects by the label that every namespace has; "*" for other selectors,
// which only the cluster can evaluate, and empty for one that selects all.
func (o object) selected(selector ast.Node) string {
	labels, _ := o.doc.Entries(o.get(selector, "matchLabels"))
	expressions := o.items(selector, "matchExpressions")
	switch {
	case len(labels) == 0 && len(expressions) == 0:
		return ""
	case len(labels) == 1 && len(expressions) == 0 && labels[0].Key == "kubernetes.io/metadata.name":
		return o.text(labels[0].Node.Value)
	}
	return "*"
}

// settings are what an Ingress's class decides.
type settings struct {
	managed bool // the ALB controller, or EKS Auto Mode, handles the Ingress
	auto    bool // EKS Auto Mode
	params  classParams
	// perhaps is what the input does not show, and what may name certificates where the Ingress names none. undecided is
	// what must be known even where it names some.
	perhaps, undecided string
}

// settings looks up the Ingress's class. The old annotation goes before ingressClassName, and has no parameters.
func (o object) settings() settings {
	name := o.text(o.node, "spec", "ingressClassName")
	if e := o.annotation(classAnnotation); e != nil {
		return o.oldClass(o.raw(classAnnotation), name)
	}
	if name == "" {
		defaults := o.classes.defaults()
		switch len(defaults) {
		case 0:
			return settings{managed: o.annotated(), perhaps: "whether the cluster's default IngressClass is the ALB controller's and its parameters specify certificates"}
		case 1:
			name = defaults[0]
		default:
			return settings{managed: true, undecided: "which of the default classes " + o.name() + " gets: " + strings.Join(defaults, ", ")}
		}
	}
	class, ok := o.classes.named[name]
	if !ok {
		return settings{
			managed: name == "alb" || !otherClass(name) && o.annotated(),
			perhaps: "whether the parameters of the class " + finding.Quote(name) + " (IngressClassParams) name certificates",
		}
	}
	return o.settingsOf(name, class)
}

// oldClass is what the annotation decides. EKS Auto Mode does not know it and goes by ingressClassName, so that both controllers may take the
// Ingress (https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html).
func (o object) oldClass(old, name string) settings {
	s := settings{managed: old == "alb" || !otherClass(old) && o.annotated()}
	class, ok := o.classes.named[name]
	if !ok || class.controller != controllerEKS {
		return s
	}
	auto := o.settingsOf(name, class)
	if s.managed {
		auto.undecided = "whether EKS Auto Mode (by ingressClassName) or the AWS Load Balancer Controller (by the annotation " + classAnnotation + ") makes the load balancer of " + o.name()
	}
	return auto
}

func (o object) settingsOf(name string, class ingressClass) settings {
	group := parametersOf[class.controller]
	s := settings{managed: group != "", auto: class.controller == controllerEKS}
	wanted, params, _ := strings.Cut(class.parameters, "/")
	found, ok := o.classes.parameters[class.parameters]
	if !o.gone {
		o.classes.usedClasses[name], o.classes.used[class.parameters] = true, true
	}
	const precede = ", whose certificates take precedence over those of the Ingress"
	switch {
	case class.ambiguous:
		s.managed, s.undecided = true, "which IngressClass "+finding.Quote(name)+" is meant: the input has several that differ"
	case !s.managed:
	case class.gone || found.gone:
		s.params, s.undecided = found, "what happens to "+o.name()+": the apply deletes its class, or the parameters of the class"
	case class.parameters == "":
	case params == "" || wanted != group:
		s.undecided = "what IngressClass " + finding.Quote(name) + " does: its controller does not know the kind of its parameters, and ignores its Ingresses"
	case !ok:
		s.undecided = "what IngressClassParams " + finding.Quote(params) + " of the class " + finding.Quote(name) + " holds" + precede
	case found.ambiguous:
		s.undecided = "which IngressClassParams " + finding.Quote(params) + " is meant, whose certificates take precedence over those of the Ingress: the input has several that differ"
	default:
		if s.params = found; found.namespace != "" && found.namespace != o.namespaceOf() {
			s.undecided = "whether IngressClassParams " + finding.Quote(params) + " selects the namespace " + finding.Quote(o.namespaceOf()) + ": the controller ignores the Ingress otherwise"
		}
	}
	return s
}

// unused are the classes that give certificates, or may, and of which the input has no Ingress: they change listeners of others.
func (c *classes) unused() []observation.PassedOver {
	const noIngress = "the Ingresses of its class are not in the input, so it is not known which listeners get its certificates"
	var out []observation.PassedOver
	for _, key := range slices.Sorted(maps.Keys(c.parameters)) {
		if p := c.parameters[key]; len(p.arns) > 0 && !c.used[key] {
			_, name, _ := strings.Cut(key, "/")
			out = append(out, observation.PassedOver{Position: p.at, Object: clean("IngressClassParams " + name), Why: noIngress, Remedy: objectsRemedy})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.named)) {
		class := c.named[name]
		_, known := c.parameters[class.parameters]
		if parametersOf[class.controller] != "" && class.parameters != "" && !c.usedClasses[name] && (class.gone || !known) {
			out = append(out, observation.PassedOver{Position: class.at, Object: clean("IngressClass " + name), Why: "its Ingresses or its parameters, which may specify certificates, are not in the input", Remedy: objectsRemedy})
		}
	}
	for _, l := range c.lost {
		if kind, key, _ := strings.Cut(l.object, " "); !c.used[key] && !(kind == balancerKind && c.gateways.used[key]) {
			out = append(out, observation.PassedOver{Position: l.at, Object: clean(l.object), Why: "it contained " + l.what + ", which the apply removes from listeners of objects that are not in the input", Remedy: objectsRemedy})
		}
	}
	return append(out, c.gateways.unused()...)
}

// defaults are the names of the default classes, sorted.
func (c *classes) defaults() []string {
	var names []string
	for name, class := range c.named {
		if class.isDefault && !class.gone {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
