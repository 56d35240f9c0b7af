package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func judgeDeclared(e *endpoint) []finding.Finding {
	d := e.Declared()
	if d == nil || !e.Target.Kind.Secured() || e.AttachedComparable() {
		return nil
	}
	var found []finding.Finding
	for _, c := range e.connections {
		leaf := c.leaf()
		if leaf == nil {
			continue
		}
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
