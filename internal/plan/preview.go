package plan

import (
	"slices"
	"strconv"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/topology"
)

// Preview returns what applying the round's manifests would do: a row for each listener they are about, the worst first, and a
// finding for each declaration that is not as it should be. Where a verdict depends on what is not known, a finding of
// observe-incomplete says what. The round must be Planned.
func Preview(t *topology.Topology, p policy.Thresholds) ([]Row, []finding.Finding) {
	var parts []part
	var undecided []Row
	var found []finding.Finding
	add := func(of part) {
		parts = append(parts, of)
		if of.row.Verdict == Undecided {
			undecided = append(undecided, of.row)
		}
	}
	for _, x := range newPlanner(t, p).planned() {
		row, f := x.preview()
		add(part{x.subject(row), row})
		if f != nil {
			found = append(found, *f)
		}
	}
	for i, o := range t.Round.PassedOver {
		add(part{subject{notRead: i + 1}, passedOver(o)})
	}
	return byListener(parts), append(found, undecidedFindings(undecided)...)
}

// planned is all that applying the manifests would do.
func (p planner) planned() []effect {
	var out []effect
	for _, d := range p.Declarations {
		effects := p.effects(d)
		if len(effects) == 0 && (!d.WithoutCertificate() && !p.hasNoSuchPort(d) || d.UndecidedBecause != "") {
			effects = []effect{p.effect(d, nil, nil)}
		}
		out = append(out, effects...)
	}
	return append(out, p.removals()...)
}

// preview is the effect's row, and its finding where there is one.
func (x effect) preview() (Row, *finding.Finding) {
	row := x.row()
	severity := x.severity()
	if x.byController() || x.declaration.UndecidedBecause != "" {
		severity = finding.None
	}
	d := x.decide(severity, row.Listener)
	row.Verdict, row.Reasons, row.NotKnown, row.Remedy = d.verdict, d.reasons, d.notKnown, x.rowRemedy(d.verdict)
	if severity == finding.None {
		return row, nil
	}
	f := x.finding(severity)
	return row, &f
}

// byController reports whether the controller looks the certificate up in ACM.
func (x effect) byController() bool { return x.declaration.Discovered && x.declaration.Service != "" }

// row is the effect without a verdict.
func (x effect) row() Row {
	d := x.declaration
	row := Row{
		Object: finding.Clean(d.Object, finding.QuoteLimit), Source: d.Source, Generated: d.Generated(), Port: d.Port, Kind: d.Kind,
		Endpoints: []string{}, Declared: x.declaredFor(), Attached: []Certificate{}, AttachedUnknown: x.attachedUnknown(),
		Would: []Certificate{}, WouldKnown: x.wouldKnown(), Names: x.names(), Action: x.action(),
	}
	row.AttachedKnown = row.AttachedUnknown == ""
	for _, a := range x.after.Attached {
		if a.ARN != "" {
			row.Would = append(row.Would, attached(a))
		}
	}
	if l := x.listener; l != nil {
		row.Listener, row.Kind, row.Region, row.Account = l.Label(), l.LoadBalancer.Kind, l.LoadBalancer.Region, l.LoadBalancer.Account
		for _, a := range l.Attached {
			row.Attached = append(row.Attached, attached(a))
		}
		if d.Listener != "" {
			row.Port = l.Port
		}
	} else if d.LoadBalancer != "" {
		row.Listener = finding.Clean(d.LoadBalancer, finding.QuoteLimit)
		if d.Port != 0 {
			row.Listener += ":" + strconv.Itoa(d.Port)
		}
	}
	for _, e := range x.endpoints {
		row.Endpoints = append(row.Endpoints, e.Target.Key())
	}
	slices.Sort(row.Endpoints)
	row.Unaffected = len(row.Endpoints) == 0 && x.spares()
	return row
}

// attachedUnknown is why it is not known what the listener holds now; empty where it is known.
func (x effect) attachedUnknown() UnknownReason {
	switch read := x.Round.ListenersRead && len(x.Round.ObserveErrors) == 0; {
	case x.listener != nil && !x.listener.LoadBalancer.Partial:
		return ""
	case x.listener == nil && read:
		return NotCreated
	case x.listener == nil && !x.Round.ListenersRead && len(x.Round.ObserveErrors) == 0:
		return NotLookedUp
	}
	return Unreadable
}

