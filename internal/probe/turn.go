package probe

import (
	"slices"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// turn is the order in which the next round begins endpoints.
type turn struct {
	mu   sync.Mutex
	next string // the key of the one that the last round had no time for; empty: the first
	// long has the keys of those that failed in the last round, or took long, and whether they were silent until their timeout.
	long map[string]bool
}

// begin is an endpoint to begin, by its index. One that was silent in the last round is expected to be so again: it waits, and does not compute.
type begin struct {
	index  int
	silent bool
}

// takesLong is from when on an endpoint is begun early: its wait then overlaps with the checks of all others.
const takesLong = time.Second

// order returns endpoints in the order to begin them: first those that may take long, at most some, since they must not
// take every place either; then the others, from the one on that the last round had no time for.
func (t *turn) order(endpoints []target.Endpoint, most int) []begin {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := max(0, slices.IndexFunc(endpoints, func(e target.Endpoint) bool { return e.Key() == t.next }))
	var early, rest []begin
	for i := range endpoints {
		at := (first + i) % len(endpoints)
		if silent, long := t.long[endpoints[at].Key()]; long && len(early) < most {
			early = append(early, begin{at, silent})
		} else {
			rest = append(rest, begin{index: at})
		}
	}
	return append(early, rest...)
}

// over records what a round was like. The next one begins with the first endpoint that this one did not finish, of those after its head:
// those at its head had all of its time, and must not begin the next round too if they never finish.
func (t *turn) over(seen []observation.Endpoint, order []begin, head int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.long == nil {
		t.long = map[string]bool{}
	}
	for _, e := range seen { // a round that an event narrowed may not have included all
		delete(t.long, e.Target.Key())
		if long(e) {
			t.long[e.Target.Key()] = silent(e)
		}
		if e.Target.Key() == t.next {
			t.next = ""
		}
	}
	for _, b := range order[min(head, len(order)):] {
		if e := seen[b.index]; !e.Probed {
			t.next = e.Target.Key()
			return
		}
	}
}

// long reports whether an endpoint failed or took long.
func long(e observation.Endpoint) bool {
	return e.DNS.Failure != nil || e.DNS.Took >= takesLong || slices.ContainsFunc(e.Addresses, func(a observation.Address) bool {
		return a.Failure != nil || a.Phases.Total >= takesLong
	})
}

// silent reports whether every address of an endpoint let a connection or a handshake time out.
func silent(e observation.Endpoint) bool {
	return len(e.Addresses) > 0 && !slices.ContainsFunc(e.Addresses, func(a observation.Address) bool {
		return a.Failure == nil || a.Failure.Kind != observation.TimedOut || a.TLS != nil
	})
}
