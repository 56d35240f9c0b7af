package round

import (
	"sync"

	"certdrift/internal/incident"
)

// fallbackStore is what this process remembers of the state that the store could not take. It stands in while the store is
// out, so that a dead table neither alerts every minute nor keeps a fault that wants confirming from ever opening. A cold
// start forgets it: an alert is repeated then.
type fallbackStore struct {
	mu        sync.Mutex
	incidents map[string]incident.Record
	counters  map[string]incident.Counter
	// claims are the last ones of this process, by key, until the store has taken what became of the notice. One that it could
	// not take, as far as this process knows, it may have taken and failed to say so.
	claims map[string][]incident.Claim
	// last is the state after the last round, by which this process goes where none can be read.
	last incident.State
}

// maxClaims bounds what is remembered of an incident's claims: older ones have run out.
const maxClaims = 10

// claim remembers that a notice is claimed.
func (f *fallbackStore) claim(n incident.Notice) {
	if n.Record.Claim == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claims == nil {
		f.claims = map[string][]incident.Claim{}
	}
	claims := f.claims[n.Record.Key]
	f.claims[n.Record.Key] = append(claims[max(0, len(claims)-maxClaims):], *n.Record.Claim)
}

// dropClaims forgets an incident's claims: the store has taken what became of the notice.
func (f *fallbackStore) dropClaims(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.claims, key)
}

func (f *fallbackStore) setLast(s incident.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = s
}

func (f *fallbackStore) lastState() incident.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// keep remembers what could not be written.
func (f *fallbackStore) keep(items incident.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.incidents == nil {
		f.incidents, f.counters = map[string]incident.Record{}, map[string]incident.Counter{}
	}
	for _, r := range items.Incidents {
		f.incidents[r.Key] = r
	}
	for _, c := range items.Counters {
		f.counters[c.Key] = c
	}
}

// forget forgets what the store has taken.
func (f *fallbackStore) forget(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(key)
}

func (f *fallbackStore) drop(key string) {
	delete(f.incidents, key)
	delete(f.counters, key)
}

// all is what is remembered, sorted by key.
func (f *fallbackStore) all() incident.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sorted(f.incidents, f.counters)
}

// over lays what is remembered over what the store holds. Where the store has gone on, its word goes, but for notices that
// were delivered or are owed (see incident.Reconcile). What it never showed stays: an item may be there that cannot be
// read. What it has let end is forgotten.
func (f *fallbackStore) over(stored incident.State) incident.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := map[string]bool{}
	for i, r := range stored.Incidents {
		known[r.Key] = true
		mine, ok := f.incidents[r.Key]
		if !ok {
			continue
		}
		if mine.Version != r.Version {
			var changed bool
			if mine, changed = incident.Reconcile(r, mine, f.claims[r.Key]); !changed {
				f.drop(r.Key)
				continue
			}
			f.incidents[r.Key] = mine
		}
		stored.Incidents[i] = mine
	}
	for i, c := range stored.Counters {
		known[c.Key] = true
		if mine, ok := f.counters[c.Key]; ok && mine.Version == c.Version {
			stored.Counters[i] = mine
		} else {
			f.drop(c.Key)
		}
	}
	for key, r := range f.incidents {
		if !known[key] && r.Version == 0 {
			stored.Incidents = append(stored.Incidents, r)
		} else if !known[key] {
			f.drop(key)
		}
	}
	for key, c := range f.counters {
		if !known[key] && c.Version == 0 {
			stored.Counters = append(stored.Counters, c)
		} else if !known[key] {
			f.drop(key)
		}
	}
	return stored
}
