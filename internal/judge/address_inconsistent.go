package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// leafGroup is a certificate with the connections that serve it.
type leafGroup struct {
	topology.ServedSide
	connections []*connection
}

func judgeConsistency(e *endpoint) []finding.Finding {
	if e.Listener != nil && e.Listener.Settling(e.judgment.policy.Settle) {
		return nil
	}
	found := e.inconsistent(withoutPairs(e.leaves()), "")
	for _, key := range []observation.KeyType{observation.ECDSA, observation.RSA} {
		found = append(found, e.inconsistent(e.otherLeaves(key), key)...)
		found = append(found, e.lacks(key)...)
	}
	return found
}

// inconsistent returns a finding if there is more than one group: of first certificates, or of those for clients of a type of key alone.
func (e *endpoint) inconsistent(groups []leafGroup, key observation.KeyType) []finding.Finding {
	if len(groups) < 2 {
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
	if good && sameNamed && (e.Declared() == nil || key != "") {
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
	what := "different certificates"
	if key != "" {
		what = "different " + keyName(groups[0].Certificate.Leaf, key) + " certificates"
	}
	f := e.finding(finding.AddressInconsistent, severity,
		fmt.Sprintf("the addresses of %s serve %d %s: %s", finding.Clean(e.Target.Host, finding.QuoteLimit),
			len(groups), what, strings.Join(parts[:min(len(parts), 4)], "; ")),
		finding.Evidence{"served": served},
		"Finish the rollout, or remove the outdated address from DNS until it serves the new certificate.")
	f.Subject.KeyType, f.Subject.Other = string(key), key != ""
	return []finding.Finding{f}
}

// lacks returns a finding if some addresses have a certificate for clients of a type of key beside their first one, and others have none.
func (e *endpoint) lacks(key observation.KeyType) []finding.Finding {
	var having, lacking []string
	name, curve := string(key), string(observation.ECDSA)
	for _, c := range e.connections {
		switch o := c.Other; {
		case o == nil || o.KeyType != key:
		case c.pair != nil:
			name, curve = c.pair.keyName(), c.curveName()
			having = append(having, c.Address.Address)
		case o.Absent || o.Fallback:
			lacking = append(lacking, c.Address.Address)
		}
	}
	if len(having) == 0 || len(lacking) == 0 {
		return nil
	}
	f := e.finding(finding.AddressInconsistent, finding.Info,
		fmt.Sprintf("some addresses of %s have an %s and an RSA certificate, others no %s one: %s", finding.Clean(e.Target.Host, finding.QuoteLimit), curve, name, topology.Some(lacking)),
		finding.Evidence{"with": having, "without": lacking},
		"Install both certificates at every address, or only one: clients that support only "+name+" keys fail at some addresses.")
	f.Subject.KeyType, f.Subject.Other = string(key), true
	return []finding.Finding{f}
}

// withoutPairs joins the groups of certificates that are a pair: some address has both, and which of them it shows first does not matter.
func withoutPairs(groups []leafGroup) []leafGroup {
	var out []leafGroup
	for _, g := range groups {
		i := slices.IndexFunc(out, func(o leafGroup) bool { return o.pairs(g) || g.pairs(o) })
		if i < 0 {
			out = append(out, g)
			continue
		}
		out[i].Addresses = slices.Sorted(slices.Values(slices.Concat(out[i].Addresses, g.Addresses)))
		out[i].connections = slices.Concat(out[i].connections, g.connections)
	}
	return out
}

// pairs reports whether an address of the group has the other group's certificate beside the group's own.
func (g leafGroup) pairs(other leafGroup) bool {
	return slices.ContainsFunc(g.connections, func(c *connection) bool {
		return c.pair != nil && slices.ContainsFunc(other.connections, func(o *connection) bool { return o.leaf().Equal(c.pair.leaf()) })
	})
}

// otherLeaves groups the certificates of a type of key, where some address has it beside its first one.
func (e *endpoint) otherLeaves(key observation.KeyType) []leafGroup {
	var groups []leafGroup
	beside := false
	for _, own := range e.connections {
		c := own
		if own.pair != nil && own.pair.keyType == key {
			c, beside = own.pair, true
		}
		leaf := c.leaf()
		if leaf == nil || keyType(leaf) != key {
			continue
		}
		i := slices.IndexFunc(groups, func(g leafGroup) bool { return g.Certificate.Is(leaf) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, leafGroup{ServedSide: topology.ServedSide{Certificate: &topology.Certificate{Leaf: leaf}}})
		}
		groups[i].Addresses = append(groups[i].Addresses, c.Address.Address)
		groups[i].connections = append(groups[i].connections, c)
	}
	if !beside {
		return nil // they are first ones
	}
	return groups
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
