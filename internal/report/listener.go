package report

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// join finds the listener behind each endpoint, NAME:PORT by the endpoint's index: by the load balancer that the
// configuration names, by the tags that Kubernetes controllers set, or by the name and addresses that DNS gave.
func join(round observation.Round) map[int]string {
	behind := map[int]string{}
	for i, e := range round.Endpoints {
		for j := range round.LoadBalancers {
			lb := &round.LoadBalancers[j]
			if port, ok := fronts(lb, e); ok {
				behind[i] = place(lb.Name, port)
				break
			}
		}
	}
	return behind
}

// fronts tells whether the endpoint sits behind the load balancer, and on which port.
func fronts(lb *observation.LoadBalancer, e observation.Endpoint) (port int, ok bool) {
	port = e.Target.Port
	switch ref := e.Target.LoadBalancer; {
	case ref != nil:
		if ref.Port != 0 {
			port = ref.Port
		}
		ok = ref.Name == lb.Name && (ref.Region == "" || ref.Region == lb.Region)
	case e.Target.Service != "":
		ok = servedBy(lb.Tags, e.Target.Service)
	case !e.DNS.Skipped:
		ok = resolvesTo(e.DNS, lb)
	}
	return port, ok && slices.ContainsFunc(lb.Listeners, func(l observation.Listener) bool { return l.Port == port })
}

// servedBy goes by the tags of the in-tree cloud provider and of the AWS Load Balancer Controller.
func servedBy(tags map[string]string, service string) bool {
	for _, key := range []string{"kubernetes.io/service-name", "service.k8s.aws/stack", "ingress.k8s.aws/stack"} {
		if tags[key] == service {
			return true
		}
	}
	return false
}

func resolvesTo(dns observation.DNS, lb *observation.LoadBalancer) bool {
	if lb.DNSName != "" && strings.TrimPrefix(dns.CanonicalName, "dualstack.") == lb.DNSName {
		return true
	}
	return slices.ContainsFunc(dns.Addresses, func(a string) bool { return slices.Contains(lb.Addresses, a) })
}

func listeners(round observation.Round, behind map[int]string, by byPlace) []Listener {
	known := map[string]*observation.Certificate{}
	for i := range round.Certificates {
		known[round.Certificates[i].ARN] = &round.Certificates[i]
	}
	var out []Listener
	for i := range round.LoadBalancers {
		lb := &round.LoadBalancers[i]
		for _, l := range lb.Listeners {
			name := place(lb.Name, l.Port)
			shown := Listener{
				Listener: name, Kind: lb.Kind, Region: lb.Region, Account: lb.Account, ARN: l.ARN,
				DNSName: lb.DNSName, Protocol: l.Protocol, Policy: l.Policy,
				Certificates: attached(l.Certificates, known), Declared: []Declared{}, Endpoints: []string{},
				findings: own(by.listeners[name], lb),
			}
			if shown.ARN == "" {
				shown.ARN = lb.ARN
			}
			shown.State = state(shown.findings, !lb.Partial)
			shown.add(round, behind, lb)
			out = append(out, shown)
		}
	}
	return out
}

// own leaves out findings about a namesake in another region or account.
func own(fs []finding.Finding, lb *observation.LoadBalancer) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(fs), func(f finding.Finding) bool {
		region, _ := f.Evidence["region"].(string)
		account, _ := f.Evidence["account"].(string)
		return region != "" && region != lb.Region || account != "" && account != lb.Account
	})
}

// add names the endpoints behind the listener and what is declared for it.
func (l *Listener) add(round observation.Round, behind map[int]string, lb *observation.LoadBalancer) {
	for i, e := range round.Endpoints {
		if behind[i] != l.Listener {
			continue
		}
		if _, ok := fronts(lb, e); !ok {
			continue // behind a namesake
		}
		l.Endpoints = append(l.Endpoints, e.Target.Key())
		if d := e.Target.Declared; d != nil {
			l.Declared = append(l.Declared, Declared{
				By: e.Target.Key(), ARN: d.ARN, FingerprintSHA256: d.FingerprintSHA256, Issuer: d.Issuer, Source: d.Source,
			})
		}
	}
	slices.Sort(l.Endpoints)
	for _, m := range round.Manifests {
		if !(m.LoadBalancer != "" && m.LoadBalancer == lb.Name || m.Service != "" && servedBy(lb.Tags, m.Service)) || place(lb.Name, m.Port) != l.Listener {
			continue
		}
		for _, arn := range m.ARNs {
			l.Declared = append(l.Declared, Declared{By: m.Object, ARN: arn, Source: m.Source})
		}
	}
}

func attached(on []observation.Attachment, known map[string]*observation.Certificate) []Attached {
	out := []Attached{}
	for _, a := range on {
		shown := Attached{ARN: a.ARN, Default: a.Default, Names: []string{}}
		if c := known[a.ARN]; c != nil {
			shown.Missing = c.Missing
			shown.describe(c)
		}
		out = append(out, shown)
	}
	return out
}

// describe goes by the certificate itself, and by ACM's record where the body could not be read.
func (a *Attached) describe(c *observation.Certificate) {
	if len(c.Chain) > 0 {
		leaf := certificate(c.Chain[0])
		a.FingerprintSHA256 = leaf.FingerprintSHA256
		if leaf.Malformed == "" {
			a.Names, a.NotAfter = leaf.Names, &leaf.NotAfter
			return
		}
	}
	for _, name := range c.Names[:min(len(c.Names), MaxNames)] {
		a.Names = append(a.Names, finding.Clean(name, textLimit))
	}
	if !c.NotAfter.IsZero() {
		end := c.NotAfter.UTC()
		a.NotAfter = &end
	}
}
