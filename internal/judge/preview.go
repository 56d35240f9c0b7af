package judge

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
)

// Preview tells what applying the round's manifests would do: a row for each listener that they speak of, and a finding
// for each row that is not as it should be. What is wrong already and has nothing to do with the manifests is left out;
// faults of the configuration and what could not be seen are told. The conclusion is incomplete where a row's verdict
// depends on what is not known.
func Preview(in Input) ([]plan.Row, finding.Conclusion) {
	in.Round.Planned = true
	out := judge(in, slices.DeleteFunc(rules(), func(r rule) bool { return !besideThePlan(r.Code) }))
	w := newWorld(in)
	var rows []plan.Row
	var undecided []plan.Row
	for _, x := range w.planned() {
		row, f := w.preview(x)
		rows = append(rows, row)
		if f != nil {
			out.Findings = append(out.Findings, *f)
		}
		if row.Verdict == plan.Undecided {
			undecided = append(undecided, row)
		}
	}
	if len(undecided) > 0 {
		out.Complete = false
		out.Findings = append(out.Findings, undecidedFinding(undecided))
	}
	slices.SortStableFunc(rows, func(a, b plan.Row) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), cmp.Compare(a.Port, b.Port), strings.Compare(a.Listener, b.Listener),
			slices.Compare(a.Endpoints, b.Endpoints))
	})
	for i := range out.Findings {
		out.Findings[i].Lift()
	}
	finding.Sort(out.Findings)
	return rows, out
}

// planned is all that applying the manifests would do.
func (w *world) planned() []effect {
	var out []effect
	for _, d := range w.declarations {
		effects := w.effects(d)
		if len(effects) == 0 && !d.bare() {
			effects = []effect{w.weigh(d, nil, nil)}
		}
		out = append(out, effects...)
	}
	return append(out, w.closings()...)
}

// besideThePlan are the codes that matter before a deploy, whatever the manifests say.
func besideThePlan(code finding.Code) bool {
	return code == finding.ConfigInvalid || strings.HasPrefix(string(code), "observe-")
}

// preview tells one effect, and its finding where there is one.
func (w *world) preview(x effect) (plan.Row, *finding.Finding) {
	d := x.declaration
	row := plan.Row{
		Object: finding.Clean(d.Object, finding.QuoteLimit), Source: d.Source, Generated: d.Generated(), Port: d.Port, Kind: d.Kind,
		Endpoints: []string{}, Declared: []plan.Certificate{}, Attached: []plan.Certificate{}, Would: []plan.Certificate{},
		Names: []plan.Name{}, Reasons: []string{}, NotKnown: []string{},
	}
	for _, arn := range d.ARNs {
		row.Would = append(row.Would, w.body(arn).shown(arn))
	}
	if l := x.listener; l != nil {
		row.Listener, row.Kind, row.Region, row.Account = l.label(), l.loadBalancer.Kind, l.loadBalancer.Region, l.loadBalancer.Account
		row.AttachedKnown = !l.loadBalancer.Partial
		for _, a := range l.attached {
			row.Attached = append(row.Attached, a.shown(a.ARN))
		}
	} else if d.LoadBalancer != "" {
		row.Listener = finding.Clean(d.LoadBalancer, finding.QuoteLimit)
		if d.Port != 0 {
			row.Listener += ":" + strconv.Itoa(d.Port)
		}
	}
	if x.listener != nil && d.Listener != "" {
		row.Port = x.listener.Port
	}
	for _, e := range x.endpoints {
		row.Endpoints = append(row.Endpoints, e.Target.Key())
	}
	slices.Sort(row.Endpoints)
	row.Declared = w.declaredFor(x.endpoints)
	row.Names = w.namesOf(x)
	row.Action = w.action(x)
	return row, w.decide(x, &row)
}

// action is what applying would do to the listener.
func (w *world) action(x effect) plan.Action {
	switch {
	case x.declaration.Discovered:
		return plan.Discover
	case x.declaration.Closes:
		return plan.Remove
	case x.listener == nil && w.round.ListenersRead && len(w.round.ObserveErrors) == 0:
		return plan.Create
	case x.listener == nil || x.listener.loadBalancer.Partial || x.attached == unknown:
		return plan.Unknown
	case x.attached == same && !x.standard && len(x.dropped) == 0:
		return plan.Keep
	}
	return plan.Change
}

