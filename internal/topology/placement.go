package topology

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/observation"
)

// Placement is where an endpoint was found among the load balancers.
type Placement struct {
	Endpoint *Endpoint
	// Listener is the one the endpoint is behind; nil where none was found.
	Listener *Listener
	// Named is the load balancer or service as the endpoint names it; empty where it names none.
	Named string
	Port  int
	// Candidates are the load balancers that fit.
	Candidates []*observation.LoadBalancer
}

// Ambiguous reports whether several load balancers fit what the endpoint names.
func (p Placement) Ambiguous() bool { return p.Named != "" && len(p.Candidates) > 1 }

// Missing reports whether what the endpoint names was not found: no load balancer fits, or it has no such port.
func (p Placement) Missing() bool {
	return p.Named != "" && p.Listener == nil && len(p.Candidates) < 2
}

// Proven reports whether the round saw enough for a missing listener to be absent.
func (p Placement) Proven() bool {
	round := p.Endpoint.topology.Round
	if !round.ListenersRead {
		return false
	}
	if len(p.Candidates) == 1 {
		return !p.Candidates[0].Partial
	}
	ref := p.Endpoint.Target.LoadBalancer
	if ref == nil {
		return false
	}
	if len(round.Only) > 0 && !slices.ContainsFunc(round.Only, func(only string) bool { return arn.NamesLoadBalancer(only, ref.Name) }) {
		return false
	}
	return !slices.ContainsFunc(round.ObserveErrors, func(t observation.ObserveError) bool { return hides(t, ref.Region) })
}

// hides reports whether an error may have kept load balancers of a region from being seen.
func hides(t observation.ObserveError, region string) bool {
	if t.Endpoint != "" || t.Region != "" && region != "" && t.Region != region {
		return false
	}
	service, _, ofAWS := strings.Cut(t.Operation, ":")
	return !ofAWS || service == "sts" || t.Operation == "elasticloadbalancing:DescribeLoadBalancers" || t.Operation == "elasticloadbalancing:*"
}

// Placement is where the endpoint was found, or why it was not.
func (e *Endpoint) Placement() Placement { return e.placement }

// ListenerFact is the listener the endpoint is behind, or why it is not known.
func (e *Endpoint) ListenerFact() Fact[*Listener] {
	p, round := e.placement, e.topology.Round
	switch {
	case p.Listener != nil:
		return known(p.Listener)
	case p.Ambiguous():
		return unknown[*Listener](Ambiguous)
	case p.Missing() && p.Proven():
		return absent[*Listener]()
	case !round.ListenersRead:
		return unknown[*Listener](NotRead)
	}
	region := ""
	if ref := e.Target.LoadBalancer; ref != nil {
		region = ref.Region
	}
	for _, t := range round.ObserveErrors {
		if hides(t, region) {
			return unknown[*Listener](reasonOf(t))
		}
	}
	switch {
	case len(p.Candidates) == 1 && p.Candidates[0].Partial:
		return unknown[*Listener](Incomplete)
	case len(round.Only) > 0:
		return unknown[*Listener](Scoped)
	case p.Named == "" && (!e.Probed || e.DNS.Failure != nil):
		return unknown[*Listener](NotProbed)
	}
	return unknown[*Listener](NotPlaced)
}

// Settled reports whether the round established which listener the endpoint is behind, or that it is behind none of those that
// were read: its name leads elsewhere.
func (e *Endpoint) Settled() bool {
	fact := e.ListenerFact()
	if fact.State != Unknown || fact.Why != NotPlaced || e.placement.Named != "" {
		return fact.State != Unknown || fact.Why == NotPlaced
	}
	// Load balancers rotate their addresses, so that two answers at one time may have only some in common.
	return !slices.ContainsFunc(e.topology.Round.LoadBalancers, func(lb observation.LoadBalancer) bool {
		return lb.Unresolved || slices.ContainsFunc(e.DNS.Addresses, func(a string) bool { return slices.Contains(lb.Addresses, a) })
	})
}

// Ambiguous returns the placements for which several load balancers fit.
func (t *Topology) Ambiguous() []Placement { return t.placements(Placement.Ambiguous) }

// Missing returns the placements whose load balancer or port was not found.
func (t *Topology) Missing() []Placement { return t.placements(Placement.Missing) }

