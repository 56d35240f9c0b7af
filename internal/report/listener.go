package report

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// spot is a listener: a load balancer and a port of it. The zero value is none.
type spot struct {
	balancer *observation.LoadBalancer
	port     int
}

func (s spot) String() string {
	if s.balancer == nil {
		return ""
	}
	return place(s.balancer.Name, s.port)
}

// join finds the listener behind each endpoint, by the endpoint's index. It goes as the judge does: by the load balancer
// that the configuration names, by the tags that Kubernetes controllers set, or by the name and addresses that DNS gave;
// where several fit it is none.
func join(round observation.Round) []spot {
	behind := make([]spot, len(round.Endpoints))
	for i, e := range round.Endpoints {
		fit := fitting(round, e)
		port := e.Target.Port
		if ref := e.Target.LoadBalancer; ref != nil && ref.Port != 0 {
			port = ref.Port
		}
		if len(fit) == 1 && slices.ContainsFunc(fit[0].Listeners, func(l observation.Listener) bool { return l.Port == port }) {
			behind[i] = spot{fit[0], port}
		}
	}
	return behind
}

// fitting are the load balancers that may stand before an endpoint.
func fitting(round observation.Round, e observation.Endpoint) []*observation.LoadBalancer {
	if ref := e.Target.LoadBalancer; ref != nil {
		return balancers(round, func(lb *observation.LoadBalancer) bool {
			return ref.Name == lb.Name && (ref.Region == "" || ref.Region == lb.Region)
		})
	}
	byDNS := balancers(round, func(lb *observation.LoadBalancer) bool { return !e.DNS.Skipped && resolvesTo(e.DNS, lb) })
	byService := balancers(round, func(lb *observation.LoadBalancer) bool {
		return e.Target.Service != "" && slices.ContainsFunc(lb.Stacks(), func(s observation.Stack) bool { return s.Name == e.Target.Service })
	})
	both := slices.DeleteFunc(slices.Clone(byService), func(lb *observation.LoadBalancer) bool { return !slices.Contains(byDNS, lb) })
	switch {
	case len(byService) == 0:
		return byDNS
	case len(byService) > 1 && len(both) > 0:
		return both
	}
	return byService
}

func balancers(round observation.Round, keep func(*observation.LoadBalancer) bool) []*observation.LoadBalancer {
	var out []*observation.LoadBalancer
	for i := range round.LoadBalancers {
		if lb := &round.LoadBalancers[i]; keep(lb) {
			out = append(out, lb)
		}
	}
	return out
}

func resolvesTo(dns observation.DNS, lb *observation.LoadBalancer) bool {
	if lb.DNSName != "" && strings.TrimPrefix(dns.CanonicalName, "dualstack.") == lb.DNSName {
		return true
	}
	return slices.ContainsFunc(dns.Addresses, func(a string) bool { return slices.Contains(lb.Addresses, a) })
}

func listeners(round observation.Round, behind []spot, by byPlace) []Listener {
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
				DNSName: lb.DNSName, Protocol: l.Protocol, Policy: l.Policy, MutualTLS: l.MutualTLS,
				Certificates: attached(l.Certificates, known), Declared: []Declared{}, Endpoints: []string{},
				findings: own(by.listeners[name], lb),
			}
			if shown.ARN == "" {
				shown.ARN = lb.ARN
			}
			shown.State = state(shown.findings, !lb.Partial)
			shown.add(round, behind, spot{lb, l.Port})
			out = append(out, shown)
		}
	}
	return out
}

// own leaves out findings about a namesake in another region or account.
func own(fs []finding.Finding, lb *observation.LoadBalancer) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(fs), func(f finding.Finding) bool {
		region, account := f.Subject.Listener.Region, f.Subject.Listener.Account
		return region != "" && region != lb.Region || account != "" && account != lb.Account
	})
}

// add names the endpoints behind the listener and what is declared for it.
func (l *Listener) add(round observation.Round, behind []spot, here spot) {
	for i, e := range round.Endpoints {
		if behind[i] != here {
			continue
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
		if m.Port != here.port || !here.balancer.MadeFor(m) {
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
