package incident

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// SMSKey is the key of the record that counts text messages. It is no incident.
const SMSKey = "- counter:sms"

// TakeSMS counts one text message against the hour's ceiling. records are those loaded; the returned record is to be
// written like any other, and where that fails with a conflict, loaded and taken anew. ok is false, and nothing needs
// writing, where the hour's messages are used up. What is less than critical may use up half of them. A ceiling of 0 lets
// all through.
func TakeSMS(records []Record, p policy.Alerting, severity finding.Severity, now time.Time) (r Record, ok bool) {
	r, used := countedSMS(records, now)
	ceiling := p.SMSPerHour
	if severity < finding.Critical {
		ceiling /= 2
	}
	if p.SMSPerHour > 0 && used >= ceiling {
		return r, false
	}
	r.Counter = &Counter{Hour: now.UTC().Truncate(time.Hour), Used: used + 1}
	return r, true
}

// ReturnSMS takes back what TakeSMS counted of a message that was not sent. ok is false where nothing needs writing.
func ReturnSMS(records []Record, now time.Time) (r Record, ok bool) {
	r, used := countedSMS(records, now)
	if used == 0 {
		return r, false
	}
	r.Counter = &Counter{Hour: now.UTC().Truncate(time.Hour), Used: used - 1}
	return r, true
}

// countedSMS is the record that counts, and how many were sent in this hour.
func countedSMS(records []Record, now time.Time) (r Record, used int) {
	r = Record{Key: SMSKey, Counter: &Counter{}}
	for _, old := range records {
		if old.Key == SMSKey && old.Counter != nil {
			r = old
		}
	}
	if r.Counter.Hour.Equal(now.UTC().Truncate(time.Hour)) {
		used = r.Counter.Used
	}
	return r, used
}

// TakeDay reports whether a function's daily metrics are due, and returns the record to write once they are put. ok is
// false, and nothing needs writing, if that was done today (UTC) already.
func TakeDay(records []Record, function string, now time.Time) (r Record, ok bool) {
	r = Record{Key: "- daily:" + function}
	for _, old := range records {
		if old.Key == r.Key && old.Counter != nil {
			r = old
		}
	}
	day := now.UTC().Truncate(24 * time.Hour)
	if r.Counter != nil && r.Counter.Hour.Equal(day) {
		return r, false
	}
	r.Counter = &Counter{Hour: day, Used: 1}
	return r, true
}
