package topology

import "certdrift/internal/observation"

// State is whether a fact is known.
type State int

// The states. Unknown is the zero value: what nobody established is not known. Absent is knowledge, too: a round saw
// enough to say that there is none.
const (
	Unknown State = iota
	Known
	Absent
)

// Reason is why a fact is unknown.
type Reason string

// The reasons.
const (
	Denied     Reason = "denied"       // a permission is missing
	Throttled  Reason = "throttled"    // AWS turned the call down for now
	Incomplete Reason = "incomplete"   // the round ran out of time, or a call failed
	NotProbed  Reason = "not-probed"   // the endpoint was not probed, or no handshake completed
	NotRead    Reason = "not-read"     // the round did not ask AWS, or not about this
	NotPlaced  Reason = "not-placed"   // nothing says which listener the endpoint is behind
	Ambiguous  Reason = "ambiguous"    // several load balancers fit
	Unreadable Reason = "unreadable"   // the record exists, and its certificate could not be read
	Scoped     Reason = "out-of-scope" // the round was restricted to other load balancers
)

// Fact is something that a round may know.
type Fact[T any] struct {
	// Value is the zero value unless State is Known.
	Value T
	State State
	// Why is set where State is Unknown.
	Why Reason
}

func known[T any](value T) Fact[T]      { return Fact[T]{Value: value, State: Known} }
func absent[T any]() Fact[T]            { return Fact[T]{State: Absent} }
func unknown[T any](why Reason) Fact[T] { return Fact[T]{State: Unknown, Why: why} }

// Known reports whether the fact was observed and is there.
func (f Fact[T]) Known() bool { return f.State == Known }

func reasonOf(t observation.ObserveError) Reason {
	switch t.Kind {
	case observation.Denied:
		return Denied
	case observation.Throttled:
		return Throttled
	}
	return Incomplete
}
