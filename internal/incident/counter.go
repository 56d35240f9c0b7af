package incident

import (
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// State is what the store holds: incidents, and counters of what is limited within a period.
type State struct {
	Incidents []Record
	Counters  []Counter
}

// Counter counts within a period: the text messages of an hour, or the daily metrics of a day.
type Counter struct {
	Key string
	// Version is what the store holds, as in Record.
	Version int64
	// Period is when the period began; what was used up before counts no longer.
	Period time.Time
	Used   int
}

// smsKey is the key of the counter of text messages.
const smsKey = "- counter:sms"

// Expires is when the store may forget the counter.
func (c Counter) Expires() time.Time { return c.Period.Add(24 * time.Hour) }

// counter returns the counter of a key for the period that began at start: the stored one, with nothing used where it is of
// another period.
func (s State) counter(key string, start time.Time) Counter {
	c := Counter{Key: key}
	if i := slices.IndexFunc(s.Counters, func(c Counter) bool { return c.Key == key }); i >= 0 {
		c = s.Counters[i]
	}
	if !c.Period.Equal(start) {
		c.Period, c.Used = start, 0
	}
	return c
}

// TakeSMS counts one text message for each of the severities against the hour's ceiling. It returns the counter to write
// (where that fails with a conflict, the caller loads and takes again) and which of the messages may be sent. What is less
// than critical may use up half of the ceiling. A ceiling of 0 lets all through; nothing needs writing then.
func TakeSMS(s State, p policy.Alerting, severities []finding.Severity, now time.Time) (c Counter, allowed []bool) {
	c = s.counter(smsKey, now.UTC().Truncate(time.Hour))
	allowed = make([]bool, len(severities))
	for i, severity := range severities {
		ceiling := p.SMSPerHour
		if severity < finding.Critical {
			ceiling /= 2
		}
		if allowed[i] = p.SMSPerHour <= 0 || c.Used < ceiling; allowed[i] {
			c.Used++
		}
	}
	return c, allowed
}

// ReturnSMS takes back what TakeSMS counted of n messages that were not sent. ok is false where nothing needs writing.
func ReturnSMS(s State, n int, now time.Time) (c Counter, ok bool) {
	c = s.counter(smsKey, now.UTC().Truncate(time.Hour))
	ok = c.Used > 0 && n > 0
	c.Used = max(0, c.Used-n)
	return c, ok
}

// TakeDay reports whether a function's daily metrics are due, and returns the counter to write once they are put. ok is
// false, and nothing needs writing, if that was done today (UTC) already.
func TakeDay(s State, function string, now time.Time) (c Counter, ok bool) {
	c = s.counter("- daily:"+function, now.UTC().Truncate(24*time.Hour))
	ok = c.Used == 0
	c.Used = 1
	return c, ok
}
