package finding

import "certdrift/internal/observation"

// Conclusion is what a round comes to.
type Conclusion struct {
	// Findings are in Sort's order.
	Findings []Finding
	// Complete is false where certdrift could not see or judge all it should.
	Complete bool
	// Changes are the round's, each with what it means.
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
// agrees is no finding, but worth a record.
type ChangeStatus struct {
	observation.Change
	Agreement Agreement
	// Listeners are those that the change concerns, NAME:PORT; Codes are the findings about them. Both are sorted.
	Listeners []string
	Codes     []Code
}
