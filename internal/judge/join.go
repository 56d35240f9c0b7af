package judge

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// placement is an endpoint whose listener could not be told: the load balancers that fit are too many, or none, or have
// no such port.
type placement struct {
	endpoint   *endpoint
	what       string // the load balancer or service as the endpoint names it
	port       int
	candidates []*observation.LoadBalancer
}

// declaration is one listener's certificates as a manifest declares them, with what it speaks of.
type declaration struct {
	observation.Declaration
	listeners []*listener
	endpoints []*endpoint
	// byEndpoint: neither name nor tags brought it and its listeners together, but endpoints that name both.
	byEndpoint bool
}

// join brings the three truths together: which listener each endpoint sits behind, which certificates are attached to
// it, and what is declared for both.
func (w *world) join() {
	x := w.index()
	for _, e := range w.endpoints {
		x.place(w, e)
	}
	for _, d := range pooled(w.round.Manifests) {
		if !d.Closes {
			w.declarations = append(w.declarations, &declaration{Declaration: d})
		}
	}
	w.pair()
	for _, e := range w.endpoints {
		e.declarations = w.speakOf(e)
		for _, d := range e.declarations {
			d.endpoints = append(d.endpoints, e)
		}
	}
}

// pair brings declarations and listeners together: by the load balancers' names and tags, else by the endpoints that name
// both. Of several clusters or regions that have an object of one name, those are meant that can hold its certificates.
func (w *world) pair() {
	made := w.makers()
	for _, l := range w.listeners {
		for _, d := range made.of(l) {
			d.listeners = append(d.listeners, l)
		}
		for _, d := range w.declarations {
			if d.Listener != "" && d.Listener == l.ARN {
				d.listeners = append(d.listeners, l)
			}
		}
	}
	for _, e := range w.endpoints {
		for _, d := range w.declarations {
			if l := e.listener; l != nil && d.Service != "" && d.Service == e.Target.Service && d.Port == l.Port && d.Fits(l.loadBalancer.Kind) && (len(d.listeners) == 0 || d.byEndpoint) {
				d.byEndpoint = true
				if !slices.Contains(d.listeners, l) {
					d.listeners = append(d.listeners, l)
				}
			}
		}
	}
	for _, d := range w.declarations {
		if fit := slices.DeleteFunc(slices.Clone(d.listeners), func(l *listener) bool { return d.foreign(l) != "" }); len(fit) > 0 {
			d.listeners = fit
		}
		for _, l := range d.listeners {
			if d.Listener == "" { // an addition says nothing of what else is attached
				l.declarations = append(l.declarations, d)
			}
		}
	}
}

// foreign is a certificate of the declaration that cannot be attached to the listener, since it is of another region or
// account; empty where there is none.
func (d *declaration) foreign(l *listener) string {
	for _, arn := range d.ARNs {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) == 6 && (parts[3] != "" && parts[3] != l.loadBalancer.Region || parts[4] != "" && l.loadBalancer.Account != "" && parts[4] != l.loadBalancer.Account) {
			return arn
		}
	}
	return ""
}

// index finds load balancers by what endpoints know of them.
type index struct {
	byName, byService, byDNS map[string][]*observation.LoadBalancer
	byAddress                map[string][]*observation.LoadBalancer
	listeners                map[*observation.LoadBalancer][]*listener
}

func (w *world) index() *index {
	x := &index{
		byName: map[string][]*observation.LoadBalancer{}, byService: map[string][]*observation.LoadBalancer{},
		byDNS: map[string][]*observation.LoadBalancer{}, byAddress: map[string][]*observation.LoadBalancer{},
		listeners: map[*observation.LoadBalancer][]*listener{},
	}
	for i := range w.round.LoadBalancers {
		lb := &w.round.LoadBalancers[i]
		x.byName[lb.Name] = append(x.byName[lb.Name], lb)
		if lb.DNSName != "" {
			x.byDNS[lb.DNSName] = append(x.byDNS[lb.DNSName], lb)
		}
		for _, a := range lb.Addresses {
			x.byAddress[a] = append(x.byAddress[a], lb)
		}
		for _, stack := range lb.Stacks() {
			x.byService[stack.Name] = append(x.byService[stack.Name], lb)
		}
		for _, l := range lb.Listeners {
			made := &listener{world: w, loadBalancer: lb, Listener: l, attached: w.attach(l)}
			w.listeners = append(w.listeners, made)
			x.listeners[lb] = append(x.listeners[lb], made)
		}
	}
	return x
}

// place finds the endpoint's listener: by the load balancer it names, by its Kubernetes service and the load
// balancers' tags, then by DNS.
func (x *index) place(w *world, e *endpoint) {
	t := e.Target
	if ref := t.LoadBalancer; ref != nil {
		fit := slices.DeleteFunc(slices.Clone(x.byName[ref.Name]), func(lb *observation.LoadBalancer) bool {
			return ref.Region != "" && lb.Region != ref.Region
		})
		x.settle(w, placement{e, "load balancer " + ref.Name, cmp.Or(ref.Port, t.Port), fit})
		return
	}
	if fit := x.service(w, t.Service); len(fit) > 0 {
		if len(fit) > 1 {
			byDNS := x.dns(e)
			if narrowed := intersect(fit, byDNS); len(narrowed) > 0 {
				fit = narrowed
			}
		}
		x.settle(w, placement{e, "service " + t.Service, t.Port, fit})
		return
	}
	if fit := x.dns(e); len(fit) == 1 {
		// The endpoint names no listener: one that is not there shows itself when the address is dialled.
		x.behind(e, fit[0], t.Port)
	}
}

