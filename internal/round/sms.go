package round

import (
	"context"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// takeSMS counts a text message against the hour's ceiling. When in doubt it is sent.
func (t *tracking) takeSMS(ctx context.Context, severity finding.Severity) bool {
	if t.in.Policy.SMSPerHour <= 0 {
		return true
	}
	taken := true
	t.count(ctx, func(records []incident.Record) (r incident.Record, ok bool) {
		r, taken = incident.TakeSMS(records, t.in.Policy, severity, t.Now())
		return r, taken
	})
	return taken
}

// returnSMS takes back what was counted of a message that nobody took: a topic that is down must not use up the hour.
func (t *tracking) returnSMS(ctx context.Context, held bool) {
	if held || t.in.Policy.SMSPerHour <= 0 {
		return
	}
	t.count(ctx, func(records []incident.Record) (incident.Record, bool) { return incident.ReturnSMS(records, t.Now()) })
}

// count writes what change makes of the counter, and again where another round wrote first.
func (t *tracking) count(ctx context.Context, change func([]incident.Record) (incident.Record, bool)) {
	for range attempts {
		r, ok := change(t.in.Records)
		if !ok {
			return
		}
		if t.in.StateUnread {
			t.replace(r)
			return
		}
		written, err := t.save(ctx, r)
		if err != nil {
			t.shadow.keep(r, err)
			t.replace(r)
			return
		}
		if written {
			r.Version++
			t.replace(r)
			return
		}
		if records, err := t.reload(ctx); err == nil {
			t.in.Records = records
		}
	}
}
