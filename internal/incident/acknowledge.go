package incident

import (
	"strings"
	"time"
)

// Acknowledge is the record after somebody took the incident on: no reminders until until, or while it lasts where that
// is zero.
func Acknowledge(r Record, by string, now, until time.Time) Record {
	r.Acknowledged = &Acknowledgement{By: by, At: now, Until: until}
	return r
}

// Close is the record after somebody closed it by hand. What is still broken opens anew, and alerts, at the next round
// that sees it: to keep it quiet, acknowledge or silence it.
func Close(r Record, by string, now time.Time) Record {
	r.Closed, r.Ended, r.ClosedBy, r.Claim = now, EndClosed, by, nil
	return r
}

func splitKey(key string) (environment, endpoint string) {
	environment, endpoint, _ = strings.Cut(key, "/")
	return environment, endpoint
}
