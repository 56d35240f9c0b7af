package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// gives is the certificate that applying the manifest would give a client that asks for host: empty where it would
// attach none.
func (d *declaration) gives(w *world, host string, kind observation.LoadBalancerKind) (arn string, h *held) {
	if len(d.ARNs) == 0 {
		return "", nil
	}
	if kind != observation.Classic {
		for _, sni := range d.ARNs[1:] {
			if h := w.body(sni); h.covers(host) {
				return sni, h
			}
		}
	}
	return d.ARNs[0], w.body(d.ARNs[0])
}

// bare reports whether the manifest declares a port without any certificate. Most such ports never had one.
func (d *declaration) bare() bool { return len(d.ARNs) == 0 && !d.Discovered }

// agrees reports whether the manifest would give host the declared certificate, or one that stands for it.
func (d *declaration) agrees(w *world, declared target.Declared, host string) bool {
	arn, h := d.gives(w, host, d.Kind)
	if d.More && h.named() && !h.covers(host) {
		return true // as far as is known
	}
	return arn != "" && w.meets(declared, arn, leafOf(h)) < distinct
}

// where names the manifest's place and object.
func (d *declaration) where() string {
	object := finding.Clean(d.Object, finding.QuoteLimit)
	if at := place(d.Source); at != "" {
		return at + " (" + object + ")"
	}
	return object
}

// toMend names what a person changes: the manifest's place, or the resource where the manifest is generated.
func (d *declaration) toMend() string {
	if d.Generated() {
		return "the resource " + finding.Clean(d.Object, finding.QuoteLimit) + " in the Terraform code"
	}
	return d.where()
}

// effect is what applying a manifest would do to one listener and the endpoints behind it.
type effect struct {
	declaration *declaration
	listener    *listener // nil where it is not known
	endpoints   []*endpoint
	attached    relation // manifest to what is attached; unknown without a listener
	configured  relation // manifest to what the configuration declares
	declared    *target.Declared
	dropped     []string // ARNs of the SNI list that would go
	standard    bool     // the default certificate would change, which no endpoint gets
	breaks      []string // what would be wrong afterwards
	soon        []string // what would be attached for the first time, and ends within the policy's warning
	ending      bool     // one of the two tells of a certificate's end
}

// effects weighs a manifest against each listener it speaks of, and against the endpoints whose listener is not known.
func (w *world) effects(d *declaration) []effect {
	if d.Listener != "" {
		return w.additions(d)
	}
	var out []effect
	add := func(l *listener, es []*endpoint) {
		for _, g := range orNone(byEnvironment(es)) {
			out = append(out, w.weigh(d, l, g.endpoints))
		}
	}
	var loose []*endpoint
	for _, e := range d.endpoints {
		if !slices.Contains(d.listeners, e.listener) {
			loose = append(loose, e)
		}
	}
	for _, l := range d.listeners {
		var behind []*endpoint
		if d.bare() && len(l.attached) == 0 {
			continue // no certificate is there that applying could take away
		}
		for _, e := range l.endpoints {
			if e.Target.Kind.Secured() {
				behind = append(behind, e)
			}
		}
		add(l, behind)
	}
	if d.bare() { // TLS may end behind the load balancer, unless the configuration declares what only AWS can hold
		loose = slices.DeleteFunc(loose, func(e *endpoint) bool { return e.Target.Declared == nil || e.Target.Declared.ARN == "" })
	}
	if len(loose) > 0 {
		add(nil, loose)
	}
	return out
}

// additions weighs certificates that are added to a listener beside others, with the endpoints that they are for.
func (w *world) additions(d *declaration) []effect {
	var out []effect
	for _, l := range d.listeners {
		for _, arn := range d.ARNs {
			h := w.body(arn)
			var meant []*endpoint
			for _, e := range l.endpoints {
				if e.Target.Kind.Secured() && h.covers(e.Target.Host) {
					meant = append(meant, e)
				}
			}
			for _, g := range orNone(byEnvironment(meant)) {
				x := effect{declaration: d, listener: l, endpoints: g.endpoints, attached: distinct, configured: unknown}
				if l.has(arn) {
					x.attached = same
				} else if l.loadBalancer.Partial {
					x.attached = unknown
				}
				x.weighCertificate(w, arn, h, nil)
				out = append(out, x)
			}
		}
	}
	return out
}

