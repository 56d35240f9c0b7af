package policy

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Alerting is what the operator decides about alerts.
type Alerting struct {
	// Confirm is how many rounds in a row an endpoint's finding must hold before its incident opens; drift and what is
	// certain open at once. Less than 1 counts as 1.
	Confirm int
	// Recover is how many rounds in a row must look and see nothing before the incident is over. Less than 1 counts as 1.
	Recover int
	// Apart is how far from each other rounds must be for both to count: a duplicate event confirms nothing.
	Apart time.Duration
	// Remind is the distance of the first reminder from the alert; each later one comes after twice the distance, a week
	// at most. 0 for none.
	Remind time.Duration
	// StormAfter is how many messages of one kind and environment, one for each cause, a round may send; more become one
	// summary. 0 for no bound.
	StormAfter int
	// FlapWindow is how soon after its end an incident must come back to count as flapping.
	FlapWindow time.Duration
	// Lease is the longest time for which a round may claim a notice. A round that knows when its time is over claims it until
	// then.
	Lease time.Duration
	// SMSPerHour is how many text messages an hour may be sent; 0 for no bound.
	SMSPerHour int
	Silences   []Silence
}

// DefaultAlerting returns the policy for a configuration that sets none.
func DefaultAlerting() Alerting {
	return Alerting{
		Confirm: 2, Recover: 2, Apart: 10 * time.Second, Remind: 24 * time.Hour, StormAfter: 10,
		FlapWindow: 2 * time.Hour, Lease: 5 * time.Minute, SMSPerHour: 20,
	}
}

// maxRemind bounds the growing distance of reminders.
const maxRemind = 7 * 24 * time.Hour

// RemindAfter is the distance to reminder number n, counted from 0; 0 for never.
func (p Alerting) RemindAfter(n int) time.Duration {
	d := p.Remind
	for range min(max(n, 0), 10) {
		d = min(2*d, max(maxRemind, p.Remind))
	}
	return d
}

// RecoverAfter is how many clean rounds end a part of an incident that has flapped so often.
func (p Alerting) RecoverAfter(flaps int) int { return max(1, p.Recover) << min(max(flaps, 0), 4) }

// Silence mutes notices of incidents that match, while it lasts. What is silenced is still counted and shown, and
// alerts when the silence ends before the incident does.
type Silence struct {
	Environment, Endpoint, Code string // patterns as in path.Match; empty Matches all
	// From is when it begins; zero for at once.
	From time.Time
	// Until is when it ends; zero, for a weekly window only, for never.
	Until time.Time
	// Weekly narrows the silence to a window that comes back; nil for all the time from From to Until.
	Weekly *Weekly
	Reason string
}

// Weekly is a maintenance window that comes back on days of the week.
type Weekly struct {
	Days []time.Weekday // empty: every day
	// Start is the wall-clock time as the distance from midnight, less than 24 hours.
	Start time.Duration
	// Length is how far the clock on the wall goes on from Start; it may pass midnight, and is at most 7 days.
	Length time.Duration
	// Location is the time zone; nil for UTC.
	Location *time.Location
}

// Active reports whether the silence is active at now, and until when. A silence without an end that is not weekly is
// never active: permanent silences are not supported.
func (s Silence) Active(now time.Time) (until time.Time, ok bool) {
	if now.Before(s.From) || !s.Until.IsZero() && !now.Before(s.Until) {
		return time.Time{}, false
	}
	if s.Weekly == nil {
		return s.Until, !s.Until.IsZero()
	}
	until, ok = s.Weekly.active(now)
	if ok && !s.Until.IsZero() && s.Until.Before(until) {
		until = s.Until
	}
	return until, ok
}

// active looks for a window that began up to a week ago and is not over. It begins and ends by the clock on the wall,
// as people wrote it down, also where the clocks change within it.
func (w Weekly) active(now time.Time) (until time.Time, ok bool) {
	loc := w.Location
	if loc == nil {
		loc = time.UTC
	}
	year, month, day := now.In(loc).Date()
	for back := range 8 {
		if len(w.Days) > 0 && !slices.Contains(w.Days, time.Date(year, month, day-back, 12, 0, 0, 0, loc).Weekday()) {
			continue
		}
		at := func(sinceMidnight time.Duration) time.Time {
			return earliest(time.Date(year, month, day-back, 0, 0, int(sinceMidnight/time.Second), 0, loc))
		}
		start, end := at(w.Start), at(w.Start+min(w.Length, 7*24*time.Hour))
		if !now.Before(start) && now.Before(end) && end.After(until) {
			until, ok = end, true
		}
	}
	return until, ok
}

// earliest is the first time that the clock on the wall showed what it shows at t: when clocks go back, it shows an hour
// twice.
func earliest(t time.Time) time.Time {
	if before := t.Add(-time.Hour); before.Hour() == t.Hour() && before.Minute() == t.Minute() {
		return before
	}
	return t
}

// Matches reports whether the silence is meant for a fault with this environment, endpoint name and code.
func (s Silence) Matches(environment, endpoint, code string) bool {
	return s.Concerns(environment, endpoint) && like(s.Code, code)
}

// Concerns reports whether the silence is meant for some fault of an endpoint.
func (s Silence) Concerns(environment, endpoint string) bool {
	return like(s.Environment, environment) && like(s.Endpoint, endpoint)
}

// like is path.Match where an empty pattern Matches all, a malformed one nothing, and a slash is a character as any: an
// endpoint's name is no path, and "*" is all of them. No name holds the byte that stands in for it.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00"))
	return err == nil && ok
}