// service finds the load balancers made for a Service or Ingress, or for the group its Ingress is in.
func (x *index) service(w *world, service string) []*observation.LoadBalancer {
	if service == "" {
		return nil
	}
	fit := slices.Clone(x.byService[service])
	for _, d := range w.round.Manifests {
		if d.Service != service {
			continue
		}
		for _, more := range [][]*observation.LoadBalancer{x.byService[cmp.Or(d.Group, "\x00")], x.byName[cmp.Or(d.LoadBalancer, "\x00")]} {
			for _, lb := range more {
				if !slices.Contains(fit, lb) {
					fit = append(fit, lb)
				}
			}
		}
	}
	return fit
}

// settle puts the endpoint behind its listener, or notes why it cannot be.
func (x *index) settle(w *world, p placement) {
	switch {
	case len(p.candidates) > 1:
		w.ambiguous = append(w.ambiguous, p)
	case len(p.candidates) == 0 || !x.behind(p.endpoint, p.candidates[0], p.port):
		w.missing = append(w.missing, p)
	}
}

func (x *index) behind(e *endpoint, lb *observation.LoadBalancer, port int) bool {
	for _, l := range x.listeners[lb] {
		if l.Port == port {
			e.listener = l
			l.endpoints = append(l.endpoints, e)
			return true
		}
	}
	return false
}

// dns finds the load balancers that the endpoint's name leads to: by the end of its CNAME chain, by its own name, or,
// as aliases show no CNAME, by addresses that all are one load balancer's. With connect_to the name is not asked.
func (x *index) dns(e *endpoint) []*observation.LoadBalancer {
	if len(e.Target.ConnectTo) > 0 || !e.Probed || e.DNS.Skipped && !isIP(e.Target.Host) {
		return nil
	}
	for _, name := range []string{e.DNS.CanonicalName, e.Target.Host} {
		if name == "" {
			continue
		}
		if fit := x.byDNS[strings.TrimPrefix(name, "dualstack.")]; len(fit) > 0 {
			return fit
		}
	}
	var fit []*observation.LoadBalancer
	for i, a := range e.DNS.Addresses {
		if i == 0 {
			fit = slices.Clone(x.byAddress[a])
			continue
		}
		fit = intersect(fit, x.byAddress[a])
	}
	return fit
}

func intersect(a, b []*observation.LoadBalancer) []*observation.LoadBalancer {
	var both []*observation.LoadBalancer
	for _, lb := range a {
		if slices.Contains(b, lb) {
			both = append(both, lb)
		}
	}
	return both
}

// maker is what a declaration and a load balancer have in common: a port, and the load balancer's name or the object or
// group it was made for.
type maker struct {
	port  int
	name  string
	stack observation.Stack
}

type makers map[maker][]*declaration

func (w *world) makers() makers {
	m := makers{}
	for _, d := range w.declarations {
		if d.LoadBalancer != "" {
			m.add(maker{port: d.Port, name: d.LoadBalancer}, d)
		}
		for _, stack := range d.Stacks() {
			m.add(maker{port: d.Port, stack: stack}, d)
		}
	}
	return m
}

func (m makers) add(key maker, d *declaration) { m[key] = append(m[key], d) }

// of are the declarations of the objects that the listener's load balancer was made for, each once.
func (m makers) of(l *listener) []*declaration {
	found := slices.Clone(m[maker{port: l.Port, name: l.loadBalancer.Name}])
	for _, stack := range l.loadBalancer.Stacks() {
		for _, d := range m[maker{port: l.Port, stack: stack}] {
			if !slices.Contains(found, d) {
				found = append(found, d)
			}
		}
	}
	return found
}

// speakOf finds the manifests' words about an endpoint: those about its listener; else those of its service or the load
// balancer it names; else those that name its host.
func (w *world) speakOf(e *endpoint) []*declaration {
	if !e.Target.Kind.Secured() {
		return nil
	}
	if e.listener != nil && len(e.listener.declarations) > 0 {
		return e.listener.declarations
	}
	port := e.Target.Port
	if ref := e.Target.LoadBalancer; ref != nil {
		port = cmp.Or(ref.Port, port)
	}
	var byName, byHost []*declaration
	for _, d := range w.declarations {
		switch {
		case d.Port != port || len(d.listeners) > 0 || e.listener != nil && !d.Fits(e.listener.loadBalancer.Kind):
		case d.Service != "" && d.Service == e.Target.Service, d.named(e.Target.LoadBalancer):
			byName = append(byName, d)
		case e.listener == nil && e.Target.Service == "" && d.hosts(e.Target.Host):
			byHost = append(byHost, d)
		}
	}
	if len(byName) > 0 {
		return byName
	}
	return byHost
}

func (d *declaration) named(ref *target.LoadBalancerRef) bool {
	return ref != nil && d.LoadBalancer != "" && d.LoadBalancer == ref.Name
}

func (d *declaration) hosts(host string) bool {
	return slices.ContainsFunc(d.Hosts, func(h string) bool { return matchName(h, host) })
}
