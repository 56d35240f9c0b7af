package plan

import (
	"cmp"
	"slices"
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// removals are the TLS listeners that applying the manifests would take away: those of an object's load balancer that the
// object, as the manifest has it, does not ask for. A Service that is no LoadBalancer any more asks for none.
func (p planner) removals() []effect {
	var out []effect
	owned := p.indexOwned()
	removed := map[*topology.Listener]bool{}
	for _, d := range p.Round.Manifests {
		if !d.RemovesListeners {
			continue
		}
		losing := slices.DeleteFunc(owned.by(d), func(l *topology.Listener) bool {
			return removed[l] || !l.Secure() || len(p.DeclarationsOwning(l)) > 0 ||
				slices.ContainsFunc(l.Declarations, func(x *topology.Declaration) bool { return d.Service != "" && x.Service == d.Service })
		})
		for _, l := range losing {
			removed[l] = true
			out = append(out, p.removal(d, l, losing)...)
		}
		out = append(out, p.undecidedRemovals(d)...)
	}
	return out
}

// ownedIndex finds the listeners of the load balancers that an object makes.
type ownedIndex struct {
	byObject  map[string][]*topology.Listener            // those that the object's other declarations are about
	byName    map[string][]*topology.Listener            // by the load balancer's name
	byStack   map[observation.Stack][]*topology.Listener // by its tags
	byService map[string][]*topology.Listener            // by what the endpoints behind it name, where it has no tags
}

func (p planner) indexOwned() ownedIndex {
	x := ownedIndex{map[string][]*topology.Listener{}, map[string][]*topology.Listener{}, map[observation.Stack][]*topology.Listener{}, map[string][]*topology.Listener{}}
	of := map[*observation.LoadBalancer][]*topology.Listener{}
	for _, l := range p.Listeners {
		lb := l.LoadBalancer
		of[lb] = append(of[lb], l)
		x.byName[lb.Name] = append(x.byName[lb.Name], l)
		stacks := lb.Stacks()
		for _, s := range stacks {
			x.byStack[s] = append(x.byStack[s], l)
		}
		for _, e := range l.Endpoints {
			if len(stacks) == 0 && e.Target.Service != "" {
				x.byService[e.Target.Service] = appendNew(x.byService[e.Target.Service], l)
			}
		}
	}
	for _, d := range p.Declarations {
		for _, l := range d.Listeners {
			x.byObject[d.Object] = appendNew(x.byObject[d.Object], of[l.LoadBalancer]...)
		}
	}
	return x
}

// by are the listeners that the object's other declarations are about; else those that names, tags and endpoints lead to.
func (x ownedIndex) by(d observation.Declaration) []*topology.Listener {
	if known := x.byObject[d.Object]; len(known) > 0 {
		return slices.Clone(known)
	}
	var out []*topology.Listener
	if d.LoadBalancer != "" {
		out = appendNew(out, x.byName[d.LoadBalancer]...)
	}
	for _, s := range d.Stacks() {
		out = appendNew(out, x.byStack[s]...)
	}
	out = appendNew(out, x.byService[d.Service]...)
	return slices.DeleteFunc(out, func(l *topology.Listener) bool { return !d.Fits(l.LoadBalancer.Kind) })
}

func appendNew(to []*topology.Listener, ls ...*topology.Listener) []*topology.Listener {
	for _, l := range ls {
		if !slices.Contains(to, l) {
			to = append(to, l)
		}
	}
	return to
}

// removal is the loss of one listener. Where the object may make several load balancers, or where something else may keep the
// listener, it is undecided.
func (p planner) removal(d observation.Declaration, l *topology.Listener, losing []*topology.Listener) []effect {
	lost := d
	lost.Port = l.Port
	if d.Of(observation.Ingress) && l.Port != 443 { // what an Ingress leaves to its class is 443
		lost.UndecidedBecause = ""
	}
	object := finding.Clean(d.Object, finding.QuoteLimit)
	switch other := slices.IndexFunc(losing, func(x *topology.Listener) bool { return x.LoadBalancer != l.LoadBalancer }); {
	case p.manifestsOf(d.Object) > 1:
		lost.UndecidedBecause = "which of the manifests of " + object + " is applied"
	case d.Group != "" && !p.Round.WholeGroups:
		lost.UndecidedBecause = "whether another Ingress of the group " + finding.Clean(d.Group, finding.QuoteLimit) + " keeps " + l.Label()
	case other >= 0:
		lost.UndecidedBecause = "which load balancer belongs to " + object + ": " + l.Label() + " or " + losing[other].Label() +
			" (the cluster's tag in load_balancers.tags tells them apart)"
	}
	var out []effect
	for _, g := range topology.OrNone(topology.ByEnvironment(topology.Secured(l.Endpoints))) {
		out = append(out, p.effect(p.Declaration(lost), l, g.Endpoints))
	}
	return out
}

// manifestsOf is how many manifests the object has: overlays of one base, for one.
func (p planner) manifestsOf(object string) int {
	count := 0
	for _, d := range p.Round.Manifests {
		if d.RemovesListeners && d.Object == object {
			count++
		}
	}
	return count
}

// undecidedRemovals are for endpoints that name the object, or its load balancer, as what is in front of them, while the manifests give it no port for
// them, and nobody could read what is attached.
func (p planner) undecidedRemovals(d observation.Declaration) []effect {
	if p.Round.ListenersRead && len(p.Round.ObserveErrors) == 0 {
		return nil
	}
	var out []effect
	for _, e := range p.Endpoints {
		ref := e.Target.LoadBalancer
		named := d.Service == "" && ref != nil && ref.Name == d.LoadBalancer // Terraform deletes the load balancer itself
		if !named && (d.Service == "" || e.Target.Service != d.Service) || e.Listener != nil || len(e.Declarations) > 0 || !e.Target.Kind.Secured() {
			continue
		}
		lost := d
		lost.Port = e.Target.Port
		if d.Kind == observation.Application && d.UndecidedBecause != "" {
			lost.RemovesListeners, lost.Discovered, lost.PortUncertain = false, true, true
			out = append(out, p.effect(p.Declaration(lost), nil, []*topology.Endpoint{e}))
			continue
		}
		lost.UndecidedBecause = "whether " + finding.Clean(d.Object, finding.QuoteLimit) + " currently has a load balancer with port " + strconv.Itoa(lost.Port) + ", which applying would remove"
		out = append(out, p.effect(p.Declaration(lost), nil, []*topology.Endpoint{e}))
	}
	declared := slices.ContainsFunc(p.Declarations, func(o *topology.Declaration) bool { return o.LoadBalancer == d.LoadBalancer })
	if d.Service == "" && len(out) == 0 && !declared { // its listeners may live in another state
		lost := d
		lost.UndecidedBecause = cmp.Or(d.UndecidedBecause, "which listeners go with "+finding.Clean(d.LoadBalancer, finding.QuoteLimit)+", which "+p.Declaration(d).At()+
			" deletes: they may be declared elsewhere; in the configuration, load_balancer: {name: "+finding.Clean(d.LoadBalancer, finding.QuoteLimit)+"} says which endpoint is behind it")
		out = append(out, p.effect(p.Declaration(lost), nil, nil))
	}
	return out
}

// hasNoSuchPort reports whether a port that the manifest leaves open is none, since the object's load balancer exists and does
// not have it.
func (p planner) hasNoSuchPort(d *topology.Declaration) bool {
	return d.PortUncertain && slices.ContainsFunc(p.Round.LoadBalancers, func(lb observation.LoadBalancer) bool { return !lb.Partial && lb.MadeFor(d.Declaration) })
}
