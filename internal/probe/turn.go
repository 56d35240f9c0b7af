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
	next string          // the key of the one that the last round had no time for; empty: the first
	long map[string]bool // the keys of those that failed in the last round, or took long
}

// takesLong is from when on an endpoint is begun early: its wait then overlaps with the checks of all others.
const takesLong = time.Second

// order returns the indices of endpoints in the order to begin them: first those that may take long, at most some, since they must not
// take every place either; then the others, from the one on that the last round had no time for.
func (t *turn) order(endpoints []target.Endpoint, most int) []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := max(0, slices.IndexFunc(endpoints, func(e target.Endpoint) bool { return e.Key() == t.next }))
	var early, rest []int
	for i := range endpoints {
		at := (first + i) % len(endpoints)
		if t.long[endpoints[at].Key()] && len(early) < most {
			early = append(early, at)
		} else {
			rest = append(rest, at)
		}
	}
	return append(early, rest...)
}

// over records what a round was like. The next one begins with the first endpoint that this one did not finish, of those after its head:
// those at its head had all of its time, and must not begin the next round too if they never finish.
func (t *turn) over(seen []observation.Endpoint, order []int, head int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.long == nil {
		t.long = map[string]bool{}
	}
	for _, e := range seen { // a round that an event narrowed may not have included all
		delete(t.long, e.Target.Key())
		if long(e) {
			t.long[e.Target.Key()] = true
		}
		if e.Target.Key() == t.next {
			t.next = ""
		}
	}
	for _, i := range order[min(head, len(order)):] {
		if e := seen[i]; !e.Probed {
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
