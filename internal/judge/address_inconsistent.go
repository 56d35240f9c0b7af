package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// leafGroup is a certificate with the connections that serve it.
type leafGroup struct {
	topology.ServedSide
	connections []*connection
}

func judgeConsistency(e *endpoint) []finding.Finding {
	groups := e.leaves()
	if len(groups) < 2 || e.Listener != nil && e.Listener.Settling(e.judgment.policy.Settle) {
		return nil
	}
	good, meant, sameNamed := true, true, true
	for _, g := range groups {
		leaf := g.Certificate.Leaf
		good = good && g.healthy()
		meant = meant && e.means(leaf)
		sameNamed = sameNamed && topology.SameNames(topology.Names(leaf), groups[0].Certificate.Names())
	}
	if good && meant {
		return nil
	}
	severity := finding.Warning
	if good && sameNamed && e.Declared() == nil {
		severity = finding.Info
	}
	served := make([]any, 0, len(groups))
	parts := make([]string, 0, len(groups))
	for _, g := range groups {
		fact := g.Certificate.Fact("").Evidence()
		fact["addresses"] = g.Addresses
		fact["valid"] = g.healthy()
		served = append(served, fact)
		parts = append(parts, topology.Some(g.Addresses)+" "+g.Certificate.Label(""))
	}
	return []finding.Finding{e.finding(finding.AddressInconsistent, severity,
		fmt.Sprintf("the addresses of %s serve %d different certificates: %s", finding.Clean(e.Target.Host, finding.QuoteLimit),
			len(groups), strings.Join(parts[:min(len(parts), 4)], "; ")),
		finding.Evidence{"served": served},
		"Finish the rollout, or remove the outdated address from DNS until it serves the new certificate.")}
}

// leaves groups the endpoint's connections by the certificate they serve, the most common first.
func (e *endpoint) leaves() []leafGroup {
	var groups []leafGroup
	for _, s := range e.ByCertificate() {
		g := leafGroup{ServedSide: s}
		for _, c := range e.connections {
			if s.Certificate.Is(c.leaf()) {
				g.connections = append(g.connections, c)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// healthy reports whether clients would accept the certificate at all of its addresses: one may not send the intermediate.
func (g leafGroup) healthy() bool {
	return !slices.ContainsFunc(g.connections, func(c *connection) bool { return !c.healthy() })
}

// healthy reports whether a client would accept the certificate: it matches the host and has a valid path to a trusted root.
func (c *connection) healthy() bool {
	return c.built != nil && !c.garbled && c.built.Accepted() && chain.Covers(c.certs[0], c.host)
}

// means reports whether the served certificate is a declared one, or one attached for the hostname.
func (e *endpoint) means(leaf *x509.Certificate) bool {
	if d := e.Declared(); d != nil {
		return e.judgment.CompareDeclared(*d, "", leaf) == topology.Same && *d != (target.Declared{Source: d.Source})
	}
	return e.Listener != nil && e.Listener.CouldServe(e.Target.Host, leaf) != nil
}
