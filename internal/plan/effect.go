package plan

import (
	"slices"

	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// effect is what applying a manifest would do to one listener and the endpoints behind it.
type effect struct {
	planner
	declaration *topology.Declaration
	listener    *topology.Listener // nil where it is not known
	endpoints   []*topology.Endpoint
	after       after
	// attached is how what is attached after the apply compares with what is attached now, NotCompared where either is not known;
	// configured how it compares with declared, which the configuration declares.
	attached, configured topology.Relation
	declared             *target.Declared
	// dropped are the ARNs of the SNI list that would be detached.
	dropped []string
	// defaultChanges: the default certificate would change, which no endpoint gets.
	defaultChanges bool
	problems
	doubts
}

// effect is what a declaration would do to a listener (nil where it is not known) and endpoints behind it.
func (p planner) effect(d *topology.Declaration, l *topology.Listener, es []*topology.Endpoint) effect {
	x := effect{planner: p, declaration: d, listener: l, endpoints: es, after: p.after(d, l)}
	byDefault := topology.NotCompared
	if l != nil && !l.LoadBalancer.Partial {
		byDefault = x.compareDefaults()
		x.attached, x.dropped = x.compareWithoutEndpoints(byDefault), x.detached()
	}
	if l != nil {
		if arn := d.Foreign(l); arn != "" {
			x.problems = breaks("%s is of another region or account than the load balancer: AWS refuses to attach it", topology.ShortARN(arn))
		}
	}
	for _, e := range es {
		x.add(e, x.outcome(e))
	}
	x.defaultChanges = x.attached == topology.Same && byDefault == topology.Different
	if len(es) == 0 || d.Listener != "" {
		for _, arn := range d.ARNs {
			if !p.reimported[arn] {
				x.problems = x.problems.and(p.certificateProblems(l, arn, p.Certificate(arn), nil))
			}
		}
	}
	x.doubts = x.doubts.and(x.doubtsWithoutEndpoints())
	x.breaks, x.soon = sorted(x.breaks), sorted(x.soon)
	return x
}

// compareWithoutEndpoints is how what is attached compares before any endpoint is asked. Where there are some, they decide: a listener is
// the same unless one of them gets another certificate. A declaration that adds to the SNI list leaves the default alone.
func (x effect) compareWithoutEndpoints(byDefault topology.Relation) topology.Relation {
	d := x.declaration
	switch {
	case d.Listener != "" && !x.after.unchanged && len(x.endpoints) == 0:
		return topology.Different
	case d.Listener != "", !d.More && len(x.endpoints) > 0 && len(x.listener.Attached) > 0 && len(x.after.Attached) > 0:
		return topology.Same
	}
	return byDefault
}

// add takes the outcome for an endpoint into account.
func (x *effect) add(e *topology.Endpoint, o outcome) {
	x.attached = topology.Worst(x.attached, o.attached)
	if e.Target.Declared != nil {
		if x.configured = topology.Worst(x.configured, o.configured); x.declared == nil {
			x.configured = o.configured
		}
		x.declared = e.Target.Declared
	}
	x.problems, x.doubts = x.problems.and(o.problems), x.doubts.and(o.doubts)
}

// doubtsWithoutEndpoints is what is not known about the listener itself, as far as it matters.
func (x effect) doubtsWithoutEndpoints() doubts {
	d, out := x.declaration, doubts{}
	if len(x.endpoints) == 0 {
		out.notKnown = append(out.notKnown, x.after.unknown...)
		if d.Discovered {
			out.notKnown = append(out.notKnown, x.toCome())
		}
		out.open = d.Discovered || len(d.Pending) > 0
	}
	if len(x.after.elsewhere) > 0 {
		out.notKnown, out.open = append(out.notKnown, x.after.unknown...), true
	}
	return out
}

// detached are the certificates of the SNI list that the listener holds no more after the apply.
func (x effect) detached() []string {
	var out []string
	for _, a := range x.listener.Attached {
		gone := !slices.ContainsFunc(x.after.Attached, func(b *topology.Attachment) bool { return b.ARN == a.ARN })
		if a.Listed && gone && !x.declaration.More && !x.after.keeps(a.ARN) {
			out = append(out, a.ARN)
		}
	}
	return out
}

// compareDefaults compares the listener's default certificate with the one it would have.
func (x effect) compareDefaults() topology.Relation {
	now, then := x.listener.Attached, x.after.Attached
	switch {
	case len(now) == 0 && len(then) == 0:
		return topology.Same
	case len(now) == 0 || len(then) == 0:
		return topology.Different
	case x.declaration.More: // which comes first is not known
		if slices.ContainsFunc(then, func(a *topology.Attachment) bool { return !x.listener.Has(a.ARN) }) {
			return topology.Different
		}
		return topology.Same
	case then[0].ARN == "", x.after.keeps(now[0].ARN):
		return topology.NotCompared
	}
	return x.CompareARN(then[0].ARN, now[0].ARN, now[0].Body())
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
