package judge

import (
	"certdrift/internal/finding"
)

func judgeDeclared(e *endpoint) []finding.Finding {
	d := e.declared()
	if d == nil || !e.Target.Kind.Secured() || e.attachedReadable() {
		return nil
	}
	var found []finding.Finding
	for _, c := range e.connections {
		if len(c.certs) == 0 {
			continue
		}
		r := e.world.meets(*d, "", c.certs[0])
		if r < twin {
			continue
		}
		served := &held{leaf: c.certs[0]}
		severity, note := finding.Critical, ""
		if r == twin {
			severity, note = finding.Warning, ": another certificate, but the same key and names"
		}
		evidence := finding.Evidence{"declared": e.world.declaredEvidence(*d), "served": served.evidence("")}
		evidence["served"].(map[string]any)["issuer"] = finding.Clean(c.certs[0].Issuer.String(), finding.QuoteLimit)
		remedy := "Install the declared certificate, or mend the declaration"
		if at := place(d.Source); at != "" {
			remedy += " in " + at
		}
		f := c.finding(finding.DriftDeclared, severity,
			finding.Clean(e.Target.Host, finding.QuoteLimit)+" serves "+served.label("")+" instead of the declared "+e.world.declaredLabel(*d)+note,
			evidence, remedy+" if what is served is right.")
		f.Cause = "certificate:" + served.fingerprint()
		found = append(found, f)
	}
	return found
}

// attachedReadable reports whether the listener's own record can be held against what is declared and what is served.
func (e *endpoint) attachedReadable() bool {
	if e.listener == nil {
		return false
	}
	if e.drifted() != nil {
		return true
	}
	got, known := e.listener.offer(e.Target.Host)
	return known && got.leafOf() != nil
}
