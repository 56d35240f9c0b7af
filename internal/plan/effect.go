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

// doubts are what is not known about an effect; open: the verdict depends on it.
type doubts struct {
	notKnown []string
	open     bool
}

func (d doubts) and(others doubts) doubts {
	return doubts{slices.Concat(d.notKnown, others.notKnown), d.open || others.open}
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

// effect is what a declaration would do to a listener (nil where it is not known) and endpoints behind it.
func (p planner) effect(d *topology.Declaration, l *topology.Listener, es []*topology.Endpoint) effect {
	x := effect{planner: p, declaration: d, listener: l, endpoints: es, after: p.after(d, l)}
	byDefault := topology.NotCompared
	if l != nil && !l.LoadBalancer.Partial {
		byDefault = x.compareDefaults()
		if x.attached = byDefault; !d.More && len(es) > 0 && len(l.Attached) > 0 && len(x.after.Attached) > 0 {
			x.attached = topology.Same // unless an endpoint gets another one
		}
		if d.Listener != "" {
			x.attached = topology.Same
			if !x.after.unchanged && len(es) == 0 {
				x.attached = topology.Different
			}
		}
		x.dropped = x.detached()
	}
	if l != nil {
		if arn := d.Foreign(l); arn != "" {
			x.problems = breaks("%s is of another region or account than the load balancer: AWS refuses to attach it", topology.ShortARN(arn))
		}
	}
	for _, e := range es {
		o := x.outcome(e)
		x.attached = topology.Worst(x.attached, o.attached)
		if e.Target.Declared != nil {
			if x.configured = topology.Worst(x.configured, o.configured); x.declared == nil {
				x.configured = o.configured
			}
			x.declared = e.Target.Declared
		}
		x.problems, x.doubts = x.problems.and(o.problems), x.doubts.and(o.doubts)
	}
	x.defaultChanges = x.attached == topology.Same && byDefault == topology.Different
	if len(es) == 0 || d.Listener != "" {
		for _, arn := range d.ARNs {
			if !p.reimported[arn] {
				x.problems = x.problems.and(p.certificateProblems(l, arn, p.Certificate(arn), nil))
			}
		}
	}
	if len(es) == 0 {
		x.notKnown = append(x.notKnown, x.after.unknown...)
		if d.Discovered {
			x.notKnown = append(x.notKnown, x.toCome())
		}
		x.open = d.Discovered || len(d.Pending) > 0
	}
	if len(x.after.elsewhere) > 0 {
		x.notKnown, x.open = append(x.notKnown, x.after.unknown...), true
	}
	x.breaks, x.soon = sorted(x.breaks), sorted(x.soon)
	return x
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
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
	for _, a := range candidates {
		switch {
		case a.ARN == "":
			out.notKnown = append(out.notKnown, x.toCome())
		case !a.Named() && !a.Missing():
			out.notKnown = append(out.notKnown, "what "+topology.ShortARN(a.ARN)+" holds: whether it covers "+host+" and when it ends")
		}
	}
	switch {
	case x.after.unchanged: // what is attached already is for the rules on what is attached
	case !all:
		out.open = !x.keepsDefault(e, candidates)
	case len(candidates) > 1:
		out.open = configured != topology.Same
		if len(out.notKnown) == 0 {
			out.notKnown = append(out.notKnown, "which of "+topology.Some(arnsOf(candidates))+" is selected for "+host)
		}
	case !candidates[0].Named() && !candidates[0].Missing():
		out.open = configured != topology.Same && (now == nil || now.ARN != candidates[0].ARN)
	}
	return out
}

// isFor reports whether the manifests have the Ingress of an endpoint that shares its listener with a group. Where what is
// attached is known, that says more.
func (x effect) isFor(e *topology.Endpoint) bool { return x.listener != nil || x.declaration.IsFor(e) }

// toCome names the certificate that the same apply makes.
func (x effect) toCome() string {
	return "the certificate of " + finding.Clean(x.declaration.Object, finding.QuoteLimit) + ", which the same apply makes"
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
		if x.adds() && !planned {
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

// adds reports whether the declaration adds something to a listener's SNI list that is not attached yet.
func (x effect) adds() bool {
	return x.listener != nil && slices.ContainsFunc(x.declaration.ARNs, func(arn string) bool { return !x.listener.Has(arn) })
}
