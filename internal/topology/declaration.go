package topology

import (
	"cmp"
	"slices"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Declaration is one listener's certificates as a manifest declares them, with what it is about.
type Declaration struct {
	observation.Declaration
	Listeners []*Listener
	Endpoints []*Endpoint

	group    *ingressGroup // nil for an object that is in none
	topology *Topology
}

// addDeclarations brings the manifests' declarations together with listeners and endpoints.
func (t *Topology) addDeclarations() {
	for _, d := range pooled(t.Round.Manifests) {
		if !d.RemovesListeners {
			t.Declarations = append(t.Declarations, t.Declaration(d))
		}
	}
	t.groupIngresses()
	t.owners = indexOwners(t.Declarations)
	direct, byEndpoint := t.namedListeners(), t.endpointListeners()
	for _, d := range t.Declarations {
		d.Listeners = direct[d]
		if len(d.Listeners) == 0 {
			d.Listeners = byEndpoint[d]
		}
		d.Listeners = d.attachable(d.Listeners)
		for _, l := range d.Listeners {
			if d.settle(l); d.Listener == "" { // an addition says nothing about what else is attached
				l.Declarations = append(l.Declarations, d)
			}
		}
	}
	for _, e := range t.Endpoints {
		e.Declarations = t.declarationsFor(e)
		for _, d := range e.Declarations {
			d.Endpoints = append(d.Endpoints, e)
		}
	}
}

// Declaration returns a declaration of the model that is about no listener and no endpoint yet.
func (t *Topology) Declaration(d observation.Declaration) *Declaration {
	return &Declaration{Declaration: d, topology: t}
}

// namedListeners are the listeners of each declaration by the load balancers' names and tags, or by the listener's ARN.
func (t *Topology) namedListeners() map[*Declaration][]*Listener {
	byARN := map[string][]*Declaration{}
	for _, d := range t.Declarations {
		if d.Listener != "" {
			byARN[d.Listener] = append(byARN[d.Listener], d)
		}
	}
	out := map[*Declaration][]*Listener{}
	for _, l := range t.Listeners {
		for _, d := range slices.Concat(t.DeclarationsOwning(l), byARN[l.ARN]) {
			out[d] = appendNew(out[d], l)
		}
	}
	return out
}

// endpointListeners are the listeners of each declaration by the endpoints that name both.
func (t *Topology) endpointListeners() map[*Declaration][]*Listener {
	byService := map[string][]*Declaration{}
	for _, d := range t.Declarations {
		if d.Service != "" {
			byService[d.Service] = append(byService[d.Service], d)
		}
	}
	out := map[*Declaration][]*Listener{}
	for _, e := range t.Endpoints {
		for _, d := range byService[e.Target.Service] {
			if l := e.Listener; l != nil && d.Port == l.Port && d.Fits(l.LoadBalancer.Kind) {
				out[d] = appendNew(out[d], l)
			}
		}
	}
	return out
}

// attachable leaves out the listeners that cannot hold the declaration's certificates, where others can: of several
// clusters or regions that have an object of one name, those that can are meant.
func (d *Declaration) attachable(all []*Listener) []*Listener {
	fit := slices.DeleteFunc(slices.Clone(all), func(l *Listener) bool { return d.Foreign(l) != "" })
	if len(fit) > 0 {
		return fit
	}
	return all
}

// Foreign is a certificate of the declaration that cannot be attached to the listener, since it is of another region or
// account; empty where there is none.
func (d *Declaration) Foreign(l *Listener) string {
	lb := l.LoadBalancer
	for _, text := range d.ARNs {
		a, ok := arn.Split(text)
		if ok && (a.Region != "" && a.Region != lb.Region || a.Account != "" && lb.Account != "" && a.Account != lb.Account) {
			return text
		}
	}
	return ""
}

// Open reports whether a certificate that the controller discovers for another Ingress of the group may serve host in
// place of c, which does not cover it.
func (d *Declaration) Open(c *Certificate, host string) bool {
	return d.More && c.Named() && !c.Covers(host)
}

// WithoutCertificate reports whether the manifest declares a port without any certificate. Most such ports never had one.
func (d *Declaration) WithoutCertificate() bool {
	return len(d.ARNs)+len(d.Pending) == 0 && !d.Discovered && d.Listener == ""
}

// Agrees reports whether nothing known shows that the manifest would serve host a certificate that differs from the
// declared one.
func (d *Declaration) Agrees(declared target.Declared, host string) bool {
	if d.UndecidedBecause != "" || d.group != nil && !d.group.hasHost(host) {
		return true // what it attaches is not known, or what another Ingress of its group does
	}
	candidates, all := d.alone().Candidates(host, d.topology.Now)
	return !all || slices.ContainsFunc(candidates, func(a *Attachment) bool {
		return d.Open(a.Certificate, host) || d.topology.CompareDeclared(declared, a.ARN, a.Body()) < Different
	})
}

// At is the manifest's position and object, for people.
func (d *Declaration) At() string {
	object := finding.Clean(d.Object, finding.QuoteLimit)
	if at := Position(d.Source); at != "" {
		return at + " (" + object + ")"
	}
	return object
}

// ToFix is what a person changes: the manifest's position, or the resource where a tool wrote the manifest.
func (d *Declaration) ToFix() string {
	object := finding.Clean(d.Object, finding.QuoteLimit)
	switch {
	case d.Tool == observation.Pulumi:
		return "the resource " + object + " in the Pulumi program"
	case d.Tool == observation.CDK:
		return "the construct that makes " + object + " in the CDK app"
	case d.Tool == observation.ChangeSet:
		return object + " in the stack's template"
	case d.Generated():
		return "the resource " + object + " in the Terraform code"
	}
	return d.At()
}

// ownerKey is what a declaration and a load balancer have in common: a port, and the load balancer's name or the object
// or group it was made for.
type ownerKey struct {
	port  int
	name  string
	stack observation.Stack
}

// ownerIndex finds the declarations of the objects that own a listener.
type ownerIndex map[ownerKey][]*Declaration

func indexOwners(all []*Declaration) ownerIndex {
	x := ownerIndex{}
	for _, d := range all {
		if d.LoadBalancer != "" {
			key := ownerKey{port: d.Port, name: d.LoadBalancer}
			x[key] = append(x[key], d)
		}
		for _, stack := range d.Stacks() {
			key := ownerKey{port: d.Port, stack: stack}
			x[key] = append(x[key], d)
		}
	}
	return x
}

// DeclarationsOwning are the declarations of the objects that the listener's load balancer was made for, each once.
func (t *Topology) DeclarationsOwning(l *Listener) []*Declaration {
	found := slices.Clone(t.owners[ownerKey{port: l.Port, name: l.LoadBalancer.Name}])
	for _, stack := range l.LoadBalancer.Stacks() {
		for _, d := range t.owners[ownerKey{port: l.Port, stack: stack}] {
			if !slices.Contains(found, d) {
				found = append(found, d)
			}
		}
	}
	return found
}

// declarationsFor are the declarations for an endpoint: those of its listener; else those of its service or of the load
// balancer it names; else those that name its host.
func (t *Topology) declarationsFor(e *Endpoint) []*Declaration {
	if !e.Target.Kind.Secured() {
		return nil
	}
	if e.Listener != nil && len(e.Listener.Declarations) > 0 {
		return e.Listener.Declarations
	}
	port := e.Target.Port
	if ref := e.Target.LoadBalancer; ref != nil {
		port = cmp.Or(ref.Port, port)
	}
	var byName, byHost []*Declaration
	for _, d := range t.Declarations {
		switch {
		case d.Port != port || len(d.Listeners) > 0:
		case d.Service != "" && d.Service == e.Target.Service, d.names(e.Target.LoadBalancer):
			if e.Listener == nil || d.Fits(e.Listener.LoadBalancer.Kind) {
				byName = append(byName, d)
			}
		case e.Listener == nil && e.Target.Service == "" && d.hasHost(e.Target.Host):
			byHost = append(byHost, d)
		}
	}
	if len(byName) > 0 {
		return byName
	}
	return byHost
}

func (d *Declaration) names(ref *target.LoadBalancerRef) bool {
	return ref != nil && d.LoadBalancer != "" && d.LoadBalancer == ref.Name
}

func (d *Declaration) hasHost(host string) bool {
	return slices.ContainsFunc(d.Hosts, func(h string) bool { return MatchName(h, host) })
}

func appendNew(to []*Listener, ls ...*Listener) []*Listener {
	for _, l := range ls {
		if !slices.Contains(to, l) {
			to = append(to, l)
		}
	}
	return to
}
