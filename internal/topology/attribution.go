package topology

import (
	"slices"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// history is how far back CloudTrail's event history goes; who did what before that cannot be looked up.
const history = 90 * 24 * time.Hour

// recent is how long after an import a new problem may be attributed to it. A round comes every few minutes, and a reminder
// once a day.
const recent = 25 * time.Hour

// skew is how much the clocks of AWS's services may differ, and how late one may record what another did.
const skew = time.Minute

// CertificateChange is a change of a certificate itself that a finding comes from: someone deleted, renamed or imported it.
type CertificateChange struct {
	*observation.Change // nil where nobody is known
	ARN                 string
	// Expected: there must have been such a change, and not long ago, so that it is worth looking up.
	Expected bool
}

// action is what a call on a certificate does to it, in one word; empty for every other call.
func action(event string) string {
	switch event {
	case "DeleteCertificate", "DeleteServerCertificate":
		return "deleted"
	case "UpdateServerCertificate":
		return "renamed"
	case "ImportCertificate", "UploadServerCertificate":
		return "imported"
	}
	return ""
}

// lastChange is the newest change of the certificate itself; nil where none is known. A call that names a server
// certificate by its name alone is not of this one where the name was given to one of another path since.
func (t *Topology) lastChange(certificate string) *observation.Change {
	changes := slices.DeleteFunc(slices.Clone(t.Round.Changes), func(c observation.Change) bool {
		return c.Author == nil || c.LoadBalancer+c.Listener != "" || action(c.Event) == ""
	})
	slices.SortStableFunc(changes, func(a, b observation.Change) int { return a.At.Compare(b.At) })
	var last *observation.Change
	elsewhere := false
	for i := range changes {
		c := &changes[i]
		switch imports := action(c.Event) == "imported"; {
		case imports && !slices.Contains(c.Certificates, certificate):
			elsewhere = elsewhere || slices.ContainsFunc(c.Certificates, func(other string) bool { return arn.SameServerCertificate(other, certificate) })
		case imports, c.Names(certificate) && !elsewhere:
			last, elsewhere = c, false
		}
	}
	return last
}

// Removal is the change that took the certificate away from under its ARN. Where the newest change put one there, who took
// that away is not known.
func (t *Topology) Removal(arn string) CertificateChange {
	last := t.lastChange(arn)
	if last == nil || action(last.Event) == "imported" || last.Renamed == arn {
		last = nil
	}
	return CertificateChange{last, arn, last == nil}
}

// Import is the import of what the ARN holds now, where it caused a problem; had reports whether the certificate had the
// problem by a time. An import older than the one in ACM's or IAM's own record is not the one, nor is one before the
// certificate was issued.
func (t *Topology) Import(arn string, c *Certificate, had func(time.Time) bool) CertificateChange {
	if c == nil || c.Record.Missing || c.Record.Type != "" && c.Record.Type != "IMPORTED" {
		return CertificateChange{}
	}
	if last := t.lastChange(arn); last != nil && action(last.Event) == "imported" && !c.newer(last.At.Add(skew)) && had(last.At) {
		return CertificateChange{last, arn, false}
	}
	at := c.Record.Imported
	return CertificateChange{nil, arn, !at.IsZero() && t.Now.Sub(at) < history && had(at)}
}

// Recently reports whether a time is so recent that an import then can explain what shows now although the certificate had it
// from the beginning. Later it is as likely that the configuration, the trust store or certdrift itself is what is new.
func (t *Topology) Recently(at time.Time) bool { return t.Now.Sub(at) < recent }

// Always stands for a difference that whoever put the certificate there made, however long ago.
func Always(time.Time) bool { return true }

// Attribution is who made the change that led to the attached certificate, and what was attached before. An import over the
// attached ARN that came later counts instead, where the finding may come from it.
func (l *Listener) Attribution(arn string, imported CertificateChange) finding.Attribution {
	made, before := l.AttachedBy(arn)
	switch {
	case imported.Change != nil && (made == nil || imported.At.After(made.At)):
		return finding.Attribution{Change: imported.fact()}
	case made == nil:
		return finding.Attribution{Unknown: l.topology.unknownAuthor()}
	}
	out := finding.Attribution{
		Change: ChangeFact(made), After: &finding.Since{ARN: finding.Clean(arn, finding.QuoteLimit), Since: made.At.UTC()},
	}
	if before != nil && len(before.Certificates) > 0 && !slices.Contains(before.Certificates, arn) {
		out.Before = &finding.Since{ARN: finding.Clean(before.Certificates[0], finding.QuoteLimit), Since: before.At.UTC()}
	}
	return out
}

// CertificateAttribution is who changed the certificate itself, or that it could not be found out. Where the listener got the
// certificate after that change, whoever attached it is the author, and nothing is attributed here.
func (l *Listener) CertificateAttribution(c CertificateChange) finding.Attribution {
	switch attached, _ := l.AttachedBy(c.ARN); {
	case c.ARN == "" || attached != nil && (c.Change == nil || attached.At.After(c.At)) && !l.topology.Record(c.ARN).Missing():
		return finding.Attribution{}
	case c.Change == nil && c.Expected:
		return finding.Attribution{Unknown: l.topology.unknownAuthor()}
	case c.Change == nil:
		return finding.Attribution{}
	}
	return finding.Attribution{Change: c.fact()}
}

// unknownAuthor says that nobody is known, and why.
func (t *Topology) unknownAuthor() string {
	if why := t.Round.HistoryUnread; why != "" {
		return "unknown: it could not be looked up in CloudTrail: " + finding.Clean(why, finding.QuoteLimit)
	}
	return "unknown: neither an event nor CloudTrail reported the change"
}

// ChangeFact is a change as a finding shows it.
func ChangeFact(c *observation.Change) *finding.Change {
	clean := func(text string) string { return finding.Clean(text, finding.QuoteLimit) }
	out := &finding.Change{At: c.At.UTC(), Event: clean(c.Event), EventID: clean(c.EventID), Confirmed: c.Confirmed}
	if a := c.Author; a != nil {
		out.Principal, out.Name, out.Session = clean(a.Principal), clean(a.Name), clean(a.Session)
		out.Tool, out.UserAgent, out.SourceIP = clean(a.Tool), clean(a.UserAgent), clean(a.SourceIP)
	}
	return out
}

// fact is that of any change, with the certificate and what was done to it.
func (c CertificateChange) fact() *finding.Change {
	out := ChangeFact(c.Change)
	out.Action, out.Certificate = action(c.Event), finding.Clean(c.ARN, finding.QuoteLimit)
	return out
}
