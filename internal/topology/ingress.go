package topology

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/observation"
)

// ingressGroup is what the round's manifests have of a group of Ingresses. The controller merges the certificates of all
// members, wherever their manifests are: the round may not have all of them.
type ingressGroup struct {
	services, hosts []string
	whole           bool // no member is elsewhere
}

// groupIngresses notes for each declaration which members of its group the round has. A member without a TLS port is one, too.
func (t *Topology) groupIngresses() {
	groups := map[string]*ingressGroup{}
	for _, d := range t.Round.Manifests {
		if d.Group == "" {
			continue
		}
		g := groups[d.Group]
		if g == nil {
			g = &ingressGroup{whole: t.Round.WholeGroups}
			groups[d.Group] = g
		}
		g.services, g.hosts = append(g.services, d.Service), append(g.hosts, d.Hosts...)
	}
	for _, d := range t.Declarations {
		d.group = groups[d.Group]
	}
}

// IsFor reports whether the object is about the endpoint. An Ingress of a group is about those that it or another member of
// the group in the manifests names, by host or by service; what a member elsewhere is about is not known.
func (d *Declaration) IsFor(e *Endpoint) bool {
	return !d.MembersElsewhere() || slices.Contains(d.group.services, e.Target.Service) || d.group.hasHost(e.Target.Host)
}

// MembersElsewhere reports whether members of the object's group may be missing from the manifests.
func (d *Declaration) MembersElsewhere() bool { return d.group != nil && !d.group.whole }

func (g *ingressGroup) hasHost(name string) bool {
	return slices.ContainsFunc(g.hosts, func(h string) bool { return h == name || MatchName(h, name) })
}

// Elsewhere are the certificates on a listener that no Ingress of the group in the manifests names, and that may belong to a
// member which is not among them. A certificate for the names of the known members alone is theirs: it goes if they do not
// name it.
func (d *Declaration) Elsewhere(l *Listener) []*Attachment {
	if !d.MembersElsewhere() || l == nil {
		return nil
	}
	var out []*Attachment
	for _, a := range l.Attached {
		if !slices.Contains(d.ARNs, a.ARN) && !d.ofMembers(a, l) {
			out = append(out, a)
		}
	}
	return out
}

// mayDiffer reports whether the manifest does not settle which certificate the endpoint's clients get from a shared listener.
func (d *Declaration) mayDiffer(e *Endpoint) bool {
	if !d.MembersElsewhere() || e.Listener == nil {
		return !d.IsFor(e)
	}
	now, _ := e.Listener.Select(e.Target.Host)
	return slices.Contains(d.Elsewhere(e.Listener), now)
}

func (d *Declaration) ofMembers(a *Attachment, l *Listener) bool {
	names := a.Names()
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool {
		return !d.group.hasHost(name) && !slices.ContainsFunc(l.Endpoints, func(e *Endpoint) bool {
			return strings.EqualFold(e.Target.Host, name) && slices.Contains(d.group.services, e.Target.Service)
		})
	})
}

// settle takes into account what made the listener's load balancer, where its tags say so. The cloud provider sends one
// certificate: to a network load balancer's listener by ModifyListener, which leaves the SNI list alone. A list in the annotation
// is one text to it, and AWS refuses that.
// https://github.com/kubernetes/cloud-provider-aws/blob/master/docs/service_controller.md
func (d *Declaration) settle(l *Listener) {
	tags := l.LoadBalancer.Tags
	if !strings.HasPrefix(d.Object, observation.Service+" ") || tags["kubernetes.io/service-name"] == "" || tags["service.k8s.aws/stack"]+tags["service.eks.amazonaws.com/stack"] != "" {
		return
	}
	if len(d.ARNs) > 1 {
		d.UndecidedBecause = cmp.Or(d.UndecidedBecause, "what happens to "+l.Label()+": the cloud provider created it, and sends the list as a single certificate, which AWS refuses")
		return
	}
	d.KeepsOthers = d.KeepsOthers || l.LoadBalancer.Kind == observation.Network
}

// pooled adds up the certificates of every group of Ingresses: the controller makes one load balancer of the group and
// puts all certificates on its listener, the first of the first Ingress (by group.order, then by name) as the default. An
// Ingress without certificate-arn adds what the controller discovers, which is not known here.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#ingressgroup
func pooled(declarations []observation.Declaration) []observation.Declaration {
	type key struct {
		group string
		port  int
	}
	groups, discovering, undecided := map[key][]int{}, map[key]bool{}, map[key]string{}
	for i, d := range declarations {
		k := key{d.Group, d.Port}
		switch {
		case d.Group == "" || d.RemovesListeners:
		case d.Discovered:
			discovering[k] = true
		case d.UndecidedBecause != "": // its certificates are not known, which all members share
			undecided[k] = d.UndecidedBecause
			fallthrough
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
			out[i].ARNs, out[i].More, out[i].UndecidedBecause = all, discovering[k], undecided[k]
		}
	}
	return out
}
