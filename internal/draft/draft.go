// Package draft writes a first configuration from the load balancers of an account, the manifests that create them, or both.
// What it can't know it leaves to the reader, as comments in the right place.
package draft

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// Input is what a draft is written from.
type Input struct {
	Manifests []observation.Declaration
	// Attached is what AWS returned; Asked reports whether it was asked.
	Attached observation.Attached
	Asked    bool
	// Now decides which of several certificates that match a host a load balancer prefers.
	Now time.Time
	// Paths are the paths of the manifests; Regions are the inspected regions. The configuration names both.
	Paths, Regions []string
}

// tlsListener is one listener that clients reach by TLS, with what is known about it.
type tlsListener struct {
	environment, name string // of the endpoints to be
	service           string // NAMESPACE/NAME; empty where unknown
	balancer, region  string
	kind              observation.LoadBalancerKind
	protocol          string
	object            string // the manifest's; empty for a listener of the account
	port              int
	attached          *topology.Listener // nil where the account has none
	declared          []string           // ARNs that a manifest declares
	hosts             []string
	source            target.Position
}

// listeners combines the listeners of the manifests and of the account, which the topology relates.
func listeners(in Input, model *topology.Topology) []tlsListener {
	var out []tlsListener
	of := map[*topology.Listener]int{}
	for _, l := range model.Listeners {
		if l.Secure() {
			of[l] = len(out)
			out = append(out, fromListener(l))
		}
	}
	for i, d := range in.Manifests {
		if len(d.ARNs) == 0 && !d.Discovered {
			continue // a port without TLS
		}
		merged := false
		for _, l := range model.Declarations[i].Listeners {
			if at, ok := of[l]; ok {
				out[at].add(d)
				merged = true
			}
		}
		if merged {
			continue
		}
		if at := slices.IndexFunc(out, func(p tlsListener) bool { return p.object == d.Object && p.port == d.Port }); at >= 0 {
			out[at].add(d)
		} else {
			out = append(out, fromDeclaration(d))
		}
	}
	for i := range out {
		slices.Sort(out[i].hosts)
		out[i].hosts = slices.Compact(out[i].hosts)
	}
	slices.SortStableFunc(out, func(a, b tlsListener) int {
		return cmp.Or(strings.Compare(a.environment, b.environment), strings.Compare(a.name, b.name),
			strings.Compare(a.region, b.region), cmp.Compare(a.port, b.port))
	})
	return out
}

func fromListener(l *topology.Listener) tlsListener {
	lb := l.LoadBalancer
	p := tlsListener{
		environment: defaultEnvironment, name: lb.Name, balancer: lb.Name, region: lb.Region, kind: lb.Kind,
		protocol: l.Protocol, port: l.Port, attached: l,
	}
	for _, stack := range lb.Stacks() {
		if p.nameAfter(stack.Name); p.service != "" {
			break
		}
	}
	return p
}

func fromDeclaration(d observation.Declaration) tlsListener {
	p := tlsListener{
		environment: defaultEnvironment, name: cmp.Or(d.LoadBalancer, d.Object), balancer: d.LoadBalancer,
		kind: d.Kind, object: d.Object, port: d.Port, declared: d.ARNs, hosts: slices.Clone(d.Hosts), source: d.Source,
	}
	p.nameAfter(d.Service)
	return p
}

// objectForm is the pattern of a Kubernetes object's NAMESPACE/NAME (RFC 1123 label, RFC 1123 subdomain).
var objectForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// nameAfter names the listener after the Kubernetes object in front; any other text changes nothing.
func (p *tlsListener) nameAfter(service string) {
	if namespace, name, _ := strings.Cut(service, "/"); objectForm.MatchString(service) {
		p.service, p.environment, p.name = service, namespace, name
	}
}

// add adds what a manifest declares for the listener.
func (p *tlsListener) add(d observation.Declaration) {
	p.declared = append(p.declared, d.ARNs...)
	p.hosts = append(p.hosts, d.Hosts...)
	if p.source.File == "" {
		p.source = d.Source
	}
	if p.service == "" {
		p.nameAfter(d.Service)
	}
}

// clusterTag returns the Kubernetes cluster tag that all load balancers have; empty if there is none.
func clusterTag(balancers []observation.LoadBalancer) (key, value string) {
	for i, lb := range balancers {
		found := false
		for k, v := range lb.Tags {
			if (strings.HasPrefix(k, "kubernetes.io/cluster/") || k == "elbv2.k8s.aws/cluster" || k == "eks:eks-cluster-name") && (i == 0 && (key == "" || k < key) || k == key && v == value) {
				key, value, found = k, v, true
			}
		}
		if !found {
			return "", ""
		}
	}
	return key, value
}

// clean makes a text safe for a line of a comment.
func clean(text string) string { return finding.Clean(text, finding.QuoteLimit) }
