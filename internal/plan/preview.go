package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// Preview returns what applying the round's manifests would do: a row for each listener they are about, and a finding for each
// row that is not as it should be. Where a row's verdict depends on what is not known, a finding of observe-incomplete says
// what. The round must be Planned.
func Preview(t *topology.Topology, p policy.Thresholds) ([]Row, []finding.Finding) {
	var rows, undecided []Row
	var found []finding.Finding
	for _, x := range newPlanner(t, p).planned() {
		row, f := x.preview()
		rows = append(rows, row)
		if f != nil {
			found = append(found, *f)
		}
		if row.Verdict == Undecided {
			undecided = append(undecided, row)
		}
	}
	for _, o := range t.Round.PassedOver {
		row := passedOver(o)
		rows, undecided = append(rows, row), append(undecided, row)
	}
	found = append(found, undecidedFindings(undecided)...)
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), cmp.Compare(a.Port, b.Port), strings.Compare(a.Listener, b.Listener),
			slices.Compare(a.Endpoints, b.Endpoints))
	})
	return rows, found
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
	row.Verdict, row.Reasons, row.NotKnown = d.verdict, d.reasons, d.notKnown
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
		Endpoints: []string{}, Declared: x.declaredFor(), Attached: []Certificate{}, Would: []Certificate{}, Names: x.names(), Action: x.action(),
	}
	for _, a := range x.after.Attached {
		if a.ARN != "" {
			row.Would = append(row.Would, shown(a.Certificate, a.ARN))
		}
	}
	if l := x.listener; l != nil {
		row.Listener, row.Kind, row.Region, row.Account = l.Label(), l.LoadBalancer.Kind, l.LoadBalancer.Region, l.LoadBalancer.Account
		row.AttachedKnown = !l.LoadBalancer.Partial
		for _, a := range l.Attached {
			row.Attached = append(row.Attached, shown(a.Certificate, a.ARN))
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
	return row
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
	if what := x.unrestored(listener); what != "" {
		notKnown, open = append(notKnown, what), true
	}
	if x.unauthored() {
		notKnown = append(notKnown, "who attached "+topology.ShortARN(x.listener.Attached[0].ARN)+" to "+listener+
			" (CloudTrail could not be read): whether applying would undo someone's change")
	}
	return sorted(notKnown), open
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
	name := "load_balancer: {name: " + cmp.Or(finding.Clean(x.declaration.LoadBalancer, finding.QuoteLimit), "…") + "}"
	if l := x.listener; l != nil {
		name = "load_balancer: {name: " + finding.Clean(l.LoadBalancer.Name, finding.QuoteLimit) + "}"
	} else if service := x.declaration.Service; service != "" {
		name = "service: " + finding.Clean(service, finding.QuoteLimit)
	}
	none := "no endpoint in the configuration matches"
	if len(x.Endpoints) == 0 {
		none = "the configuration has no endpoints"
	}
	return "which endpoint is behind " + x.declaration.At() + ": " + none + "; add its URL there, with " + name
}

// declaredFor is what the configuration declares for the endpoints, each certificate once.
func (x effect) declaredFor() []Certificate {
	out := []Certificate{}
	seen := map[target.Declared]bool{}
	for _, e := range x.endpoints {
		d := e.Target.Declared
		if d == nil {
			continue
		}
		key := *d
		key.Source = target.Position{}
		if seen[key] {
			continue
		}
		seen[key] = true
		arn, c := x.DeclaredCertificate(*d)
		one := shown(c, arn)
		one.FingerprintSHA256, one.Issuer = cmp.Or(d.FingerprintSHA256, one.FingerprintSHA256), finding.Clean(d.Issuer, finding.QuoteLimit)
		out = append(out, one)
	}
	return out
}

// names are those that clients ask for, with what they would get: the endpoints' hosts, else those the manifest names.
func (x effect) names() []Name {
	names := topology.Hosts(x.endpoints)
	if len(names) == 0 {
		names = slices.Clone(x.declaration.Hosts)
	}
	out := []Name{}
	for _, name := range names {
		out = append(out, x.name(name))
	}
	return out
}

// name is what a client that asks for host would get. Where that is not known, neither is its ARN.
func (x effect) name(host string) Name {
	one := Name{Name: finding.Clean(host, finding.QuoteLimit)}
	candidates, all := x.after.Candidates(host, x.Now)
	covered := false
	switch {
	case x.byController():
	case len(candidates) == 0 && all:
		one.Covered = &covered
	case len(candidates) == 1 && all:
		c := candidates[0].Certificate
		one.ARN = finding.Clean(candidates[0].ARN, finding.QuoteLimit)
		if covered = c.Covers(host); c.Named() && (covered || !x.declaration.More) {
			one.Covered = &covered
		}
	}
	return one
}

// label is LOAD-BALANCER-NAME:PORT as the manifest has it.
func label(d *topology.Declaration) string {
	return finding.Clean(d.LoadBalancer, finding.QuoteLimit) + ":" + strconv.Itoa(d.Port)
}

// shown is a certificate as a row shows it; c may be nil.
func shown(c *topology.Certificate, arn string) Certificate {
	fact := c.Fact(arn)
	out := Certificate{ARN: fact.ARN, FingerprintSHA256: fact.FingerprintSHA256, Names: fact.Names, Missing: fact.Missing}
	if !fact.NotAfter.IsZero() {
		out.NotAfter = &fact.NotAfter
	}
	return out
}
