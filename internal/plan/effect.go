package plan

import (
	"fmt"
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// planner finds out what applying the manifests of a round would do.
type planner struct {
	*topology.Topology
	policy policy.Thresholds
}

// effect is what applying a manifest would do to one listener and the endpoints behind it.
type effect struct {
	planner
	declaration *topology.Declaration
	listener    *topology.Listener // nil where it is not known
	endpoints   []*topology.Endpoint
	// attached is how the manifest compares with what is attached, NotCompared without a listener; configured how it
	// compares with declared, which the configuration declares.
	attached, configured topology.Relation
	declared             *target.Declared
	// dropped are the ARNs of the SNI list that would be detached.
	dropped []string
	// defaultChanges: the default certificate would change, which no endpoint gets.
	defaultChanges bool
	problems
}

// problems are what would be wrong after applying.
type problems struct {
	breaks []string
	// soon is what would be attached for the first time, and expires within the policy's warning.
	soon []string
	// ending: one of the two is about a certificate's end.
	ending bool
}

func (p problems) and(others problems) problems {
	return problems{slices.Concat(p.breaks, others.breaks), slices.Concat(p.soon, others.soon), p.ending || others.ending}
}

func breaks(format string, values ...any) problems {
	return problems{breaks: []string{fmt.Sprintf(format, values...)}}
}

// effects are what a declaration would do to each listener it is about, and to the endpoints whose listener is not known.
func (p planner) effects(d *topology.Declaration) []effect {
	if d.Listener != "" {
		return p.additions(d)
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

// additions are the effects of certificates that are added to a listener beside others, with the endpoints they are for.
func (p planner) additions(d *topology.Declaration) []effect {
	var out []effect
	for _, l := range d.Listeners {
		for _, arn := range d.ARNs {
			c := p.Certificate(arn)
			served := slices.DeleteFunc(topology.Secured(l.Endpoints), func(e *topology.Endpoint) bool { return !c.Covers(e.Target.Host) })
			for _, g := range topology.OrNone(topology.ByEnvironment(served)) {
				x := effect{planner: p, declaration: d, listener: l, endpoints: g.Endpoints, attached: topology.Different}
				if l.Has(arn) {
					x.attached = topology.Same
				} else if l.LoadBalancer.Partial {
					x.attached = topology.NotCompared
				}
				x.problems = p.certificateProblems(l, arn, c, nil)
				out = append(out, x)
			}
		}
	}
	return out
}

// effect is what a declaration would do to a listener (nil where it is not known) and endpoints behind it.
func (p planner) effect(d *topology.Declaration, l *topology.Listener, es []*topology.Endpoint) effect {
	x := effect{planner: p, declaration: d, listener: l, endpoints: es}
	byDefault := topology.NotCompared
	if l != nil && !l.LoadBalancer.Partial {
		byDefault = p.compareDefaults(d, l)
		if x.attached = byDefault; !d.More && len(es) > 0 && len(l.Attached) > 0 && len(d.ARNs) > 0 {
			x.attached = topology.Same // unless an endpoint gets another one
		}
		x.dropped = dropped(d, l)
	}
	if l != nil {
		if arn := d.Foreign(l); arn != "" {
			x.problems = breaks("%s is of another region or account than the load balancer: AWS refuses to attach it", topology.ShortARN(arn))
		}
	}
	for _, e := range es {
		o := p.outcome(d, l, e)
		x.attached = topology.Worst(x.attached, o.attached)
		if e.Target.Declared != nil {
			if x.configured = topology.Worst(x.configured, o.configured); x.declared == nil {
				x.configured = o.configured
			}
			x.declared = e.Target.Declared
		}
		x.problems = x.problems.and(o.problems)
	}
	x.defaultChanges = x.attached == topology.Same && byDefault == topology.Different
	if len(es) == 0 {
		for _, arn := range d.ARNs {
			x.problems = x.problems.and(p.certificateProblems(l, arn, p.Certificate(arn), nil))
		}
	}
	x.breaks, x.soon = sorted(x.breaks), sorted(x.soon)
	return x
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

func dropped(d *topology.Declaration, l *topology.Listener) []string {
	var out []string
	for _, a := range l.Attached {
		if !a.Default && !d.More && !slices.Contains(d.ARNs, a.ARN) {
			out = append(out, a.ARN)
		}
	}
	return out
}

// compareDefaults compares the listener's default certificate with the one it would have.
func (p planner) compareDefaults(d *topology.Declaration, l *topology.Listener) topology.Relation {
	switch {
	case len(l.Attached) == 0 && len(d.ARNs) == 0:
		return topology.Same
	case len(l.Attached) == 0 || len(d.ARNs) == 0:
		return topology.Different
	case d.More: // which comes first is not known
		if slices.ContainsFunc(d.ARNs, func(arn string) bool { return !l.Has(arn) }) {
			return topology.Different
		}
		return topology.Same
	}
	return p.CompareARN(d.ARNs[0], l.Attached[0].ARN, l.Attached[0].Body())
}

// outcome is what applying would do to one endpoint. attached is NotCompared where it is not known what its clients get now, or
// would get.
type outcome struct {
	attached, configured topology.Relation
	problems
}

func (p planner) outcome(d *topology.Declaration, l *topology.Listener, e *topology.Endpoint) outcome {
	kind := d.Kind
	var now *topology.Attachment
	if l != nil {
		kind = l.LoadBalancer.Kind
		now, _ = l.Select(e.Target.Host)
	}
	arn, c := d.Certificate(e.Target.Host, kind)
	open := d.Open(c, e.Target.Host)
	o := outcome{}
	if now != nil && !open {
		o.attached = p.CompareARN(arn, now.ARN, now.Body())
	}
	switch {
	case e.Target.Declared == nil || open:
	case arn == "":
		o.configured = topology.Different
	default:
		o.configured = p.CompareDeclared(*e.Target.Declared, arn, c.Body())
	}
	host := finding.Clean(e.Target.Host, finding.QuoteLimit)
	switch {
	case d.RemovesListeners:
		o.problems = breaks("%s would be left without a listener", host)
	case arn == "":
		o.problems = breaks("%s would be left without a certificate", host)
	case open:
	default:
		if c.Named() && !c.Covers(e.Target.Host) {
			o.problems = breaks("%s would not be covered by %s", host, c.Label(arn))
		}
		o.problems = o.problems.and(p.certificateProblems(l, arn, c, now))
	}
	return o
}

// certificateProblems are those of a certificate that would be attached: gone, expired, or expiring sooner than the one
// that is attached now.
func (p planner) certificateProblems(l *topology.Listener, arn string, c *topology.Certificate, now *topology.Attachment) problems {
	if c == nil {
		return problems{}
	}
	_, end := c.Dates()
	name := topology.ShortARN(arn)
	switch {
	case c.Missing() && c.Leaf == nil:
		return breaks("%s does not exist any more", name)
	case c.Expired(p.Now):
		return breaks("%s expired %s", name, prose.Day(end))
	case c.Record.Status == "REVOKED" && p.policy.Revocation != policy.RevocationOff:
		return breaks("%s was revoked, says ACM", name)
	case c.Record.Status != "" && c.Leaf == nil && c.Record.Status != "ISSUED":
		return breaks("%s is not issued (%s): AWS refuses to attach it", name, finding.Clean(c.Record.Status, 64))
	}
	return p.expiryProblems(l, arn, c, now)
}

// expiryProblems are those of a certificate that expires soon: no deploy should attach it in place of one that lasts longer,
// nor where there is none, or none that is known. One that stays where it is belongs to the rules on what is attached.
func (p planner) expiryProblems(l *topology.Listener, arn string, c *topology.Certificate, now *topology.Attachment) problems {
	severity, left := p.Expiry(c, p.policy)
	if severity == finding.None || now != nil && now.ARN == arn || now == nil && l != nil && l.Has(arn) {
		return problems{}
	}
	_, end := c.Dates()
	text := fmt.Sprintf("%s ends %s, in %s", topology.ShortARN(arn), prose.Day(end), prose.Span(left))
	var current time.Time
	if now != nil {
		_, current = now.Dates()
	}
	first := current.IsZero() && p.Round.Planned
	switch {
	case current.After(end), first && severity == finding.Critical:
		return problems{breaks: []string{text}, ending: true}
	case first:
		return problems{soon: []string{text}, ending: true}
	}
	return problems{}
}

// severity is the effect's; None where applying would change nothing, or would only restore what is declared.
func (x effect) severity() finding.Severity {
	if len(x.soon) > 0 {
		return max(x.changeSeverity(), finding.Warning)
	}
	return x.changeSeverity()
}

func (x effect) changeSeverity() finding.Severity {
	planned := x.Round.Planned
	changes := x.attached >= topology.Equivalent || x.configured >= topology.Equivalent
	broken := len(x.breaks) > 0 && (changes || planned || x.listener == nil)
	switch {
	case broken, x.configured == topology.Different:
		return finding.Critical
	case x.declaration.Listener != "": // whether a name is covered without it is for listener-name-uncovered
		if x.attached == topology.Different && !planned {
			return finding.Warning
		}
		return finding.None
	case x.configured == topology.Equivalent:
		return finding.Warning
	case x.configured == topology.Same:
		return finding.None // what differs is attached: drift-attached reports it, and the deploy would fix it
	case x.attached == topology.Different && (!planned && len(x.endpoints) > 0 || x.undoes() != nil):
		return finding.Critical
	case x.attached >= topology.Equivalent, x.defaultChanges, len(x.dropped) > 0:
		return finding.Warning
	}
	return finding.None
}

// undoes is the change by hand that applying would undo; nil where none is known.
func (x effect) undoes() *observation.Change {
	if x.listener == nil || len(x.listener.Attached) == 0 || x.attached < topology.Equivalent {
		return nil
	}
	if made, _ := x.listener.AttachedBy(x.listener.Attached[0].ARN); topology.ByHand(made) {
		return made
	}
	return nil
}

// unauthored reports whether nobody knows whose change applying would undo, since CloudTrail could not be read.
func (x effect) unauthored() bool {
	if x.Round.HistoryUnread == "" || x.listener == nil || len(x.listener.Attached) == 0 || x.attached < topology.Equivalent || x.configured == topology.Same {
		return false
	}
	made, _ := x.listener.AttachedBy(x.listener.Attached[0].ARN)
	return made == nil
}

// right reports whether what is attached is good for every endpoint, and as the configuration declares it where it does.
func (x effect) right() bool {
	if x.listener == nil || len(x.endpoints) == 0 {
		return false
	}
	return !slices.ContainsFunc(x.endpoints, func(e *topology.Endpoint) bool {
		got, _ := x.listener.Select(e.Target.Host)
		return got == nil || !got.Named() || !got.Covers(e.Target.Host) || got.Expired(x.Now) || e.Drift() != nil
	})
}
