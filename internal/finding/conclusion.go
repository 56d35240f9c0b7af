package finding

import "certdrift/internal/observation"

// Conclusion is the result of a round.
type Conclusion struct {
	// Findings are in Sort's order.
	Findings []Finding
	// Ran is false if some checks could not be run. Complete is false then, too, and where manifests hold what certdrift did not
	// understand: nothing compared it.
	Ran, Complete bool
	// Changes are the round's changes, each with its status.
	Changes []ChangeStatus
}

// Agreement is how a change compares with what is declared.
type Agreement string

// The agreements. Undeclared: nothing declares a certificate for its listeners. Gone: none of its listeners exists, and
// nothing declares them.
const (
	Agrees     Agreement = "agrees"
	Differs    Agreement = "differs"
	Undeclared Agreement = "undeclared"
	Gone       Agreement = "gone"
)

// ChangeStatus is a change that an event or CloudTrail reported, and how it compares with what is declared. A change that
// agrees is not a finding, but is worth recording.
type ChangeStatus struct {
	observation.Change
	Agreement Agreement
	// Listeners are the listeners that the change affects, NAME:PORT; Codes are those of the findings about them. Both are
	// sorted.
	Listeners []string
	Codes     []Code
}
