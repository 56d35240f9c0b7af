package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// changeAuthor writes who made the change behind the finding, when, from where, how certain that is, and what was attached before. All
// incidents of a combined message have the same author, or the message names none.
func (m *message) changeAuthor(w *emailWriter) {
	if m.Storm != nil && !m.OneCause() {
		return
	}
	by := m.first.Attribution.Change
	if by == nil {
		if text := m.first.Attribution.Unknown; text != "" {
			w.heading("Who changed it")
			w.prose(emailIndent, finding.Clean(text, maxValue))
		}
		return
	}
	w.heading("Who changed it")
	if head := changeLine(by); head != "" {
		w.prose(emailIndent, head)
	}
	w.line("source", confirmation(by))
	w.line("before", m.attachedBefore())
}

// attachedBefore is the certificate that was attached before the change; empty where it is not known, or differs within a combined message.
func (m *message) attachedBefore() string {
	before := m.first.Attribution.Before
	if before == nil {
		return ""
	}
	since := before.Since
	for _, one := range m.members() {
		also := one.first.Attribution.Before
		if also == nil || also.ARN != before.ARN {
			return ""
		}
		if also.Since.After(since) {
			since = also.Since
		}
	}
	return strings.TrimPrefix(shortID(before.ARN, "")+after(", since ", stamp(since)), ", ")
}

// changeDetails are the calls that made the change, to find them in CloudTrail.
func (m *message) changeDetails(w *emailWriter) {
	if m.first.Attribution.Change == nil || m.mixed {
		return
	}
	var calls, on, principals, ids []string
	for _, n := range m.Each() {
		by := newMessage(n, m.Options).first.Attribution.Change
		for to, text := range map[*[]string]string{&calls: by.Event, &on: by.Certificate, &principals: by.Principal, &ids: by.EventID} {
			if text = clean(text); text != "" && !slices.Contains(*to, text) {
				*to = append(*to, text)
			}
		}
	}
	w.heading("Change")
	w.line("call", join(calls))
	w.line("on", join(on))
	w.line("principal", join(principals))
	w.line("event id", join(ids))
}

// changeLine is the change in one line: name, tool, when, from where.
func changeLine(by *finding.Change) string {
	name := cmp.Or(clean(by.Name), lastWord(clean(by.Principal)))
	// A person's session names the person; a machine's (i-0abc…) is part of the principal.
	if session := clean(by.Session); session != "" && !strings.Contains(name, session) && !strings.HasPrefix(session, "i-") {
		name = strings.TrimSpace(name + " as " + session)
	}
	if tool := clean(by.Tool); tool != "" {
		name = strings.TrimSpace(name + " (" + tool + ")")
	}
	var pieces []string
	for _, p := range []string{name, stamp(by.At), after("from ", clean(by.SourceIP))} {
		if p != "" {
			pieces = append(pieces, p)
		}
	}
	return strings.Join(pieces, ", ")
}

// action is what was done to the certificate itself ("deleted"), or that a listener was changed.
func action(by *finding.Change) string { return cmp.Or(clean(by.Action), "changed") }

// confirmation is how certain it is who made the change. Without CloudTrail's own record it is a claim: anyone who may put
// events on the bus can name anyone.
func confirmation(by *finding.Change) string {
	if by.Confirmed {
		return "CloudTrail (confirmed)"
	}
	return "reported by an event, not yet confirmed by CloudTrail"
}

// authorName is a short name of who made the change; empty where it is not known.
func authorName(by *finding.Change) string {
	if by == nil {
		return ""
	}
	return finding.Clean(cmp.Or(by.Name, lastWord(by.Principal)), 60)
}

// stamp is a time for people; empty for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return prose.Stamp(t)
}

// lastWord is the end of an ARN.
func lastWord(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }
