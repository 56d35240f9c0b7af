package judge

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

func judgeDeclared(e *endpoint) []finding.Finding {
	d := e.Declared()
	if d == nil || !e.Target.Kind.Secured() || e.AttachedComparable() {
		return nil
	}
	var found []finding.Finding
	for _, c := range e.comparedWith(*d) {
		leaf := c.leaf()
		r := e.judgment.CompareDeclared(*d, "", leaf)
		if r < topology.Equivalent {
			continue
		}
		served := &topology.Certificate{Leaf: leaf}
		severity, note := finding.Critical, ""
		if r == topology.Equivalent {
			severity, note = finding.Warning, ": another certificate, but the same key and names"
		}
		remedy := "Install the declared certificate, or fix the declaration"
		if at := topology.Position(d.Source); at != "" {
			remedy += " in " + at
		}
		f := c.finding(finding.DriftDeclared, severity,
			finding.Clean(e.Target.Host, finding.QuoteLimit)+" serves "+served.Label("")+" instead of the declared "+e.judgment.DeclaredLabel(*d)+note,
			nil, remedy+" if what is served is right.")
		fact := served.Fact("")
		fact.Issuer = finding.Clean(leaf.Issuer.String(), finding.QuoteLimit)
		f.Certificates = finding.Certificates{Declared: []finding.Certificate{e.judgment.DeclaredFact(*d)}, Served: []finding.Certificate{fact}}
		f.Cause = "certificate:" + served.Fingerprint()
		found = append(found, f)
	}
	return found
}

// comparedWith returns the connections whose certificate must be the declared one. Where a server has two, an ARN or a fingerprint
// declares that of its own type of key, and says nothing of the other; an issuer is declared of both.
func (e *endpoint) comparedWith(d target.Declared) []*connection {
	var out []*connection
	for _, c := range e.connections {
		issuerAlone := d.ARN == "" && d.FingerprintSHA256 == ""
		switch {
		case c.leaf() == nil:
			continue
		case c.pair != nil && c.pair.leaf() != nil && issuerAlone:
			out = append(out, c.pair)
		case issuerAlone:
		case c.pair != nil && c.pair.leaf() != nil && e.judgment.CompareDeclared(d, "", c.pair.leaf()) == topology.Same:
			continue
		case c.mayServe(d):
			continue // observe-incomplete says so
		}
		out = append(out, c)
	}
	return out
}

// mayServe reports whether the declared certificate may be the server's other one, which the round asked for and did not learn.
func (c *connection) mayServe(d target.Declared) bool {
	if c.Other == nil || c.Other.Absent || c.Other.TLS != nil {
		return false
	}
	_, declared := c.judgment.DeclaredCertificate(d)
	body := declared.Body()
	return body != nil && keyType(body) == c.Other.KeyType
}

// mayServeDeclared reports whether it is not known that the endpoint serves what is declared, since that may be a server's other
// certificate, which is not known.
func (e *endpoint) mayServeDeclared() bool {
	d := e.Declared()
	return d != nil && e.Target.Kind.Secured() && !e.AttachedComparable() && slices.ContainsFunc(e.connections, func(c *connection) bool {
		return c.leaf() != nil && c.mayServe(*d) && e.judgment.CompareDeclared(*d, "", c.leaf()) >= topology.Equivalent
	})
}
