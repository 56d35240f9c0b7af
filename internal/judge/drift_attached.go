package judge

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

func judgeAttached(l *listener) []finding.Finding {
	var found []finding.Finding
	for _, g := range topology.GroupBy(l.Endpoints, driftKey) {
		found = append(found, l.driftFinding(g.Endpoints[0].Drift(), g.Endpoints))
	}
	return found
}

// driftKey groups the endpoints of a listener that have the same declared and the same attached certificate.
func driftKey(e *topology.Endpoint) (key string, drifted bool) {
	d := e.Drift()
	if d == nil {
		return "", false
	}
	attached := ""
	if d.Attached != nil {
		attached = d.Attached.ARN
	}
	return strings.Join([]string{d.Declared.ARN, d.Declared.FingerprintSHA256, d.Declared.Issuer, attached}, "\x00"), true
}

func (l *listener) driftFinding(d *topology.Drift, es []*topology.Endpoint) finding.Finding {
	j := l.judgment
	certificates := finding.Certificates{
		Declared: []finding.Certificate{j.DeclaredFact(d.Declared)},
		Served:   servedFacts(es),
	}
	if d.Attached == nil {
		certificates.Attached = []finding.Certificate{{None: true, Protocol: finding.Clean(l.Protocol, finding.QuoteLimit)}}
		f := l.Finding(finding.DriftAttached, finding.Critical, es,
			"listener "+l.Label()+" ("+finding.Clean(l.Protocol, 16)+") has no certificate attached; declared is "+j.DeclaredLabel(d.Declared),
			nil, "Make it a TLS listener again with the declared certificate: re-apply the manifest, or re-create the listener."+l.fixManifests(d, es))
		f.Certificates = certificates
		return f
	}
	certificates.Attached = []finding.Certificate{d.Attached.Fact(d.Attached.ARN)}
	by := l.Attribution(d.Attached.ARN, l.contradicted(d))
	evidence := finding.Evidence{"names": topology.CleanAll(topology.Hosts(es))}
	uncovered := uncoveredBy(d, es)
	if len(uncovered) > 0 {
		evidence["uncovered"] = topology.CleanAll(uncovered)
	}
	severity := finding.Critical
	summary := "listener " + l.Label() + " has " + d.Attached.Label(d.Attached.ARN) + " attached instead of the declared " + j.DeclaredLabel(d.Declared)
	switch {
	case d.Relation == topology.Equivalent:
		severity = finding.Warning
		summary += ": another ARN, but the same key and names"
	case len(uncovered) > 0:
		summary += "; it does not cover " + topology.Some(uncovered)
	case d.Attached.Expired(j.Now):
		summary += "; it has expired"
	}
	remedy := ""
	if staleDeclaration(j, d, es) {
		evidence["stale"] = "declared"
		remedy = l.fixDeclaration(d, es)
		summary += "; the declaration is out of date; the attached certificate is right"
	} else {
		command := l.undo(d, es)
		remedy = l.restore(d, command, es)
		evidence["undo"] = command
	}
	f := l.Finding(finding.DriftAttached, severity, es, summary+byline(by.Change), evidence, remedy)
	f.Certificates, f.Attribution = certificates, by
	return f
}

// contradicted is the import over the attached ARN that a drift may come from: where a fingerprint or an issuer is declared.
// Another ARN than the declared one is not attached by it.
func (l *listener) contradicted(d *topology.Drift) topology.CertificateChange {
	if d.Declared.ARN != "" {
		return topology.CertificateChange{}
	}
	return l.judgment.Import(d.Attached.ARN, d.Attached.Certificate, topology.Always)
}

// uncoveredBy lists the names that the attached certificate does not cover.
func uncoveredBy(d *topology.Drift, es []*topology.Endpoint) []string {
	return slices.DeleteFunc(topology.Hosts(es), func(host string) bool { return !d.Attached.Named() || d.Attached.Covers(host) })
}

// staleDeclaration reports whether the attached certificate serves every endpoint well, where the declared one would not.
func staleDeclaration(j *judgment, d *topology.Drift, es []*topology.Endpoint) bool {
	_, declared := j.DeclaredCertificate(d.Declared)
	if d.Attached.Body() == nil || d.Attached.Expired(j.Now) || len(uncoveredBy(d, es)) > 0 || declared == nil {
		return false
	}
	bad := declared.Missing() || declared.Expired(j.Now)
	for _, host := range topology.Hosts(es) {
		bad = bad || declared.Named() && !declared.Covers(host)
	}
	return bad
}

// restore says how to reattach the declared certificate, and what else to fix so that it stays.
func (l *listener) restore(d *topology.Drift, command string, es []*topology.Endpoint) string {
	return "Reattach the declared certificate (" + l.judgment.DeclaredLabel(d.Declared) + "):\n" + command + l.fixManifests(d, es)
}

// undo is the command that restores the declared state; with a placeholder where no ARN of the declared certificate is known.
func (l *listener) undo(d *topology.Drift, es []*topology.Endpoint) string {
	arn, _ := l.judgment.DeclaredCertificate(d.Declared)
	return l.AttachCommand(cmp.Or(arn, "ARN"), es[0].Target.Host)
}

// fixManifests names the manifests that would attach something else than what is declared.
func (l *listener) fixManifests(d *topology.Drift, es []*topology.Endpoint) string {
	text := ""
	for _, m := range es[0].Declarations {
		if m.Discovered || m.Agrees(d.Declared, es[0].Target.Host) {
			continue
		}
		text += "\nThen fix " + m.ToFix() + ", which declares " + topology.Some(topology.ShortARNs(m.ARNs)) + ", or the next apply will undo this."
	}
	return text
}

// fixDeclaration says what to change where the state made by hand is the right one.
func (l *listener) fixDeclaration(d *topology.Drift, es []*topology.Endpoint) string {
	text := "Leave the listener as it is: what is attached covers the name and is valid, what is declared is not. Declare " + finding.Clean(d.Attached.ARN, finding.QuoteLimit) + " instead"
	if at := topology.Position(d.Declared.Source); at != "" {
		text += " in " + at
	}
	text += "."
	attached := target.Declared{ARN: d.Attached.ARN}
	for _, m := range es[0].Declarations {
		if !m.Discovered && !m.Agrees(attached, es[0].Target.Host) {
			text += "\nFix " + m.ToFix() + " too: the manifest is out of date; the next apply would break this endpoint."
		}
	}
	return text
}

// servedFacts are the certificates that the endpoints serve, each once.
func servedFacts(es []*topology.Endpoint) []finding.Certificate {
	var out []finding.Certificate
	for _, e := range es {
		for _, s := range e.ByCertificate() {
			fact := s.Certificate.Fact("")
			if slices.ContainsFunc(out, func(c finding.Certificate) bool { return c.FingerprintSHA256 == fact.FingerprintSHA256 }) {
				continue
			}
			fact.Addresses = s.Addresses
			out = append(out, fact)
		}
	}
	return out
}
