package round

import (
	"context"
	"fmt"
	"sync"

	"certdrift/internal/incident"
)

// Store keeps the state that rounds share: incidents and counters. Load returns all of it. SaveIncident and SaveCounter
// write one item if the stored version is still the item's, and increment it. They return false if somebody else wrote first.
type Store interface {
	Load(ctx context.Context) (incident.State, error)
	SaveIncident(ctx context.Context, r incident.Record) (bool, error)
	SaveCounter(ctx context.Context, c incident.Counter) (bool, error)
}

const (
	// attempts bounds how often a change starts over because another writer was first.
	attempts = 5
	// writers is how many writes are under way at once: a slow table must not make a storm's incidents wait for each other.
	writers = 32
)

// Shared is the state of a store as one writer knows it. All writes to the store go through Swap.
type Shared struct {
	store    Store
	slots    chan struct{}
	fallback *fallbackStore // remembers what the store could not take

	mu        sync.Mutex // not held while the store is read or written
	incidents map[string]incident.Record
	counters  map[string]incident.Counter
	mine      map[string]bool // the keys that this writer has written
}

// Share returns the state of a store, as it was when it was loaded.
func Share(store Store, loaded incident.State) *Shared { return share(store, loaded, &fallbackStore{}) }

func share(store Store, loaded incident.State, fallback *fallbackStore) *Shared {
	s := &Shared{
		store: store, slots: make(chan struct{}, writers), fallback: fallback,
		incidents: make(map[string]incident.Record, len(loaded.Incidents)), counters: map[string]incident.Counter{},
		mine: map[string]bool{},
	}
	s.put(loaded)
	return s
}

// State returns what is known, sorted by key.
func (s *Shared) State() incident.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sorted(s.incidents, s.counters)
}

// Swap is the one compare-and-swap: it writes what change makes of the state, concurrently. Where another writer was first,
// it loads the state again and asks change again, which returns what is still to be written: nothing where the other
// has done it. written is called for each item as it is written, and once for each that could not be, with the reason; both
// functions are called one at a time. What could not be written is known to this writer all the same.
func (s *Shared) Swap(ctx context.Context, change func(incident.State) incident.State, written func(key string, err error)) {
	var mu sync.Mutex
	report := func(key string, err error) {
		mu.Lock()
		defer mu.Unlock()
		written(key, err)
	}
	why := fmt.Errorf("other rounds wrote first %d times", attempts)
	var lost incident.State
	for range attempts {
		mu.Lock()
		wanted := change(s.State())
		mu.Unlock()
		if lost = s.write(ctx, wanted, report); len(lost.Incidents)+len(lost.Counters) == 0 {
			return
		}
		loaded, err := s.store.Load(ctx)
		if err != nil {
			why = fmt.Errorf("reading the incidents again: %w", err)
			break
		}
		s.reload(loaded)
	}
	s.keep(lost)
	for _, key := range keys(lost) {
		report(key, why)
	}
}

// write writes items and returns those that another writer wrote first.
func (s *Shared) write(ctx context.Context, wanted incident.State, report func(string, error)) (lost incident.State) {
	var group sync.WaitGroup
	var mu sync.Mutex
	each := func(item incident.State, save func() (bool, error)) {
		group.Go(func() {
			won, err := s.inSlot(ctx, save)
			switch {
			case err != nil:
				s.keep(item)
			case won:
				s.wrote(item)
			default:
				mu.Lock()
				defer mu.Unlock()
				lost.Incidents, lost.Counters = append(lost.Incidents, item.Incidents...), append(lost.Counters, item.Counters...)
				return
			}
			report(keys(item)[0], err)
		})
	}
	for _, r := range wanted.Incidents {
		each(incident.State{Incidents: []incident.Record{r}}, func() (bool, error) { return s.store.SaveIncident(ctx, r) })
	}
	for _, c := range wanted.Counters {
		each(incident.State{Counters: []incident.Counter{c}}, func() (bool, error) { return s.store.SaveCounter(ctx, c) })
	}
	group.Wait()
	return lost
}

// inSlot saves when one of the writers is free. What has not begun when the time is over is not written.
func (s *Shared) inSlot(ctx context.Context, save func() (bool, error)) (bool, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("waiting for a turn to write: %w", err)
	}
	return save()
}

// put takes items into what is known.
func (s *Shared) put(items incident.State) {
	for _, r := range items.Incidents {
		s.incidents[r.Key] = r
	}
	for _, c := range items.Counters {
		s.counters[c.Key] = c
	}
}

// wrote takes items into what is known that the store has taken, as its next versions.
func (s *Shared) wrote(items incident.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range items.Incidents {
		items.Incidents[i].Version++
	}
	for i := range items.Counters {
		items.Counters[i].Version++
	}
	s.put(items)
	for _, key := range keys(items) {
		s.mine[key] = true
		s.fallback.forget(key)
	}
}

// keep takes items into what is known that the store has not taken.
func (s *Shared) keep(items incident.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(items)
	s.fallback.keep(items)
}

// reload replaces what is known, but for what this writer wrote after the store was read, or could not write.
func (s *Shared) reload(loaded incident.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := Share(nil, s.fallback.over(loaded))
	for key := range s.mine {
		if r := s.incidents[key]; r.Version > fresh.incidents[key].Version {
			fresh.incidents[key] = r
		}
		if c := s.counters[key]; c.Version > fresh.counters[key].Version {
			fresh.counters[key] = c
		}
	}
	s.incidents, s.counters = fresh.incidents, fresh.counters
}

func keys(items incident.State) []string {
	out := make([]string, 0, len(items.Incidents)+len(items.Counters))
	for _, r := range items.Incidents {
		out = append(out, r.Key)
	}
	for _, c := range items.Counters {
		out = append(out, c.Key)
	}
	return out
}