// wouldKnown reports whether it is known which certificates the listener would hold.
func (x effect) wouldKnown() bool {
	return x.declaration.UndecidedBecause == "" && !x.declaration.Discovered && x.after.known() && !x.after.Open &&
		!slices.ContainsFunc(x.after.Attached, func(a *topology.Attachment) bool { return a.ARN == "" })
}

// action is what applying would do to the listener.
func (x effect) action() Action {
	switch {
	case x.declaration.Discovered:
		return Discover
	case x.declaration.RemovesListeners:
		return Remove
	case x.listener == nil && x.Round.ListenersRead && len(x.Round.ObserveErrors) == 0:
		return Create
	case x.listener == nil || x.listener.LoadBalancer.Partial || x.attached == topology.NotCompared:
		return Unknown
	case x.attached == topology.Same && !x.defaultChanges && len(x.dropped) == 0:
		return Keep
	}
	return Change
}

// decision is a row's verdict, why it is what it is, and what is not known.
type decision struct {
	verdict           Verdict
	reasons, notKnown []string
}

func (x effect) decide(severity finding.Severity, listener string) decision {
	if x.declaration.UndecidedBecause != "" {
		return decision{Undecided, []string{}, []string{x.declaration.UndecidedBecause}}
	}
	if x.byController() {
		note := "what the controller would pick from ACM for " + x.declaration.At() + ": name the certificate in the manifest to have it compared"
		return decision{Undecided, []string{}, []string{note}}
	}
	notKnown, open := x.uncertain(listener)
	d := decision{Pass, append([]string{}, x.reasons()...), append([]string{}, notKnown...)}
	switch {
	case severity == finding.Critical:
		d.verdict = Refuse
	case open, !x.compared():
		d.verdict = Undecided
	case severity == finding.Warning:
		d.verdict = Warn
	}
	return d
}

// compared reports whether the effect was held against anything: what is attached, what the configuration declares, or the names
// that the endpoints' clients ask for. What was not may be anything, and must not pass.
func (x effect) compared() bool {
	if x.attached != topology.NotCompared || x.configured != topology.NotCompared {
		return true
	}
	names := x.names()
	return len(x.endpoints) > 0 && !slices.ContainsFunc(names, func(n Name) bool { return n.Covered == nil || !*n.Covered })
}

// reasons say in few words what the finding says at length.
func (x effect) reasons() []string {
	out := slices.Concat(x.breaks, x.soon)
	switch {
	case len(out) > 0 || !x.declaration.WithoutCertificate():
	case x.declaration.RemovesListeners:
		out = append(out, "would remove the listener")
	default:
		out = append(out, "would leave the listener without a certificate")
	}
	if made := x.undoes(); made != nil && x.configured != topology.Same {
		out = append(out, "undoes the change by "+finding.Clean(made.Author.Name, 64)+" of "+made.At.UTC().Format(time.DateOnly))
	}
	switch {
	case x.declaration.Listener != "" && x.adds():
		out = append(out, "adds it to the existing certificates")
	case x.configured == topology.Different && x.declaration.WithoutCertificate():
		out = append(out, "the configuration declares a certificate")
	case x.configured == topology.Different:
		out = append(out, "the configuration declares another certificate")
	case x.configured == topology.Equivalent:
		out = append(out, "the configuration declares another ARN with the same key and names")
	case x.configured == topology.Same && x.attached >= topology.Equivalent:
		out = append(out, "attaches the declared certificate")
	case x.attached == topology.Equivalent:
		out = append(out, "another ARN with the same key and names")
	case x.defaultChanges:
		out = append(out, "changes the default certificate, which no endpoint gets")
	case x.attached == topology.Different && x.declared == nil && len(x.breaks) == 0 && len(x.endpoints) > 0:
		out = append(out, "replaces the attached certificate, and the configuration declares none")
	}
	if len(x.dropped) > 0 {
		out = append(out, "would detach "+topology.Some(topology.ShortARNs(x.dropped)))
	}
	return out
}

