package incident

import (
	"strings"
	"time"
)

// Acknowledge returns the record after somebody acknowledged the incident: no reminders before until, or until the
// incident ends if that is zero.
func Acknowledge(r Record, by string, now, until time.Time) Record {
	r.Acknowledged = &Acknowledgement{By: by, At: now, Until: until}
	return r
}

// Close returns the record after somebody closed it by hand. What is still broken is reported as a new incident by the
// next round that sees it. To suppress notices instead, acknowledge or silence it.
func Close(r Record, by string, now time.Time) Record {
	r.Closed, r.Ended, r.ClosedBy, r.Claim = now, EndClosed, by, nil
	return r
}

func splitKey(key string) (environment, endpoint string) {
	environment, endpoint, _ = strings.Cut(key, "/")
	return environment, endpoint
}
