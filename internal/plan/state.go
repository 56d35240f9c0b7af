package plan

// State is what a row comes to, in a word: its verdict, and where that speaks for applying, what would change.
type State string

// The states, worst first. AsDeclared and Covered are rows that pass although nobody looked up what is attached: it was compared
// with what the configuration declares, or with the names that clients ask for.
const (
	Refused       State = "refused"
	NotDecided    State = "undecided"
	WithWarning   State = "warning"
	Removes       State = "removed"
	Changes       State = "changed"
	New           State = "new"
	AsDeclared    State = "as-declared"
	CoversItsName State = "covered"
	Unchanged     State = "unchanged"
)

// States are all states, worst first.
func States() []State {
	return []State{Refused, NotDecided, WithWarning, Removes, Changes, New, AsDeclared, CoversItsName, Unchanged}
}

// state is what the row's verdict, action and declaration come to.
func (r Row) state() State {
	switch r.Verdict {
	case Refuse:
		return Refused
	case Undecided:
		return NotDecided
	case Warn:
		return WithWarning
	}
	switch r.Action {
	case Keep:
		return Unchanged
	case Change:
		return Changes
	case Create:
		return New
	case Remove:
		return Removes
	}
	if len(r.Declared) > 0 {
		return AsDeclared
	}
	return CoversItsName
}

// Count is how many rows there are, of each state. Others are those about objects that were not understood.
type Count struct {
	Listeners, Others int
	ByState           map[State]int
}

// CountRows counts rows. Whatever shows a number of a plan has it from here.
func CountRows(rows []Row) Count {
	c := Count{ByState: map[State]int{}}
	for _, r := range rows {
		c.ByState[r.State]++
		if r.NotRead {
			c.Others++
		} else {
			c.Listeners++
		}
	}
	return c
}
