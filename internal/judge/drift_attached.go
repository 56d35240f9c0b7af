package judge

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

func judgeAttached(l *listener) []finding.Finding {
	var found []finding.Finding
	for _, g := range grouped(l.endpoints, driftKey) {
		d := g.endpoints[0].drifted()
		found = append(found, l.driftFinding(d, g.endpoints))
	}
	return found
}

// driftKey puts together the endpoints of a listener that have the same declared and the same attached certificate.
func driftKey(e *endpoint) string {
	d := e.drifted()
	if d == nil {
		return "-"
	}
	attached := ""
	if d.got != nil {
		attached = d.got.ARN
	}
	return strings.Join([]string{d.declared.ARN, d.declared.FingerprintSHA256, d.declared.Issuer, attached}, "\x00")
}

func (l *listener) driftFinding(d *drift, es []*endpoint) finding.Finding {
	w := l.world
	evidence := finding.Evidence{"declared": w.declaredEvidence(d.declared)}
	if served := servedEvidence(es); served != nil {
		evidence["served"] = side(served)
	}
	if d.got == nil {
		evidence["attached"] = map[string]any{"none": true, "protocol": finding.Clean(l.Protocol, finding.QuoteLimit)}
		return l.finding(finding.DriftAttached, finding.Critical, es,
			"listener "+l.label()+" ("+finding.Clean(l.Protocol, 16)+") has no certificate attached; declared is "+w.declaredLabel(d.declared),
			evidence, "Make it a TLS listener again with the declared certificate: re-apply the manifest, or re-create the listener."+l.mendManifests(d, es))
	}
	evidence["attached"] = d.got.evidence(d.got.ARN)
	made := l.blame(evidence, d.got.ARN, l.contradicted(d))
	evidence["names"] = cleanAll(hosts(es))
	if uncovered := uncoveredBy(d, es); len(uncovered) > 0 {
		evidence["uncovered"] = cleanAll(uncovered)
	}
	severity := finding.Critical
	summary := "listener " + l.label() + " has " + d.got.label(d.got.ARN) + " attached instead of the declared " + w.declaredLabel(d.declared)
	if d.relation == twin {
		severity = finding.Warning
		summary += ": another ARN, but the same key and names"
	} else if uncovered := uncoveredBy(d, es); len(uncovered) > 0 {
		summary += "; it does not cover " + some(uncovered)
	} else if d.got.expired(w.now) {
		summary += "; it has expired"
	}
	remedy := ""
	if d.staleDeclaration(es) {
		evidence["stale"] = "declared"
		remedy = l.mendDeclaration(d, es)
		summary += "; the declaration is stale, what is attached is right"
	} else {
		command := l.undo(d, es)
		remedy = l.restore(d, command, es)
		evidence["undo"] = command
	}
	return l.finding(finding.DriftAttached, severity, es, summary+byline(made), evidence, remedy)
}

// contradicted is the import over the attached ARN that a drift may come of: where a fingerprint or an issuer is declared.
// Another ARN than the declared one is not attached by it.
func (l *listener) contradicted(d *drift) deed {
	if d.declared.ARN != "" {
		return deed{}
	}
	return l.world.origin(d.got.ARN, d.got.held, always)
}

// uncoveredBy lists the names that the attached certificate is not for.
func uncoveredBy(d *drift, es []*endpoint) []string {
	return slices.DeleteFunc(hosts(es), func(host string) bool { return !d.got.named() || d.got.covers(host) })
}

// staleDeclaration reports whether the attached certificate serves every endpoint well, where the declared one would not.
func (d *drift) staleDeclaration(es []*endpoint) bool {
	w := es[0].world
	_, declared := w.declaredBody(d.declared)
	if d.got == nil || d.got.held == nil || d.got.leaf == nil || d.got.expired(w.now) || len(uncoveredBy(d, es)) > 0 || declared == nil {
		return false
	}
	bad := declared.record.Missing || declared.expired(w.now)
	for _, host := range hosts(es) {
		bad = bad || declared.named() && !declared.covers(host)
	}
	return bad
}

// restore tells how to put the declared certificate back, and what else to mend so that it stays.
func (l *listener) restore(d *drift, command string, es []*endpoint) string {
	return "Put the declared certificate back (" + l.world.declaredLabel(d.declared) + "):\n" + command + l.mendManifests(d, es)
}

// undo is the command that restores the declared state; with a place-holder where no ARN of the declared certificate is
// known.
func (l *listener) undo(d *drift, es []*endpoint) string {
	arn, _ := l.world.declaredBody(d.declared)
	return l.attachCommand(cmp.Or(arn, "ARN"), es[0].Target.Host)
}

// mendManifests names the manifests that would attach something else than what is declared.
func (l *listener) mendManifests(d *drift, es []*endpoint) string {
	text := ""
	for _, m := range es[0].declarations {
		if m.Discovered || m.agrees(l.world, d.declared, es[0].Target.Host) {
			continue
		}
		text += "\nThen mend " + m.toMend() + ", which declares " + some(shortARNs(m.ARNs)) + ": its next apply would undo this."
	}
	return text
}

// mendDeclaration tells what to change where the hand-made state is the right one.
func (l *listener) mendDeclaration(d *drift, es []*endpoint) string {
	text := "Leave the listener as it is: what is attached covers the name and is valid, what is declared is not. Declare " + finding.Clean(d.got.ARN, finding.QuoteLimit) + " instead"
	if at := place(d.declared.Source); at != "" {
		text += " in " + at
	}
	text += "."
	attached := target.Declared{ARN: d.got.ARN}
	for _, m := range es[0].declarations {
		if !m.Discovered && !m.agrees(l.world, attached, es[0].Target.Host) {
			text += "\nMend " + m.toMend() + " too: the manifest is stale; the next apply would break it."
		}
	}
	return text
}

// servedEvidence shows what the endpoints serve, each certificate once.
func servedEvidence(es []*endpoint) []map[string]any {
	var out []map[string]any
	var told []string
	for _, e := range es {
		for _, g := range e.leaves() {
			if slices.Contains(told, g.fingerprint) {
				continue
			}
			told = append(told, g.fingerprint)
			fact := (&held{leaf: g.connections[0].certs[0]}).evidence("")
			fact["addresses"] = g.addresses()
			out = append(out, fact)
		}
	}
	return out
}

func shortARNs(arns []string) []string {
	out := make([]string, 0, len(arns))
	for _, a := range arns {
		out = append(out, shortARN(a))
	}
	if len(out) == 0 {
		out = append(out, "no certificate")
	}
	return out
}
