package topology

import (
	"slices"

	"certdrift/internal/observation"
)

// Attach is a certificate as an apply attaches it: as the default, or to the SNI list.
func (t *Topology) Attach(arn string, listed bool) *Attachment {
	return &Attachment{Attachment: observation.Attachment{ARN: arn, Default: !listed}, Certificate: t.Certificate(arn), Listed: listed}
}

// SetOn is what a listener that holds h holds once the manifest is applied: with the manifest's default certificate and its others
// in the SNI list. The list as it was goes, unless the tool leaves it alone, as Terraform's aws_lb_listener does (ELB's
// ModifyListener). A default certificate that has no ARN before the apply is an attachment without one.
func (d *Declaration) SetOn(h Held) Held {
	out := Held{Kind: h.Kind, Open: h.Open, Attached: []*Attachment{{Attachment: observation.Attachment{Default: true}}}}
	switch {
	case d.WithoutCertificate():
		out.Attached = nil
	case len(d.ARNs) > 0:
		out.Attached[0] = d.topology.Attach(d.ARNs[0], false)
	}
	if d.KeepsOthers {
		for _, old := range h.Attached {
			if old.Listed {
				out = out.Enlist(old)
			}
		}
	}
	for _, arn := range d.ARNs[min(1, len(d.ARNs)):] {
		out = out.Enlist(d.topology.Attach(arn, true))
	}
	return d.listDefault(out, h.Attached)
}

// listDefault is what the AWS Load Balancer Controller does with the default certificate. Since v3.4.1 it adds it to the SNI list, too
// (pkg/deploy/elbv2, buildSDKCertificates; https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/4090): clients then
// get it in preference to others that match. Which version runs shows in what the listener holds now.
func (d *Declaration) listDefault(h Held, now []*Attachment) Held {
	if d.Service == "" || d.KeepsOthers || h.Kind == observation.Classic || len(d.ARNs) == 0 {
		return h
	}
	switch {
	case len(now) == 0:
		h.DefaultMayBeListed = len(d.ARNs) > 1
	case now[0].Listed:
		one := *h.Attached[0]
		one.Listed = true
		h.Attached[0] = &one
	}
	return h
}

// Enlist adds a certificate to the SNI list (ELB's AddListenerCertificates): once, and beside being the default.
func (h Held) Enlist(added *Attachment) Held {
	one := *added
	one.Listed, one.Default = true, false
	h.Attached = slices.Clone(h.Attached)
	if i := slices.IndexFunc(h.Attached, func(a *Attachment) bool { return a.ARN == added.ARN }); i >= 0 {
		one.Default = h.Attached[i].Default
		h.Attached[i] = &one
		return h
	}
	h.Attached = append(h.Attached, &one)
	return h
}

// Delist removes a certificate from the SNI list (ELB's RemoveListenerCertificates); the default stays the default.
func (h Held) Delist(arn string) Held {
	var kept []*Attachment
	for _, a := range h.Attached {
		switch {
		case a.ARN != arn:
			kept = append(kept, a)
		case a.Default:
			one := *a
			one.Listed = false
			kept = append(kept, &one)
		}
	}
	h.Attached = kept
	return h
}

// alone is what a listener of which nothing else is known holds once the manifest is applied.
func (d *Declaration) alone() Held {
	h := d.SetOn(Held{Kind: d.Kind})
	h.Open = d.KeepsOthers && !d.Creates || len(d.Pending) > 0
	return h
}

// on is what the listener holds once the manifest is applied; l is nil where it is not known.
func (d *Declaration) on(l *Listener) Held {
	if l == nil || d.Creates {
		return d.alone()
	}
	h := d.SetOn(l.Held())
	h.Open = l.LoadBalancer.Partial && d.KeepsOthers || len(d.Pending) > 0
	return h
}
