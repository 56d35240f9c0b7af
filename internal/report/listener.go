package report

import (
	"cmp"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// comparisonOf is the endpoint's comparison as the document has it; nil where nothing is known to compare.
func comparisonOf(c topology.Comparison) *Comparison {
	if len(c.Declared) == 0 && !c.Listener.Known() {
		return nil
	}
	out := &Comparison{
		DeclaredAttached: c.DeclaredAttached.String(), AttachedServed: c.AttachedServed.String(), DeclaredServed: c.DeclaredServed.String(),
		Unknown: string(c.Attached.Why),
	}
	if c.Attached.Known() {
		out.Attached = c.Attached.Value.ARN
	}
	return out
}

func listeners(t *topology.Topology, by byPlace) []Listener {
	var out []Listener
	for _, l := range t.Listeners {
		lb := l.LoadBalancer
		shown := Listener{
			Listener: l.Label(), Kind: lb.Kind, Region: lb.Region, Account: lb.Account, ARN: cmp.Or(l.ARN, lb.ARN),
			DNSName: lb.DNSName, Protocol: l.Protocol, Policy: l.Policy, MutualTLS: l.MutualTLS,
			Certificates: attached(t, l.Certificates), Declared: []Declared{}, Endpoints: []string{},
			findings: own(by.listeners[l.Label()], lb),
		}
		shown.State = state(shown.findings, !lb.Partial)
		shown.add(l)
		out = append(out, shown)
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
func (l *Listener) add(from *topology.Listener) {
	for _, e := range from.Endpoints {
		l.Endpoints = append(l.Endpoints, e.Target.Key())
		if d := e.Target.Declared; d != nil {
			l.Declared = append(l.Declared, Declared{
				By: e.Target.Key(), ARN: d.ARN, FingerprintSHA256: d.FingerprintSHA256, Issuer: d.Issuer, Source: d.Source,
			})
		}
	}
	slices.Sort(l.Endpoints)
	for _, d := range from.Declarations {
		for _, arn := range d.ARNs {
			l.Declared = append(l.Declared, Declared{By: d.Object, ARN: arn, Source: d.Source})
		}
	}
}

// attached are the listener's certificates, each once: a default one may be in the SNI list, too.
func attached(t *topology.Topology, on []observation.Attachment) []Attached {
	out := []Attached{}
	for _, a := range on {
		if !a.Default && slices.ContainsFunc(out, func(o Attached) bool { return o.ARN == a.ARN }) {
			continue
		}
		shown := Attached{ARN: a.ARN, Default: a.Default, Names: []string{}}
		if c := t.Record(a.ARN); c != nil {
			shown.Missing = c.Missing()
			shown.describe(c.Record)
		}
		out = append(out, shown)
	}
	return out
}

// describe reads the certificate itself, or ACM's record where the body could not be read.
func (a *Attached) describe(c observation.Certificate) {
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
