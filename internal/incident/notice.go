package incident

import (
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// silence records whether the incident is silenced: every confirmed part matches an active silence. The silence of the
// worst part is the one shown.
func (b *tracker) silence(r *Record) {
	r.Silenced = nil
	if !r.Open() || b.audible(r) != finding.None {
		return
	}
	for _, p := range r.Parts {
		if s, ok := b.silencedBy(r, p); ok && p.Confirmed {
			r.Silenced = &s
			return
		}
	}
}

// audible is the worst severity that no silence covers; None where all is silenced. That alerts are not being delivered is not
// said once one was: it would be read where it is untrue.
func (b *tracker) audible(r *Record) finding.Severity {
	worst := finding.None
	for _, p := range r.Parts {
		if p.Code == finding.AlertPathBroken && p.Clean > 0 {
			continue
		}
		if _, silenced := b.silencedBy(r, p); p.Confirmed && !silenced {
			worst = max(worst, p.Severity)
		}
	}
	return worst
}

// silencedBy is the silence that covers a part, the longest if there are several.
func (b *tracker) silencedBy(r *Record, p Part) (longest Silenced, ok bool) {
	for _, s := range b.Policy.Silences {
		until, active := s.Active(b.Now)
		if active && covers(s, r, p) && until.After(longest.Until) {
			longest, ok = Silenced{Reason: s.Reason, Until: until}, true
		}
	}
	return longest, ok
}

// covers reports whether a silence is meant for a part. A part without an endpoint of its own is covered by a silence of
// endpoints only if that covers every affected endpoint.
func covers(s policy.Silence, r *Record, p Part) bool {
	if p.Endpoint != "" || s.Endpoint == "" {
		return s.Matches(r.Environment, p.Endpoint, string(p.Code))
	}
	return len(r.Affects) > 0 && r.AffectsCount == len(r.Affects) && all(r.Affects, func(key string) bool {
		environment, endpoint := splitKey(key)
		return s.Matches(environment, endpoint, string(p.Code))
	})
}

// decide reports whether a notice about an incident is due now. The record then carries the claim, or is closed if nobody
// was ever notified.
func (b *tracker) decide(e *entry) (Notice, bool) {
	r := &e.record
	if !r.Open() || r.Claim != nil && b.Now.Before(r.Claim.Until) {
		return Notice{}, false
	}
	if r.Claim != nil {
		r.Unsure, r.Claim = r.Claim, nil // a round claimed to send, and never recorded that it had
	}
	if r.Unsure != nil && r.Unsure.Event == Recovered && len(r.Parts) > 0 {
		r.Notified = finding.None // people may have read that it is resolved, and it is not
	}
	n, due := b.due(r)
	if !due || r.Code == finding.AlertPathBroken && n.Event != Recovered && len(e.present) == 0 {
		return Notice{}, false // what is said about the alert path rests on the round that says it
	}
	if !b.StateUnread {
		r.Claim = &Claim{Event: n.Event, Severity: n.Severity, By: b.By, At: b.Now, Until: b.leaseEnds()}
	}
	n.At, n.Repetition = b.Now, b.StateUnread || r.Unsure != nil
	n.Findings = e.present
	if len(n.Findings) == 0 {
		n.Findings = r.Findings
	}
	n.Record, n.URLs = *r, b.urls(r, n.Findings)
	return n, true
}

// maxURLs bounds the URLs of a notice: who suffers is listed by name.
const maxURLs = 3

// urls are those of the endpoints that an incident affects, the leading finding's first.
func (b *tracker) urls(r *Record, found []finding.Finding) (urls []string) {
	keys := r.Affects
	if len(found) > 0 && found[0].Endpoint != "" {
		keys = slices.Concat([]string{found[0].Environment + "/" + found[0].Endpoint}, keys)
	}
	for _, key := range keys {
		if url := b.URLs[key]; url != "" && len(urls) < maxURLs && !slices.Contains(urls, url) {
			urls = append(urls, url)
		}
	}
	return urls
}

// leaseEnds is when a claim of this round runs out.
func (b *tracker) leaseEnds() time.Time {
	end := b.Now.Add(b.Policy.Lease)
	if !b.Ends.IsZero() && b.Ends.Before(end) {
		return b.Ends
	}
	return end
}

// due returns the notice that is due: resolved, opened or escalated, a prediction that has happened, downgraded, or a
// reminder.
func (b *tracker) due(r *Record) (Notice, bool) {
	if r.Ended != "" {
		if r.Notified == finding.None && r.Unsure == nil && r.Owed == finding.None {
			r.Closed = b.Now // nobody was ever notified, or had to be
			return Notice{}, false
		}
		return Notice{
			Event: Recovered, Severity: max(r.Notified, r.Severity), Removed: r.Ended == EndRemoved,
			Undelivered: r.Notified == finding.None && r.Unsure == nil,
		}, true
	}
	audible := b.audible(r)
	switch {
	case audible == finding.None:
		return Notice{}, false
	case audible > r.Notified || r.Predicted && audible == finding.Critical && !b.onlyPredicted(r, audible):
		return Notice{
			Event: Opened, Severity: audible, Before: r.Notified, Predicted: b.onlyPredicted(r, audible), Undelivered: r.Owed > audible,
		}, true
	case r.Severity < max(r.mayKnow(), r.Owed):
		was := max(r.mayKnow(), r.Owed)
		return Notice{
			Event: Recovered, Severity: was, Before: was, Downgraded: true, Remaining: r.Severity, Undelivered: r.Owed > r.mayKnow(),
		}, true
	case b.reminderDue(r):
		return Notice{Event: Reminder, Severity: audible, Predicted: b.onlyPredicted(r, audible)}, true
	}
	return Notice{}, false
}

// onlyPredicted reports whether everything audible of a severity is still to come: the certificate expires soon, and works.
// Once it has expired, clients reject it, and that is worth a notice, although nothing is more severe than critical.
func (b *tracker) onlyPredicted(r *Record, severity finding.Severity) bool {
	return all(r.Parts, func(p Part) bool {
		_, silenced := b.silencedBy(r, p)
		return !p.Confirmed || silenced || p.Severity != severity || predicts(p.Code)
	})
}

// mayKnow is the worst severity that people may have been notified about.
func (r *Record) mayKnow() finding.Severity {
	if r.Unsure != nil && r.Unsure.Event == Opened {
		return max(r.Notified, r.Unsure.Severity)
	}
	return r.Notified
}

func (b *tracker) reminderDue(r *Record) bool {
	if b.Policy.Remind <= 0 || r.CleanRounds > 0 {
		return false
	}
	if a := r.Acknowledged; a != nil && (a.Until.IsZero() || b.Now.Before(a.Until)) {
		return false
	}
	return !b.Now.Before(r.LastNotified.Add(b.Policy.RemindAfter(r.Reminders)))
}

// Sent returns the record after its notice went out. n is the notice as Advance made it (see Notice.Each); r may be newer
// than the notice's record.
func Sent(r Record, n Notice, now time.Time) Record {
	r.Claim, r.Unsure, r.Owed = nil, nil, finding.None
	r.LastNotified = now
	switch {
	case n.Event == Opened:
		r.Notified, r.Reminders, r.Predicted = n.Severity, 0, n.Predicted
	case n.Event == Reminder:
		r.Reminders++
		if n.Severity >= r.Notified {
			r.Predicted = n.Predicted // what people read last: if it only threatened, it is news once it happens
		}
	case n.Downgraded:
		r.Notified, r.Reminders, r.Predicted = n.Remaining, 0, false
		r.Flaps++
	case r.Ended != "":
		r.Closed = now
	default: // it came back while the recovery notice was being sent
		r.Notified = finding.None
	}
	return r
}

// Released returns the record after its notice could not be sent: the next round may retry immediately. unsure means that
// the topic may have taken it all the same.
func Released(r Record, n Notice, unsure bool) Record {
	r.Claim = nil
	if n.Event == Opened {
		r.Owed = max(r.Owed, n.Severity)
	}
	if unsure {
		r.Unsure = &Claim{Event: n.Event, Severity: n.Severity, Until: n.At}
	}
	return r
}