func (t *Topology) placements(keep func(Placement) bool) []Placement {
	var out []Placement
	for _, e := range t.Endpoints {
		if keep(e.placement) {
			out = append(out, e.placement)
		}
	}
	return out
}

// MayHaveUnseenEndpoint reports whether some endpoint might be behind the listener, although none is known to be: its load
// balancer's name fits several, or its own name could not be resolved in this round.
func (l *Listener) MayHaveUnseenEndpoint() bool {
	for _, p := range l.topology.Ambiguous() {
		if slices.Contains(p.Candidates, l.LoadBalancer) {
			return true
		}
	}
	return slices.ContainsFunc(l.topology.Endpoints, func(e *Endpoint) bool {
		t := e.Target
		return e.Listener == nil && t.LoadBalancer == nil && len(t.ConnectTo) == 0 && t.Port == l.Port && (!e.Probed || e.DNS.Failure != nil)
	})
}

// index finds load balancers by what endpoints say of them.
type index struct {
	byName, byService, byDNS, byAddress map[string][]*observation.LoadBalancer
	listeners                           map[*observation.LoadBalancer][]*Listener
	byManifest                          map[string][]observation.Declaration // by Service
}

func (t *Topology) index() *index {
	type balancers = map[string][]*observation.LoadBalancer
	x := &index{
		byName: balancers{}, byService: balancers{}, byDNS: balancers{}, byAddress: balancers{},
		listeners: map[*observation.LoadBalancer][]*Listener{}, byManifest: map[string][]observation.Declaration{},
	}
	for i := range t.Round.LoadBalancers {
		lb := &t.Round.LoadBalancers[i]
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
	}
	for _, l := range t.Listeners {
		x.listeners[l.LoadBalancer] = append(x.listeners[l.LoadBalancer], l)
	}
	for _, d := range t.Round.Manifests {
		x.byManifest[d.Service] = append(x.byManifest[d.Service], d)
	}
	return x
}

// locate finds the endpoint's listener: by the load balancer it names, by its Kubernetes service and the load balancers'
// tags, then by DNS.
func (x *index) locate(e *Endpoint) Placement {
	t := e.Target
	if ref := t.LoadBalancer; ref != nil {
		fit := slices.DeleteFunc(slices.Clone(x.byName[ref.Name]), func(lb *observation.LoadBalancer) bool {
			return ref.Region != "" && lb.Region != ref.Region
		})
		return x.placement(e, "load balancer "+ref.Name, cmp.Or(ref.Port, t.Port), fit)
	}
	byService, byDNS := x.service(t.Service), x.dns(e)
	if len(byService) > 0 {
		if both := intersect(byService, byDNS); len(byService) > 1 && len(both) > 0 {
			byService = both
		}
		return x.placement(e, "service "+t.Service, t.Port, byService)
	}
	// The endpoint names no listener: one that does not exist shows when the address is dialed.
	return x.placement(e, "", t.Port, byDNS)
}

func (x *index) placement(e *Endpoint, named string, port int, fit []*observation.LoadBalancer) Placement {
	p := Placement{Endpoint: e, Named: named, Port: port, Candidates: fit}
	if len(fit) == 1 {
		for _, l := range x.listeners[fit[0]] {
			if l.Port == port {
				p.Listener = l
				break
			}
		}
	}
	return p
}

// service finds the load balancers made for a Service, Ingress or Gateway, or for the group its Ingress is in.
func (x *index) service(service string) []*observation.LoadBalancer {
	if service == "" {
		return nil
	}
	fit := slices.Clone(x.byService[service])
	add := func(more []*observation.LoadBalancer) {
		for _, lb := range more {
			if !slices.Contains(fit, lb) {
				fit = append(fit, lb)
			}
		}
	}
	for _, d := range x.byManifest[service] {
		if d.Group != "" {
			add(x.byService[d.Group])
		}
		if d.LoadBalancer != "" {
			add(x.byName[d.LoadBalancer])
		}
	}
	return fit
}

// dns finds the load balancers that the endpoint's name leads to: by the end of its CNAME chain, by its own name, or,
// since aliases show no CNAME, by addresses that all belong to one load balancer. With connect_to the name is not used.
func (x *index) dns(e *Endpoint) []*observation.LoadBalancer {
	if len(e.Target.ConnectTo) > 0 || !e.Probed || e.DNS.Skipped && !IsIP(e.Target.Host) {
		return nil
	}
	for _, name := range []string{e.DNS.CanonicalName, e.Target.Host} {
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
