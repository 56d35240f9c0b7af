// Package incident turns findings into incidents: state, findings and now in; the next state and notices out. It is
// pure. One incident stands for one cause, not for one endpoint.
package incident

import "time"

// Policy is what the operator decides about alerts.
type Policy struct {
	// Confirm is how many rounds in a row an endpoint's finding must hold before its incident opens; drift and what is
	// certain open at once.
	Confirm int
	// Remind is the distance of the first reminder; later ones come at growing distances.
	Remind   time.Duration
	Silences []Silence
}

// Silence mutes notices of incidents that match, until it ends. What is silenced is still counted and shown.
type Silence struct {
	Environment, Endpoint, Code string // patterns as in path.Match; empty matches all
	Until                       time.Time
	Reason                      string
}
