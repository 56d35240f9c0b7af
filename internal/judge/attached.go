package judge

import (
	"cmp"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// about makes the findings on one attached certificate: one for each environment whose endpoints get it; at most a
// warning where none would. change is the change of the certificate itself that they come from.
func (l *listener) about(a *topology.Attachment, change topology.CertificateChange, code finding.Code, severity finding.Severity, summary, remedy string) []finding.Finding {
	groups := topology.ByEnvironment(l.Receivers(a.ARN))
	if len(groups) == 0 {
		severity = min(severity, finding.Warning)
	}
	var found []finding.Finding
	for _, g := range topology.OrNone(groups) {
		evidence := finding.Evidence{"certificate": a.Fact(a.ARN).Evidence(), "default": a.Default}
		l.judgment.announce(evidence, a.ARN)
		by := l.CertificateAttribution(change)
		f := l.Finding(code, severity, g.Endpoints, summary+byline(by.Change), evidence, remedy)
		f.Attribution, f.Cause = by, l.certificateCause(a)
		f.RestsOn = []finding.Fact{certificateFact(finding.FactCertificate, a.ARN)}
		if code == finding.CertRevoked {
			f.RestsOn = []finding.Fact{certificateFact(finding.FactCertificateRecord, a.ARN)}
		}
		found = append(found, f)
	}
	return found
}

// certificateCause is the certificate, on whatever listeners it is; but the listener where the certificate should not be
// there at all, since reattaching the declared one ends both.
func (l *listener) certificateCause(a *topology.Attachment) string {
	for _, e := range l.Endpoints {
		if d := e.Drift(); d != nil && d.Relation == topology.Different && d.Attached != nil && d.Attached.ARN == a.ARN {
			return l.Cause()
		}
	}
	return certificateCause(a.ARN, a.Certificate)
}

func certificateCause(arn string, c *topology.Certificate) string {
	return "certificate:" + cmp.Or(c.Fingerprint(), finding.Clean(arn, finding.QuoteLimit))
}

// replacement is the ARN to attach in place of an unusable certificate: what its endpoints declare, where they do and it is
// another; else a placeholder.
func (l *listener) replacement(a *topology.Attachment) string {
	for _, e := range l.Endpoints {
		d := e.Target.Declared
		if d == nil {
			continue
		}
		if arn, c := l.judgment.DeclaredCertificate(*d); arn != "" && arn != a.ARN && !c.Expired(l.judgment.Now) {
			return arn
		}
	}
	return "ARN"
}

// announce adds to a finding's evidence what ACM's own event said about a certificate: a claim, to be compared with the record
// that the finding rests on.
func (j *judgment) announce(evidence finding.Evidence, arn string) {
	for _, c := range j.Round.Changes {
		if c.Author != nil || !slices.Contains(c.Certificates, arn) {
			continue
		}
		facts := map[string]any{}
		for name, value := range c.Facts {
			facts[finding.Clean(name, 64)] = finding.Clean(value, finding.QuoteLimit)
		}
		said := topology.ChangeFact(&c).Evidence()
		said["says"] = facts
		evidence["acm_event"] = said
	}
}

// byline says in a summary who made a change, what it was and when; empty where nobody is known.
func byline(c *finding.Change) string {
	if c == nil {
		return ""
	}
	who := cmp.Or(finding.Clean(c.Name, 64), finding.Clean(c.Principal, 128))
	if tool := finding.Clean(c.Tool, 64); tool != "" {
		who += " (" + tool + ")"
	}
	text := "; " + cmp.Or(c.Action, "changed") + " by " + who + " at " + prose.Stamp(c.At)
	if !c.Confirmed {
		text += ", reported by an event, not yet confirmed by CloudTrail"
	}
	return text
}
