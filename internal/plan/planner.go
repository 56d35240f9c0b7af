package plan

import (
	"slices"

	"certdrift/internal/policy"
	"certdrift/internal/topology"
)

// planner finds out what applying the manifests of a round would do.
type planner struct {
	*topology.Topology
	policy policy.Thresholds
	// byARN are the listeners, added the declarations that add to a listener's SNI list or remove from it, by the listener's ARN.
	byARN map[string]*topology.Listener
	added map[string]additions
	// reimported are the ARNs under which the apply puts other certificates.
	reimported map[string]bool
}

func newPlanner(t *topology.Topology, thresholds policy.Thresholds) planner {
	p := planner{t, thresholds, map[string]*topology.Listener{}, map[string]additions{}, map[string]bool{}}
	for _, l := range t.Listeners {
		if l.ARN != "" {
			p.byARN[l.ARN] = l
		}
	}
	for _, d := range t.Declarations {
		if d.Listener != "" {
			p.added[d.Listener] = append(p.added[d.Listener], d)
		}
		for _, arn := range d.ARNs {
			p.reimported[arn] = p.reimported[arn] || d.Reimports
		}
	}
	return p
}

// effects are what a declaration would do to each listener it is about, and to the endpoints whose listener is not known.
func (p planner) effects(d *topology.Declaration) []effect {
	if d.Listener != "" {
		return p.listEffects(d)
	}
	var out []effect
	add := func(l *topology.Listener, es []*topology.Endpoint) {
		for _, g := range topology.OrNone(topology.ByEnvironment(es)) {
			out = append(out, p.effect(d, l, g.Endpoints))
		}
	}
	for _, l := range d.Listeners {
		if d.WithoutCertificate() && len(l.Attached) == 0 {
			continue // applying could take no certificate away
		}
		add(l, topology.Secured(l.Endpoints))
	}
	loose := slices.DeleteFunc(slices.Clone(d.Endpoints), func(e *topology.Endpoint) bool {
		// TLS may end behind the load balancer, unless the configuration declares what only AWS can hold.
		behind := d.WithoutCertificate() && (e.Target.Declared == nil || e.Target.Declared.ARN == "")
		return behind || slices.Contains(d.Listeners, e.Listener)
	})
	if len(loose) > 0 {
		add(nil, loose)
	}
	return out
}

// listEffects are the effects of a declaration that adds to a listener's SNI list or removes from it, with the endpoints whose
// clients may notice.
func (p planner) listEffects(d *topology.Declaration) []effect {
	var out []effect
	for _, l := range d.Listeners {
		a := p.after(d, l)
		affected := slices.DeleteFunc(topology.Secured(l.Endpoints), func(e *topology.Endpoint) bool { return !p.notices(d, l, a, e) })
		for _, g := range topology.OrNone(topology.ByEnvironment(affected)) {
			out = append(out, p.effect(d, l, g.Endpoints))
		}
	}
	if len(d.Listeners) > 0 || !p.Round.Planned {
		return out
	}
	// Offline the listener's port is not known: any endpoint of its load balancer may be meant.
	perhaps := slices.DeleteFunc(topology.Secured(p.Endpoints), func(e *topology.Endpoint) bool {
		ref := e.Target.LoadBalancer
		return e.Listener != nil || ref == nil || d.LoadBalancer == "" || ref.Name != d.LoadBalancer
	})
	for _, g := range topology.ByEnvironment(perhaps) {
		out = append(out, p.effect(d, nil, g.Endpoints))
	}
	return out
}

// notices reports whether clients of an endpoint may get another certificate for the declaration, or get one that it adds.
func (p planner) notices(d *topology.Declaration, l *topology.Listener, a after, e *topology.Endpoint) bool {
	got, known := a.Select(e.Target.Host, p.Now)
	now, nowKnown := l.Select(e.Target.Host)
	return !known || !nowKnown || got == nil || now == nil || got.ARN != now.ARN || slices.Contains(d.ARNs, got.ARN)
}
