package round

import (
	"context"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// takeSMS counts the text messages of a round's notices against the hour's ceiling, in one write, and returns which of them
// may be sent. When in doubt they are: a count that cannot be written is no reason to hold a message back.
func (t *tracking) takeSMS(ctx context.Context, in incident.Input, notices []incident.Notice) (allowed []bool) {
	severities := make([]finding.Severity, 0, len(notices))
	for _, n := range notices {
		severities = append(severities, n.Severity)
	}
	t.swap(ctx, func(s incident.State) (wanted incident.State) {
		var c incident.Counter
		used := 0
		c, allowed = incident.TakeSMS(s, in.Policy, severities, in.Now)
		for _, ok := range allowed {
			if ok {
				used++
			}
		}
		if used > 0 && in.Policy.SMSPerHour > 0 {
			wanted.Counters = []incident.Counter{c}
		}
		return wanted
	}, func(string, error) {})
	return allowed
}

// returnSMS takes back what was counted of messages that nobody took: a topic that is down must not use up the hour.
func (t *tracking) returnSMS(ctx context.Context) {
	t.swap(ctx, func(s incident.State) (wanted incident.State) {
		if c, ok := incident.ReturnSMS(s, t.unsent, t.Now()); ok {
			wanted.Counters = []incident.Counter{c}
		}
		return wanted
	}, func(string, error) { t.unsent = 0 })
}