// decide gives the row its verdict and reasons, and the finding that says the same to machines.
func (w *world) decide(x effect, row *plan.Row) *finding.Finding {
	if x.declaration.Discovered {
		row.Verdict = plan.Pass
		note := "what the controller would pick from ACM for " + row.Object
		if x.declaration.Service == "" {
			note = "the certificate of " + row.Object + ", which the same apply makes"
		}
		row.NotKnown = append(row.NotKnown, note)
		return nil
	}
	if x.declaration.Perhaps != "" {
		row.Verdict, row.NotKnown = plan.Undecided, append(row.NotKnown, x.declaration.Perhaps)
		return nil
	}
	severity := x.severity(w)
	open := w.undecidable(x, row)
	switch {
	case severity == finding.Critical:
		row.Verdict = plan.Refuse
	case open:
		row.Verdict = plan.Undecided
	case severity == finding.Warning:
		row.Verdict = plan.Warn
	default:
		row.Verdict = plan.Pass
	}
	row.Reasons = append(row.Reasons, w.reasons(x)...)
	if severity == finding.None {
		return nil
	}
	f := x.finding(w, severity)
	return &f
}

// reasons say in few words what stands in the finding at length.
func (w *world) reasons(x effect) []string {
	out := slices.Concat(x.breaks, x.soon)
	switch {
	case len(out) > 0 || !x.declaration.bare():
	case x.declaration.Closes:
		out = append(out, "would take the listener away")
	default:
		out = append(out, "would leave the listener without a certificate")
	}
	if made := x.undoes(); made != nil && x.configured != same {
		out = append(out, "undoes the change by "+finding.Clean(made.Author.Name, 64)+" of "+made.At.UTC().Format(time.DateOnly))
	}
	switch {
	case x.declaration.Listener != "" && x.attached == distinct:
		out = append(out, "adds it beside the others")
	case x.configured == distinct:
		out = append(out, "the configuration declares another certificate")
	case x.configured == twin:
		out = append(out, "the configuration declares another ARN with the same key and names")
	case x.configured == same && x.attached >= twin:
		out = append(out, "brings what is declared")
	case x.attached == twin:
		out = append(out, "another ARN with the same key and names")
	case x.standard:
		out = append(out, "changes the default certificate, which no endpoint gets")
	}
	if len(x.dropped) > 0 {
		out = append(out, "would detach "+some(shortARNs(x.dropped)))
	}
	return out
}

// undecidable reports whether the verdict hangs on something that is not known, and notes what is not known, whether
// anything hangs on it or not.
func (w *world) undecidable(x effect, row *plan.Row) bool {
	open := false
	for _, e := range x.endpoints {
		var now *attachment
		if x.listener != nil {
			now, _ = x.listener.offer(e.Target.Host)
		}
		arn, h := x.declaration.gives(w, e.Target.Host, row.Kind)
		if x.declaration.More && h.named() && !h.covers(e.Target.Host) {
			row.NotKnown = append(row.NotKnown, "what the controller would pick from ACM for the other Ingresses of the group "+finding.Clean(x.declaration.Group, finding.QuoteLimit))
		}
		if arn == "" || h.named() || h != nil && h.record.Missing {
			continue
		}
		row.NotKnown = append(row.NotKnown, "what "+shortARN(arn)+" holds: whether it covers "+finding.Clean(e.Target.Host, finding.QuoteLimit)+" and when it ends")
		declared := e.Target.Declared != nil && w.meets(*e.Target.Declared, arn, nil) == same
		open = open || !declared && (now == nil || now.ARN != arn)
	}
	if len(x.endpoints) == 0 {
		open = w.unplaced(x, row)
	}
	if x.unauthored(w) {
		row.NotKnown = append(row.NotKnown, "who attached "+shortARN(x.listener.attached[0].ARN)+" to "+row.Listener+
			" (CloudTrail could not be read): whether applying would undo somebody's change")
	}
	slices.Sort(row.NotKnown)
	row.NotKnown = slices.Compact(row.NotKnown)
	return open
}

// unplaced looks at a declaration without an endpoint known to be behind it. Where what is attached could not be read
// and some endpoint has no declaration either, the two may belong together: only a certificate that the configuration
// declares itself is then beyond doubt.
func (w *world) unplaced(x effect, row *plan.Row) bool {
	if x.listener != nil {
		return false
	}
	name := "load_balancer: {name: " + cmp.Or(finding.Clean(x.declaration.LoadBalancer, finding.QuoteLimit), "…") + "}"
	if service := x.declaration.Service; service != "" {
		name = "service: " + finding.Clean(service, finding.QuoteLimit)
	}
	row.NotKnown = append(row.NotKnown, "which endpoint is behind "+row.Object+"; in the configuration, "+name+" says so")
	loose := false
	for _, e := range w.endpoints {
		if !e.Target.Kind.Secured() || len(e.declarations) > 0 {
			continue
		}
		if d := e.Target.Declared; d != nil && slices.Contains(x.declaration.ARNs, d.ARN) {
			return false
		}
		loose = true
	}
	return loose && !w.round.ListenersRead
}

