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

// count changes the counter. A count that cannot be written is no reason to hold a message back.
func (t *tracking) count(ctx context.Context, change func([]incident.Record) (incident.Record, bool)) {
	_ = t.compareAndSwap(ctx, change) // the fallback store has it, and the round reports that
}