// uncertain is what is not known about the effect, sorted; open reports whether the verdict depends on it.
func (x effect) uncertain(listener string) (notKnown []string, open bool) {
	notKnown, open = x.notKnown, x.open
	if len(x.endpoints) == 0 && x.action() != Keep && !x.spares() {
		notKnown, open = append(notKnown, x.endpointHint()), true
	}
	if x.makerUnknown() {
		notKnown, open = append(notKnown, "whether the cloud provider or the AWS Load Balancer Controller makes the load balancer of "+finding.Clean(x.declaration.Object, finding.QuoteLimit)+
			": the former sends the list as a single certificate, which AWS refuses"), true
	}
	if what := x.unrestored(listener); what != "" {
		notKnown, open = append(notKnown, what), true
	}
	if x.unauthored() {
		notKnown = append(notKnown, "who attached "+topology.ShortARN(x.listener.Attached[0].ARN)+" to "+listener+
			" (CloudTrail could not be read): whether applying would undo someone's change")
	}
	return sorted(notKnown), open
}

// makerUnknown reports whether it depends on what makes the load balancer of a Service, which is not known, whether a list of certificates
// is attached. A load balancer that exists says it by its tags.
func (x effect) makerUnknown() bool {
	return x.declaration.MakerUnknown && len(x.declaration.ARNs) > 1 && x.listener == nil
}

// unrestored says what is not known where the tool updates only what its own source changed since the last deployment: a listener that
// was changed by hand may stay as it is. It is empty where that makes no difference.
func (x effect) unrestored(listener string) string {
	d, l := x.declaration, x.listener
	switch {
	case !d.Restates || len(d.ARNs) == 0 || l == nil && x.Round.ListenersRead && len(x.Round.ObserveErrors) == 0:
		return ""
	case l == nil || l.LoadBalancer.Partial:
		return "which certificates " + nameOf(d) + " holds now"
	}
	kept := len(l.Attached) > 0 && l.Attached[0].ARN == d.ARNs[0]
	for _, arn := range d.ARNs[1:] {
		kept = kept && l.Has(arn)
	}
	if kept {
		return ""
	}
	return "whether the deployment changes the certificates of " + listener +
		": somebody changed them since the last one, and CloudFormation may leave alone what its template did not change (a drift-aware change set says)"
}

// spares reports whether the effect is a certificate that is added to a listener beside others, and is known to cover none of the
// names of its endpoints: they keep what they get.
func (x effect) spares() bool {
	return x.declaration.Listener != "" && x.listener != nil && len(topology.Secured(x.listener.Endpoints)) > 0 &&
		!slices.ContainsFunc(x.declaration.ARNs, func(arn string) bool { return !x.Certificate(arn).Named() })
}

// endpointHint says how the configuration can name the endpoint behind a declaration. Without one, nobody knows which names its
// clients ask for, nor which certificate is meant for them.
func (x effect) endpointHint() string {
	none := "no endpoint in the configuration matches"
	if len(x.Endpoints) == 0 {
		none = "the configuration has no endpoints"
	}
	return "which endpoint is behind " + x.declaration.At() + ": " + none + "; add its URL there, with " + x.reference()
}

// label is LOAD-BALANCER-NAME:PORT as the manifest has it.
func label(d *topology.Declaration) string {
	return finding.Clean(d.LoadBalancer, finding.QuoteLimit) + ":" + strconv.Itoa(d.Port)
}

// attached is a certificate of a listener as a row shows it.
func attached(a *topology.Attachment) Certificate {
	out := shown(a.Certificate, a.ARN)
	out.Default, out.Listed = a.Default, a.Listed
	return out
}

// shown is a certificate as a row shows it; c may be nil.
func shown(c *topology.Certificate, arn string) Certificate {
	fact := c.Fact(arn)
	out := Certificate{ARN: fact.ARN, FingerprintSHA256: fact.FingerprintSHA256, Names: fact.Names, NameCount: fact.NameCount, Missing: fact.Missing}
	if !fact.NotAfter.IsZero() {
		out.NotAfter = &fact.NotAfter
	}
	return out
}