// declaredFor is what the configuration declares for endpoints, each certificate once.
func (w *world) declaredFor(es []*endpoint) []plan.Certificate {
	out := []plan.Certificate{}
	seen := map[target.Declared]bool{}
	for _, e := range es {
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
		arn, h := w.declaredBody(*d)
		shown := h.shown(arn)
		shown.FingerprintSHA256, shown.Issuer = cmp.Or(d.FingerprintSHA256, shown.FingerprintSHA256), finding.Clean(d.Issuer, finding.QuoteLimit)
		out = append(out, shown)
	}
	return out
}

// namesOf are the names that clients ask for, with what they would get: the endpoints' hosts, else those the manifest
// names.
func (w *world) namesOf(x effect) []plan.Name {
	names := hosts(x.endpoints)
	if len(names) == 0 {
		names = slices.Clone(x.declaration.Hosts)
	}
	kind := x.declaration.Kind
	if x.listener != nil {
		kind = x.listener.loadBalancer.Kind
	}
	out := []plan.Name{}
	for _, name := range names {
		arn, h := x.declaration.gives(w, name, kind)
		shown := plan.Name{Name: finding.Clean(name, finding.QuoteLimit), ARN: finding.Clean(arn, finding.QuoteLimit)}
		covered := h.covers(name)
		if arn == "" && !x.declaration.Discovered || h.named() && (covered || !x.declaration.More) {
			shown.Covered = &covered
		}
		out = append(out, shown)
	}
	return out
}

// shown is a certificate as a row shows it; h may be nil.
func (h *held) shown(arn string) plan.Certificate {
	c := plan.Certificate{ARN: finding.Clean(arn, finding.QuoteLimit), FingerprintSHA256: h.fingerprint()}
	if h == nil {
		return c
	}
	c.Missing = h.record.Missing
	names := h.names()
	c.Names = cleanAll(names[:min(len(names), shownNames)])
	if _, end := h.dates(); !end.IsZero() {
		end = end.UTC()
		c.NotAfter = &end
	}
	return c
}

// undecidedFinding names the rows whose verdict is open.
func undecidedFinding(rows []plan.Row) finding.Finding {
	var objects, missing []string
	for _, r := range rows {
		objects = append(objects, r.Object)
		missing = append(missing, r.NotKnown...)
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	f := finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:plan",
		Summary:  "not enough is known to judge " + some(objects),
		Evidence: finding.Evidence{"not_known": missing[:min(len(missing), shownNames)], "file": rows[0].Source.File, "line": rows[0].Source.Line},
		Remedy:   "Run it where AWS can be asked, or give what is lacking in the configuration: certificates: [{arn: …, file: …}], and service or load_balancer for the endpoints.",
	}
	if rows[0].Generated {
		f.Evidence["generated"] = true
	}
	return f
}

// pooled gives every Ingress of a group the certificates of all: the controller makes one load balancer of the group
// and puts all of them on its listener, the first of the first Ingress (by group.order, then by name) as the default. An
// Ingress without certificate-arn adds what the controller discovers, which is not known here.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#ingressgroup
func pooled(declarations []observation.Declaration) []observation.Declaration {
	type key struct {
		group string
		port  int
	}
	groups, discovering := map[key][]int{}, map[key]bool{}
	for i, d := range declarations {
		k := key{d.Group, d.Port}
		switch {
		case d.Group == "":
		case d.Discovered:
			discovering[k] = true
		default:
			groups[k] = append(groups[k], i)
		}
	}
	out := slices.Clone(declarations)
	for k, members := range groups {
		slices.SortStableFunc(members, func(a, b int) int {
			return cmp.Or(cmp.Compare(declarations[a].Order, declarations[b].Order), strings.Compare(declarations[a].Service, declarations[b].Service))
		})
		var all []string
		for _, i := range members {
			for _, arn := range declarations[i].ARNs {
				if !slices.Contains(all, arn) {
					all = append(all, arn)
				}
			}
		}
		for _, i := range members {
			out[i].ARNs, out[i].More = all, discovering[k]
		}
	}
	return out
}