func (w *world) weigh(d *declaration, l *listener, es []*endpoint) effect {
	x := effect{declaration: d, listener: l, endpoints: es, attached: unknown, configured: unknown}
	byDefault := unknown
	if l != nil && !l.loadBalancer.Partial {
		byDefault = w.defaultRelation(d, l)
		if x.attached = byDefault; !d.More && len(es) > 0 && len(l.attached) > 0 && len(d.ARNs) > 0 {
			x.attached = same // as far as the endpoints say nothing else
		}
		for _, a := range l.attached {
			if !a.Default && !d.More && !slices.Contains(d.ARNs, a.ARN) {
				x.dropped = append(x.dropped, a.ARN)
			}
		}
	}
	if l != nil {
		if arn := d.foreign(l); arn != "" {
			x.breaks = append(x.breaks, shortARN(arn)+" is of another region or account than the load balancer: AWS refuses to attach it")
		}
	}
	for _, e := range es {
		x.weighEndpoint(w, e)
	}
	x.standard = x.attached == same && byDefault == distinct
	if len(es) == 0 {
		for _, arn := range d.ARNs {
			x.weighCertificate(w, arn, w.body(arn), nil)
		}
	}
	x.breaks, x.soon = sorted(x.breaks), sorted(x.soon)
	return x
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

func (w *world) defaultRelation(d *declaration, l *listener) relation {
	switch {
	case len(l.attached) == 0 && len(d.ARNs) == 0:
		return same
	case len(l.attached) == 0 || len(d.ARNs) == 0:
		return distinct
	case d.More: // which comes first is not known
		if slices.ContainsFunc(d.ARNs, func(arn string) bool { return !l.has(arn) }) {
			return distinct
		}
		return same
	}
	return w.meetsARN(d.ARNs[0], l.attached[0].ARN, l.attached[0].leafOf())
}

func (x *effect) weighEndpoint(w *world, e *endpoint) {
	kind := x.declaration.Kind
	var now *attachment
	if x.listener != nil {
		kind = x.listener.loadBalancer.Kind
		now, _ = x.listener.offer(e.Target.Host)
	}
	arn, h := x.declaration.gives(w, e.Target.Host, kind)
	open := x.declaration.More && h.named() && !h.covers(e.Target.Host) // a discovered one may cover it
	if now != nil && !open {
		x.attached = max(x.attached, w.meetsARN(arn, now.ARN, now.leafOf()))
	}
	if d := e.Target.Declared; d != nil {
		x.declared = d
		r := distinct
		if arn != "" {
			r = w.meets(*d, arn, leafOf(h))
		}
		if open {
			r = unknown
		}
		if x.configured == unknown || r > x.configured {
			x.configured = r
		}
	}
	host := finding.Clean(e.Target.Host, finding.QuoteLimit)
	switch {
	case x.declaration.Closes:
		x.breaks = append(x.breaks, host+" would be left without a listener")
		return
	case arn == "":
		x.breaks = append(x.breaks, host+" would be left without a certificate")
		return
	case open:
		return
	case h.named() && !h.covers(e.Target.Host):
		x.breaks = append(x.breaks, host+" would not be covered by "+h.label(arn))
	}
	x.weighCertificate(w, arn, h, now)
}

// weighCertificate looks at what would be attached: gone, expired, or ending sooner than what is there.
func (x *effect) weighCertificate(w *world, arn string, h *held, now *attachment) {
	if h == nil {
		return
	}
	_, end := h.dates()
	switch {
	case h.record.Missing && h.leaf == nil:
		x.breaks = append(x.breaks, shortARN(arn)+" does not exist any more")
	case h.expired(w.now):
		x.breaks = append(x.breaks, shortARN(arn)+" expired "+day(end))
	case h.record.Status == "REVOKED" && w.policy.Revocation != policy.RevocationOff:
		x.breaks = append(x.breaks, shortARN(arn)+" was revoked, says ACM")
	case h.record.Status != "" && h.leaf == nil && h.record.Status != "ISSUED":
		x.breaks = append(x.breaks, shortARN(arn)+" is not issued ("+finding.Clean(h.record.Status, 64)+"): AWS refuses to attach it")
	default:
		x.weighEnd(w, arn, h, now)
	}
}

// weighEnd looks at a certificate that ends soon: no deploy should put it in the place of one that lasts longer, nor where
// there is none, or none that is known. One that stays where it is is for the rules on what is attached.
func (x *effect) weighEnd(w *world, arn string, h *held, now *attachment) {
	near, left := w.nearing(h)
	if near == finding.None || now != nil && now.ARN == arn || now == nil && x.listener != nil && x.listener.has(arn) {
		return
	}
	_, end := h.dates()
	text := fmt.Sprintf("%s ends %s, in %s", shortARN(arn), day(end), daysWords(left))
	var current time.Time
	if now != nil {
		_, current = now.dates()
	}
	first := current.IsZero() && w.round.Planned
	switch {
	case current.After(end), first && near == finding.Critical:
		x.breaks, x.ending = append(x.breaks, text), true
	case first:
		x.soon, x.ending = append(x.soon, text), true
	}
}

// severity weighs the effect; None where applying would change nothing, or would only restore what is declared.
func (x *effect) severity(w *world) finding.Severity {
	if len(x.soon) > 0 {
		return max(x.weight(w), finding.Warning)
	}
	return x.weight(w)
}

func (x *effect) weight(w *world) finding.Severity {
	changes := x.attached >= twin || x.configured >= twin
	broken := len(x.breaks) > 0 && (changes || w.round.Planned || x.listener == nil)
	switch {
	case broken, x.configured == distinct:
		return finding.Critical
	case x.declaration.Listener != "": // whether a name is covered without it is for listener-name-uncovered
		if x.attached == distinct && !w.round.Planned {
			return finding.Warning
		}
		return finding.None
	case x.configured == twin:
		return finding.Warning
	case x.configured == same:
		return finding.None // what differs is attached: drift-attached says it, and the deploy would mend it
	case x.attached == distinct && (!w.round.Planned && len(x.endpoints) > 0 || x.undoes() != nil):
		return finding.Critical
	case x.attached >= twin, x.standard, len(x.dropped) > 0:
		return finding.Warning
	}
	return finding.None
}

// undoes is the change by hand that applying would undo; nil where none is known.
func (x *effect) undoes() *observation.Change {
	if x.listener == nil || len(x.listener.attached) == 0 || x.attached < twin {
		return nil
	}
	if made, _ := x.listener.authored(x.listener.attached[0].ARN); byHand(made) {
		return made
	}
	return nil
}

// unauthored reports whether nobody knows whose change applying would undo, since CloudTrail could not be read.
func (x *effect) unauthored(w *world) bool {
	if w.round.HistoryUnread == "" || x.listener == nil || len(x.listener.attached) == 0 || x.attached < twin || x.configured == same {
		return false
	}
	made, _ := x.listener.authored(x.listener.attached[0].ARN)
	return made == nil
}

// right reports whether what is attached is good for every endpoint, and as the configuration declares it where it does.
func (x *effect) right(w *world) bool {
	if x.listener == nil || len(x.endpoints) == 0 {
		return false
	}
	for _, e := range x.endpoints {
		got, _ := x.listener.offer(e.Target.Host)
		if got == nil || !got.named() || !got.covers(e.Target.Host) || got.expired(w.now) || e.drifted() != nil {
			return false
		}
	}
	return true
}

func (x *effect) cause() string {
	if x.listener != nil && x.attached == same {
		return x.listener.cause() // the listener is wrong in the same way: one incident
	}
	d := x.declaration
	return "manifest:" + strings.Join([]string{finding.Clean(d.Source.File, finding.QuoteLimit), finding.Clean(d.Object, finding.QuoteLimit), fmt.Sprint(d.Port)}, ":")
}
