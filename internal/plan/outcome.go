package plan

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// outcome is what applying would do to one endpoint. attached is NotCompared where it is not known what its clients get now, or
// would get.
type outcome struct {
	attached, configured topology.Relation
	problems
	doubts
}

func (x effect) outcome(e *topology.Endpoint) outcome {
	d, l := x.declaration, x.listener
	var now *topology.Attachment
	nowKnown := false
	if l != nil {
		now, nowKnown = l.Select(e.Target.Host)
	}
	candidates, all := x.after.Candidates(e.Target.Host, x.Now)
	all = all && x.isFor(e)
	known := all && len(candidates) == 1 && candidates[0].ARN != ""
	open := len(candidates) > 0 && d.Open(candidates[0].Certificate, e.Target.Host)
	o := outcome{}
	switch {
	case x.after.unchanged:
		o.attached = topology.Same
	case now == nil || open || !all || !nowKnown:
	default:
		o.attached = agreed(candidates, func(a *topology.Attachment) topology.Relation { return x.CompareARN(a.ARN, now.ARN, now.Body()) })
	}
	switch {
	case e.Target.Declared == nil || open:
	case len(candidates) == 0 && all:
		o.configured = topology.Different
	case all:
		o.configured = agreed(candidates, func(a *topology.Attachment) topology.Relation {
			return x.CompareDeclared(*e.Target.Declared, a.ARN, a.Body())
		})
	case x.keepsDefault(e, candidates):
		o.configured = topology.Same
	}
	host := finding.Clean(e.Target.Host, finding.QuoteLimit)
	switch {
	case d.RemovesListeners:
		o.problems = breaks("%s would be left without a listener", host)
	case len(candidates) == 0 && all:
		o.problems = breaks("%s would be left without a certificate", host)
	case open:
	case known:
		arn, c := candidates[0].ARN, candidates[0].Certificate
		if c.Named() && !c.Covers(e.Target.Host) {
			o.problems = breaks("%s would not be covered by %s", host, c.Label(arn))
		}
		o.problems = o.problems.and(x.certificateProblems(l, arn, c, now))
	}
	o.problems = o.problems.and(x.losesDeclared(e))
	o.doubts = x.doubt(e, candidates, all, now, o.configured)
	return o
}

// agreed is how all candidates compare, and NotCompared where they differ in that.
func agreed(candidates []*topology.Attachment, compare func(*topology.Attachment) topology.Relation) topology.Relation {
	out := topology.NotCompared
	for i, a := range candidates {
		r := topology.NotCompared
		if a.ARN != "" {
			r = compare(a)
		}
		if i > 0 && r != out {
			return topology.NotCompared
		}
		out = r
	}
	return out
}

// losesDeclared is for a listener that is not known: that its SNI list loses the certificate which is declared for an endpoint of its
// load balancer needs no more to be wrong.
func (x effect) losesDeclared(e *topology.Endpoint) problems {
	declared := e.Target.Declared
	if x.listener != nil || declared == nil || !slices.Contains(x.declaration.Detaches, declared.ARN) {
		return problems{}
	}
	if slices.ContainsFunc(x.after.Attached, func(a *topology.Attachment) bool { return a.ARN == declared.ARN }) || len(x.after.unknown) > 1 {
		return problems{}
	}
	return breaks("%s would lose %s, which the configuration declares for it", finding.Clean(e.Target.Host, finding.QuoteLimit), topology.ShortARN(declared.ARN))
}

// doubts are what is not known about an effect; open: the verdict depends on it.
type doubts struct {
	notKnown []string
	open     bool
}

func (d doubts) and(others doubts) doubts {
	return doubts{slices.Concat(d.notKnown, others.notKnown), d.open || others.open}
}

// doubt is what is not known about the certificate that clients of an endpoint would get.
func (x effect) doubt(e *topology.Endpoint, candidates []*topology.Attachment, all bool, now *topology.Attachment, configured topology.Relation) doubts {
	d, host := x.declaration, finding.Clean(e.Target.Host, finding.QuoteLimit)
	if len(candidates) == 0 && all {
		return doubts{}
	}
	var out doubts
	if len(candidates) > 0 && d.Open(candidates[0].Certificate, e.Target.Host) {
		out.notKnown = append(out.notKnown, "what the controller would pick from ACM for the other Ingresses of the group "+finding.Clean(d.Group, finding.QuoteLimit))
	}
	if !all {
		out.notKnown = append(out.notKnown, x.after.unknown...)
	}
	if !x.isFor(e) {
		out.notKnown = append(out.notKnown, "which certificate an Ingress of the group "+finding.Clean(d.Group, finding.QuoteLimit)+" names for "+host+": it is not among the manifests")
	}
	if x.unseenMembers() {
		out.notKnown, out.open = append(out.notKnown, "whether an Ingress of the group "+finding.Clean(d.Group, finding.QuoteLimit)+" that is not among the manifests names a certificate for the same name"), true
	}
	for _, a := range candidates {
		switch {
		case a.ARN == "":
			out.notKnown = append(out.notKnown, x.toCome())
		case !a.Named() && !a.Missing():
			out.notKnown = append(out.notKnown, "what "+topology.ShortARN(a.ARN)+" contains: whether it covers "+host+" and when it expires")
		}
	}
	switch {
	case x.after.unchanged: // what is attached already is for the rules on what is attached
	case !all:
		out.open = out.open || !x.keepsDefault(e, candidates)
	case len(candidates) > 1:
		out.open = out.open || configured != topology.Same
		if len(out.notKnown) == 0 {
			out.notKnown = append(out.notKnown, "which of "+topology.Some(arnsOf(candidates))+" is selected for "+host)
		}
	case !candidates[0].Named() && !candidates[0].Missing():
		out.open = out.open || configured != topology.Same && (now == nil || now.ARN != candidates[0].ARN)
	}
	return out
}

// isFor reports whether the manifests have the Ingress of an endpoint that shares its listener with a group. Where what is
// attached is known, that says more.
func (x effect) isFor(e *topology.Endpoint) bool { return x.listener != nil || x.declaration.IsFor(e) }

// unseenMembers reports whether a member of the Ingress group that is not among the manifests may put a certificate on the listener
// unseen: what the listener holds now would show it.
func (x effect) unseenMembers() bool {
	because := x.attachedUnknown()
	return x.declaration.MembersElsewhere() && (because == NotLookedUp || because == Unreadable)
}

// toCome names the certificate that the same apply makes.
func (x effect) toCome() string {
	return "the certificate of " + finding.Clean(x.declaration.Object, finding.QuoteLimit) + ", which the same apply creates"
}

// keepsDefault reports whether the tool itself found nothing to change, and its default certificate is right for an endpoint.
func (x effect) keepsDefault(e *topology.Endpoint, candidates []*topology.Attachment) bool {
	d := x.declaration
	if !d.Unchanged || len(x.additions(d, x.listener)) > 0 || len(candidates) != 1 {
		return false
	}
	if declared := e.Target.Declared; declared != nil {
		return x.CompareDeclared(*declared, candidates[0].ARN, candidates[0].Body()) == topology.Same
	}
	return candidates[0].Covers(e.Target.Host)
}

func arnsOf(all []*topology.Attachment) []string {
	out := make([]string, 0, len(all))
	for _, a := range all {
		out = append(out, topology.ShortARN(a.ARN))
	}
	return out
}
