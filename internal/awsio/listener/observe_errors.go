package listener

import (
	"fmt"
	"slices"
	"sync"

	"certdrift/internal/observation"
)

// maxListed is how many resources that fail for one reason are named one by one; more become one ObserveError.
const maxListed = 3

// notes collects observe errors.
type notes struct {
	mu    sync.Mutex
	taken []observation.ObserveError
}

func (n *notes) add(t observation.ObserveError) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken = append(n.taken, t)
}

// all returns the observe errors, sorted and without duplicates. One missing permission makes one error, not two thousand.
func (n *notes) all() []observation.ObserveError {
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.SortFunc(n.taken, compareErrors)
	taken := slices.CompactFunc(n.taken, func(a, b observation.ObserveError) bool { return sameReason(a, b) && a.Resource == b.Resource })
	var out []observation.ObserveError
	for len(taken) > 0 {
		end := slices.IndexFunc(taken, func(t observation.ObserveError) bool { return !sameReason(t, taken[0]) })
		if end < 0 {
			end = len(taken)
		}
		if end > maxListed {
			t := taken[0]
			t.Detail = fmt.Sprintf("%s (at %s and %d more)", t.Detail, t.Resource, end-1)
			t.Resource = ""
			out = append(out, t)
		} else {
			out = append(out, taken[:end]...)
		}
		taken = taken[end:]
	}
	return out
}

func sameReason(a, b observation.ObserveError) bool {
	return a.Kind == b.Kind && a.Operation == b.Operation && a.Region == b.Region && a.Account == b.Account
}

func compareErrors(a, b observation.ObserveError) int {
	return compareAll(a.Account, b.Account, a.Region, b.Region, a.Operation, b.Operation, string(a.Kind), string(b.Kind),
		a.Resource, b.Resource, a.Detail, b.Detail)
}
