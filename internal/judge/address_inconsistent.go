package judge

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// leafGroup is one certificate with the addresses that serve it.
type leafGroup struct {
	fingerprint string
	connections []*connection
}

func judgeConsistency(e *endpoint) []finding.Finding {
	groups := e.leaves()
	if len(groups) < 2 || e.listener != nil && e.listener.settling() {
		return nil
	}
	good, meant, sameNamed := true, true, true
	for _, g := range groups {
		first := g.connections[0]
		good = good && g.healthy()
		meant = meant && e.means(first)
		sameNamed = sameNamed && sameNames(certNames(first.certs[0]), certNames(groups[0].connections[0].certs[0]))
	}
	if good && meant {
		return nil
	}
	severity := finding.Warning
	if good && sameNamed && e.declared() == nil {
		severity = finding.Info
	}
	served := make([]map[string]any, 0, len(groups))
	parts := make([]string, 0, len(groups))
	for _, g := range groups {
		h := &held{leaf: g.connections[0].certs[0]}
		fact := h.evidence("")
		fact["addresses"] = g.addresses()
		fact["valid"] = g.healthy()
		served = append(served, fact)
		parts = append(parts, some(g.addresses())+" "+h.label(""))
	}
	return []finding.Finding{e.finding(finding.AddressInconsistent, severity,
		fmt.Sprintf("the addresses of %s serve %d different certificates: %s", finding.Clean(e.Target.Host, finding.QuoteLimit),
			len(groups), strings.Join(parts[:min(len(parts), 4)], "; ")),
		finding.Evidence{"served": list(served)},
		"Finish the rollout, or take the address that lags behind out of DNS until it has caught up.")}
}

// leaves groups the endpoint's addresses by the certificate they serve, the most common first.
func (e *endpoint) leaves() []leafGroup {
	var groups []leafGroup
	for _, c := range e.connections {
		if len(c.certs) == 0 {
			continue
		}
		fp := fingerprint(c.certs[0])
		i := slices.IndexFunc(groups, func(g leafGroup) bool { return g.fingerprint == fp })
		if i < 0 {
			groups = append(groups, leafGroup{fingerprint: fp})
			i = len(groups) - 1
		}
		groups[i].connections = append(groups[i].connections, c)
	}
	slices.SortStableFunc(groups, func(a, b leafGroup) int { return len(b.connections) - len(a.connections) })
	return groups
}

func (g leafGroup) addresses() []string {
	var out []string
	for _, c := range g.connections {
		out = append(out, c.Address.Address)
	}
	slices.Sort(out)
	return out
}

// healthy reports whether clients would take the certificate at each of its addresses: one may lack the intermediate.
func (g leafGroup) healthy() bool {
	return !slices.ContainsFunc(g.connections, func(c *connection) bool { return !c.healthy() })
}

// healthy reports whether a client would take the certificate: for the host, with a sound path to a trusted root.
func (c *connection) healthy() bool {
	return c.built != nil && !c.garbled && c.built.Accepted() && chain.Covers(c.certs[0], c.host)
}

// means reports whether the certificate that is served is a declared one, or one attached for the name.
func (e *endpoint) means(c *connection) bool {
	if d := e.declared(); d != nil {
		return e.world.meets(*d, "", c.certs[0]) == same && *d != (target.Declared{Source: d.Source})
	}
	return e.listener != nil && e.listener.couldServe(e.Target.Host, c)
}
