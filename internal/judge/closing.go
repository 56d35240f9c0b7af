package judge

import (
	"slices"
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// closings are what applying the manifests would take away: the TLS listeners of an object's load balancer that the
// object, as the manifest has it, does not ask for. A Service that is no LoadBalancer any more asks for none.
func (w *world) closings() []effect {
	var out []effect
	made, owned := w.makers(), w.owned()
	closed := map[*listener]bool{}
	for _, d := range w.round.Manifests {
		if !d.Closes {
			continue
		}
		losing := slices.DeleteFunc(owned.by(d), func(l *listener) bool {
			return closed[l] || !l.Secure() || len(made.of(l)) > 0 || slices.ContainsFunc(l.declarations, func(x *declaration) bool { return x.Service == d.Service })
		})
		for _, l := range losing {
			closed[l] = true
			out = append(out, w.closing(d, l, losing)...)
		}
		out = append(out, w.perhapsClosing(d)...)
	}
	return out
}

// owned finds the listeners of the load balancers that an object makes.
type owned struct {
	paired    map[string][]*listener            // by the object of declarations that were paired with them
	named     map[string][]*listener            // by the load balancer's name
	made      map[observation.Stack][]*listener // by its tags
	byService map[string][]*listener            // by what the endpoints behind say, where tags say nothing
}

func (w *world) owned() owned {
	o := owned{map[string][]*listener{}, map[string][]*listener{}, map[observation.Stack][]*listener{}, map[string][]*listener{}}
	of := map[*observation.LoadBalancer][]*listener{}
	for _, l := range w.listeners {
		lb := l.loadBalancer
		of[lb] = append(of[lb], l)
		o.named[lb.Name] = append(o.named[lb.Name], l)
		stacks := lb.Stacks()
		for _, s := range stacks {
			o.made[s] = append(o.made[s], l)
		}
		for _, e := range l.endpoints {
			if len(stacks) == 0 && e.Target.Service != "" {
				o.byService[e.Target.Service] = appendNew(o.byService[e.Target.Service], l)
			}
		}
	}
	for _, d := range w.declarations {
		for _, l := range d.listeners {
			o.paired[d.Object] = appendNew(o.paired[d.Object], of[l.loadBalancer]...)
		}
	}
	return o
}

// by is what its other declarations were paired with; else what names, tags and endpoints tell of.
func (o owned) by(d observation.Declaration) []*listener {
	if paired := o.paired[d.Object]; len(paired) > 0 {
		return slices.Clone(paired)
	}
	var out []*listener
	if d.LoadBalancer != "" {
		out = appendNew(out, o.named[d.LoadBalancer]...)
	}
	for _, s := range d.Stacks() {
		out = appendNew(out, o.made[s]...)
	}
	out = appendNew(out, o.byService[d.Service]...)
	return slices.DeleteFunc(out, func(l *listener) bool { return !d.Fits(l.loadBalancer.Kind) })
}

func appendNew(to []*listener, ls ...*listener) []*listener {
	for _, l := range ls {
		if !slices.Contains(to, l) {
			to = append(to, l)
		}
	}
	return to
}

// closing weighs the loss of one listener. Of several load balancers that the object may make, or where something else
// may keep the listener, it cannot be told whether it goes.
func (w *world) closing(d observation.Declaration, l *listener, losing []*listener) []effect {
	lost := d
	lost.Port = l.Port
	if d.Kind == observation.Application && l.Port != 443 { // what an Ingress leaves to its class is 443
		lost.Perhaps = ""
	}
	object := finding.Clean(d.Object, finding.QuoteLimit)
	switch other := slices.IndexFunc(losing, func(x *listener) bool { return x.loadBalancer != l.loadBalancer }); {
	case w.manifestsOf(d.Object) > 1:
		lost.Perhaps = "which of the manifests of " + object + " is applied"
	case d.Group != "":
		lost.Perhaps = "whether another Ingress of the group " + finding.Clean(d.Group, finding.QuoteLimit) + " keeps " + l.label()
	case other >= 0:
		lost.Perhaps = "which load balancer " + object + " is of: " + l.label() + " or " + losing[other].label() +
			" (load_balancers.tags with the cluster's tag says so)"
	}
	var behind []*endpoint
	for _, e := range l.endpoints {
		if e.Target.Kind.Secured() {
			behind = append(behind, e)
		}
	}
	var out []effect
	for _, g := range orNone(byEnvironment(behind)) {
		out = append(out, w.weigh(&declaration{Declaration: lost}, l, g.endpoints))
	}
	return out
}

// manifestsOf is how many manifests the object has: overlays of one base, for one.
func (w *world) manifestsOf(object string) int {
	count := 0
	for _, d := range w.round.Manifests {
		if d.Closes && d.Object == object {
			count++
		}
	}
	return count
}

// perhapsClosing is said where nobody could read what is attached, and an endpoint names the object as what is in front of
// it, while the manifests give it no port for that endpoint.
func (w *world) perhapsClosing(d observation.Declaration) []effect {
	if w.round.ListenersRead && len(w.round.ObserveErrors) == 0 {
		return nil
	}
	var out []effect
	for _, e := range w.endpoints {
		if e.Target.Service != d.Service || e.listener != nil || len(e.declarations) > 0 || !e.Target.Kind.Secured() {
			continue
		}
		lost := d
		lost.Port = e.Target.Port
		lost.Perhaps = "whether " + finding.Clean(d.Object, finding.QuoteLimit) + " has a load balancer with port " + strconv.Itoa(lost.Port) + " now: applying would take it away"
		out = append(out, w.weigh(&declaration{Declaration: lost}, nil, []*endpoint{e}))
	}
	return out
}
