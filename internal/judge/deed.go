package judge

import (
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// history is how far back CloudTrail's event history goes; who did what before that cannot be looked up.
const history = 90 * 24 * time.Hour

// lately is how long after an import what shows may be put down to it. A round comes every few minutes, and a reminder once
// a day.
const lately = 25 * time.Hour

// skew is how much the clocks of AWS's services may differ, and how late one may write down what another did.
const skew = time.Minute

// deed is a change of a certificate itself that a finding comes of: somebody deleted, renamed or imported it.
type deed struct {
	*observation.Change // nil where nobody is known
	arn                 string
	// sought: there must have been such a change, and not long ago, so that it is worth looking up.
	sought bool
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

// lastDeed is the newest change of the certificate itself; nil where none is known. A call that names a server
// certificate by its name alone is not of this one where the name was given to one of another path since.
func (w *world) lastDeed(arn string) *observation.Change {
	changes := slices.DeleteFunc(slices.Clone(w.round.Changes), func(c observation.Change) bool {
		return c.Author == nil || c.LoadBalancer+c.Listener != "" || action(c.Event) == ""
	})
	slices.SortStableFunc(changes, func(a, b observation.Change) int { return a.At.Compare(b.At) })
	var last *observation.Change
	elsewhere := false
	for i := range changes {
		c := &changes[i]
		switch imports := action(c.Event) == "imported"; {
		case imports && !slices.Contains(c.Certificates, arn):
			elsewhere = elsewhere || slices.ContainsFunc(c.Certificates, func(other string) bool { return observation.SameServerName(other, arn) })
		case imports, c.Names(arn) && !elsewhere:
			last, elsewhere = c, false
		}
	}
	return last
}

// removal is the change that took the certificate away from under its ARN. Where the newest change put one there,
// whoever took that away is not known.
func (w *world) removal(arn string) deed {
	last := w.lastDeed(arn)
	if last == nil || action(last.Event) == "imported" || last.Renamed == arn {
		last = nil
	}
	return deed{last, arn, last == nil}
}

// origin is the import that put there what the ARN holds now, where that brought a fault about; wrong tells of a time
// whether the certificate had the fault by then. An import that ACM's or IAM's own record knows a later one than is not
// the one, nor is one before the certificate was issued.
func (w *world) origin(arn string, h *held, wrong func(time.Time) bool) deed {
	if h == nil || h.record.Missing || h.record.Type != "" && h.record.Type != "IMPORTED" {
		return deed{}
	}
	if last := w.lastDeed(arn); last != nil && action(last.Event) == "imported" && !h.newer(last.At.Add(skew)) && wrong(last.At) {
		return deed{last, arn, false}
	}
	at := h.record.Imported
	return deed{nil, arn, !at.IsZero() && w.now.Sub(at) < history && wrong(at)}
}

// newer reports whether what the ARN holds was imported or issued after a time.
func (h *held) newer(at time.Time) bool {
	begin, _ := h.dates()
	return h.record.Imported.After(at) || begin.After(at)
}

// spent tells of a time whether the policy would have warned of an end by then, in a life as long as the certificate's.
func (w *world) spent(h *held, end time.Time) func(time.Time) bool {
	return func(at time.Time) bool {
		return !end.IsZero() && expirySeverity(w.policy, end.Sub(at), h.lifetime()) != finding.None
	}
}

// brought tells of a time whether it was so lately that an import then shows now by what the certificate had from its
// beginning. Later it is as likely that the configuration, the trust store or certdrift itself is what is new.
func (w *world) brought(at time.Time) bool { return w.now.Sub(at) < lately }

// always stands for a difference that whoever put the certificate there made, however long ago.
func always(time.Time) bool { return true }

// accuse adds to a finding's evidence who changed the certificate, or that it could not be found out; the words for the
// summary come back. A listener that got the certificate after that change is its own author's work.
func (l *listener) accuse(evidence finding.Evidence, d deed) (words string) {
	switch attached, _ := l.authored(d.arn); {
	case d.arn == "" || attached != nil && (d.Change == nil || attached.At.After(d.At)) && !l.lost(d.arn):
		return ""
	case d.Change == nil && d.sought:
		evidence["author"] = l.world.unknownAuthor()
		return ""
	case d.Change == nil:
		return ""
	}
	evidence["changed_by"] = d.evidence()
	return byline(d.Change)
}

// lost reports whether the certificate is gone: whoever attached it before did not delete it.
func (l *listener) lost(arn string) bool {
	h := l.world.certificates[arn]
	return h != nil && h.record.Missing
}

// evidence is that of any change, with the certificate and what was done to it.
func (d deed) evidence() map[string]any {
	out := changeEvidence(d.Change)
	out["action"], out["certificate"] = action(d.Event), finding.Clean(d.arn, finding.QuoteLimit)
	return out
}

// attribute tells of each fault of a served certificate who imported it over the ARN that the endpoint's listener has
// attached, where that brought the fault about. Where another certificate is declared, it should not be attached at all.
func attribute(fs []finding.Finding, w *world) {
	byKey := w.byKey()
	for _, f := range fs {
		e := byKey[f.Environment+"/"+f.Endpoint]
		if e == nil || e.listener == nil || !ofServedCertificate(f) || !e.servesAttached(f.Address) {
			continue
		}
		if d := e.drifted(); d != nil && d.relation == distinct && d.declared.ARN != "" {
			continue
		}
		got, _ := e.listener.offer(e.Target.Host)
		wrong := w.wrongSince(f, got.held)
		if wrong == nil {
			continue
		}
		if e.listener.accuse(f.Evidence, w.origin(got.ARN, got.held, wrong)); f.Evidence["changed_by"] != nil || f.Evidence["author"] != nil {
			f.Evidence["listener"] = e.listener.label()
		}
	}
}

// wrongSince tells of a time whether the served certificate had the fault by then; nil for what an authority or the
// server makes wrong, whatever was imported.
func (w *world) wrongSince(f finding.Finding, h *held) func(time.Time) bool {
	switch f.Code {
	case finding.CertRevoked, finding.CertStapleBad, finding.CertNotYetValid, finding.CertMalformed:
		return nil
	case finding.CertExpired, finding.CertExpiring, finding.CertChainExpired:
		end, _ := f.Evidence["not_after"].(time.Time)
		return w.spent(h, end)
	}
	return w.brought
}
