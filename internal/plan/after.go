package plan

import (
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// after is what a listener holds once the manifests are applied.
type after struct {
	topology.Held
	// unknown says why it may hold others (Held.Open).
	unknown []string
	// elsewhere are certificates that a member of an Ingress group may keep whose manifest is not here.
	elsewhere []*topology.Attachment
	// perhapsGone are certificates of the SNI list that the apply may remove: a template does not say what was in it before.
	perhapsGone []string
	// unchanged: the apply leaves all certificates as they are.
	unchanged bool
}

// after returns what l holds after d is applied, with what the other manifests add to its SNI list and remove from it; l is nil
// where it is not known. Each tool does it in its own way.
func (p planner) after(d *topology.Declaration, l *topology.Listener) after {
	if d.WithoutCertificate() || d.RemovesListeners || p.moves(d, l) {
		return after{Held: topology.Held{Kind: kindOf(d, l)}}
	}
	now := p.heldBy(d, l)
	var a after
	switch {
	case d.Listener != "": // beside what the listener's own manifest says of it
		a = now
		for _, own := range p.keepers(d, l) {
			a = p.setDefault(a, own)
		}
	case d.KeepsOthers:
		a = p.setDefault(now, d)
	default:
		a = p.replace(d, l)
	}
	a = p.additions(d, l).apply(p, a).shared(d, l)
	a = p.mayDelist(a, d, l)
	a.Attached = p.forgetReimported(a.Attached)
	a.unchanged = now.known() && a.known() && slices.EqualFunc(a.Attached, now.Attached, sameAttachment)
	return a
}

// moves reports whether the listener whose SNI list d changes leaves its port at the same time.
func (p planner) moves(d *topology.Declaration, l *topology.Listener) bool {
	return d.Listener != "" && l != nil && slices.ContainsFunc(p.Declarations, func(own *topology.Declaration) bool {
		return own.ListenerARN == d.Listener && (own.Port != l.Port || own.WithoutCertificate()) && own.UndecidedBecause == ""
	})
}

// shared adds what other members of the declaration's Ingress group may keep on the listener.
func (a after) shared(d *topology.Declaration, l *topology.Listener) after {
	if a.elsewhere = d.Elsewhere(l); len(a.elsewhere) > 0 {
		a.unknown = append(a.unknown, "whether an Ingress of the group "+finding.Clean(d.Group, finding.QuoteLimit)+" that is not among the manifests keeps "+
			topology.Some(arnsOf(a.elsewhere))+" (pass all Ingresses of the group)")
	}
	return a
}

// keeps reports whether another member of the Ingress group may keep a certificate.
func (a after) keeps(arn string) bool {
	return slices.ContainsFunc(a.elsewhere, func(k *topology.Attachment) bool { return k.ARN == arn })
}

// Candidates are the certificates that a client which asks for host may get. What other members of an Ingress group may keep
// matters only if the client would get it: all is then false.
func (a after) Candidates(host string, now time.Time) (candidates []*topology.Attachment, all bool) {
	candidates, all = a.Held.Candidates(host, now)
	less := a.Held
	for _, arn := range a.perhapsGone {
		less = less.Delist(arn)
	}
	if without, _ := less.Candidates(host, now); !sameCertificates(candidates, without) {
		all = false
	}
	if len(a.elsewhere) == 0 {
		return candidates, all
	}
	kept := a.Held
	for _, k := range a.elsewhere {
		if k.Default { // it may stay the default, and then what the manifests name is in the list
			kept.Attached = append([]*topology.Attachment{k}, listed(kept.Attached)...)
			continue
		}
		kept = kept.Enlist(k)
	}
	others, _ := kept.Candidates(host, now)
	return candidates, all && sameCertificates(candidates, others)
}

func sameCertificates(a, b []*topology.Attachment) bool {
	return slices.EqualFunc(a, b, func(x, y *topology.Attachment) bool { return x.ARN == y.ARN })
}

// mayDelist notes the certificates of the SNI list that a template does not name: an earlier one may have, and then the deployment removes
// them.
func (p planner) mayDelist(a after, d *topology.Declaration, l *topology.Listener) after {
	if !d.OfTemplate() || l == nil || d.Creates {
		return a
	}
	all := append(additions{d}, p.additions(d, l)...)
	if d.Listener != "" {
		all = append(all, p.keepers(d, l)...)
	}
	var named []string
	for _, one := range all {
		arns := one.ARNs
		if one.Listener == "" { // the first is the default, which may be in the list as well
			arns = arns[min(1, len(arns)):]
		}
		named = append(named, arns...)
	}
	for _, k := range a.Attached {
		if k.Listed && k.ARN != "" && !slices.Contains(named, k.ARN) {
			a.perhapsGone = append(a.perhapsGone, k.ARN)
			a.unknown = append(a.unknown, "whether the deployment removes "+topology.ShortARN(k.ARN)+" from "+l.Label()+": the template does not name it, and does not say what it takes away")
		}
	}
	return a
}

func listed(all []*topology.Attachment) []*topology.Attachment {
	out := make([]*topology.Attachment, 0, len(all))
	for _, a := range all {
		one := *a
		one.Default, one.Listed = false, true
		out = append(out, &one)
	}
	return out
}

// forgetReimported forgets what is under an ARN now where the apply puts something else there.
func (p planner) forgetReimported(attached []*topology.Attachment) []*topology.Attachment {
	out := slices.Clone(attached)
	for i, a := range out {
		if p.reimported[a.ARN] {
			one := *a
			one.Certificate = nil
			out[i] = &one
		}
	}
	return out
}

func (a after) known() bool { return len(a.unknown) == 0 }

func sameAttachment(a, b *topology.Attachment) bool {
	return a.ARN == b.ARN && a.Default == b.Default && a.Listed == b.Listed && a.ARN != ""
}

func kindOf(d *topology.Declaration, l *topology.Listener) observation.LoadBalancerKind {
	if l != nil {
		return l.LoadBalancer.Kind
	}
	return d.Kind
}

// heldBy is what the listener holds now: the one that the declaration knows by its ARN, which may be on another port; else l.
func (p planner) heldBy(d *topology.Declaration, l *topology.Listener) after {
	if known := p.byARN[d.ListenerARN]; known != nil {
		l = known
	}
	switch {
	case d.Creates:
		return after{Held: topology.Held{Kind: kindOf(d, l)}}
	case l == nil:
		return after{Held: topology.Held{Kind: d.Kind, Open: true}, unknown: []string{"which certificates " + nameOf(d) + " holds now"}}
	case l.LoadBalancer.Partial:
		return after{Held: l.Held(), unknown: []string{"which further certificates " + l.Label() + " holds"}}
	}
	return after{Held: l.Held()}
}

// nameOf is the listener of a declaration in a sentence.
func nameOf(d *topology.Declaration) string {
	if d.LoadBalancer == "" {
		return "the listener of " + finding.Clean(d.Object, finding.QuoteLimit)
	}
	if d.Port == 0 {
		return "the listener of " + finding.Clean(d.LoadBalancer, finding.QuoteLimit)
	}
	return label(d)
}

// replace is what the AWS Load Balancer Controller and a classic load balancer do: the listener holds what the manifest says, and
// nothing else.
func (p planner) replace(d *topology.Declaration, l *topology.Listener) after {
	was := topology.Held{Kind: kindOf(d, l)}
	if l != nil && !l.LoadBalancer.Partial {
		was.Attached = l.Attached
	}
	return p.pend(after{Held: d.SetOn(was)}, d)
}

// setDefault is what Terraform's aws_lb_listener does, with the aws_lb_listener_certificate that are known to be its own.
func (p planner) setDefault(a after, d *topology.Declaration) after {
	a.Held = d.SetOn(a.Held)
	return p.pend(a, d)
}

// pend adds what has no ARN yet: nobody knows for which names it is.
func (p planner) pend(a after, d *topology.Declaration) after {
	for _, what := range d.Pending {
		a.Open = true
		a.unknown = append(a.unknown, finding.Clean(what, finding.QuoteLimit))
	}
	return a
}

// additions are what the manifests add to a listener's SNI list, and remove from it, apart from the listener's own manifest.
type additions []*topology.Declaration

func (p planner) additions(d *topology.Declaration, l *topology.Listener) additions {
	if d.Creates { // others know a listener that is replaced
		return nil
	}
	arn := listenerARN(d, l)
	if arn == "" && d.Listener == "" {
		return nil
	}
	return p.added[arn]
}

func listenerARN(d *topology.Declaration, l *topology.Listener) string {
	switch {
	case d.Listener != "":
		return d.Listener
	case d.ListenerARN != "":
		return d.ListenerARN
	case l != nil:
		return l.ARN
	}
	return ""
}

// apply adds and removes. The order of the two is not known for a certificate that is both added and removed.
func (all additions) apply(p planner, a after) after {
	for _, d := range all {
		for _, arn := range d.ARNs {
			a.Held = a.Enlist(p.Attach(arn, true))
		}
		a = p.pend(a, d)
	}
	for _, d := range all {
		for _, arn := range d.Detaches {
			if slices.ContainsFunc(all, func(o *topology.Declaration) bool { return slices.Contains(o.ARNs, arn) }) {
				a.Open = true
				a.unknown = append(a.unknown, "whether "+topology.ShortARN(arn)+" is removed before or after it is added")
				continue
			}
			a.Held = a.Delist(arn)
		}
	}
	a.unknown = sorted(a.unknown)
	return a
}

// keepers are the manifests of the listener itself that leave its SNI list alone.
func (p planner) keepers(d *topology.Declaration, l *topology.Listener) []*topology.Declaration {
	var out []*topology.Declaration
	for _, own := range p.Declarations {
		if own.KeepsOthers && !own.Creates && (own.ListenerARN == d.Listener || l != nil && slices.Contains(l.Declarations, own)) {
			out = append(out, own)
		}
	}
	return out
}
