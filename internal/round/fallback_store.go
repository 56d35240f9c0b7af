package round

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"certdrift/internal/incident"
)

// fallbackStore is what this process remembers of incidents that the store could not take. It stands in while the store is
// out, so that a dead table neither alerts every minute nor keeps a fault that wants confirming from ever opening. A cold
// start forgets it: an alert is repeated then.
type fallbackStore struct {
	mu      sync.Mutex
	records map[string]incident.Record
	err     error // of the last write
}

// keep remembers a record that could not be written; err is why, nil where nothing could be read either.
func (s *fallbackStore) keep(r incident.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		s.records = map[string]incident.Record{}
	}
	s.records[r.Key] = r
	if err != nil {
		s.err = err
	}
}

// written forgets a record that the store has taken.
func (s *fallbackStore) written(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, key)
	s.err = nil
}

// holds reports whether a record is remembered.
func (s *fallbackStore) holds(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.records[key]
	return ok
}

// failed is why the last write failed; nil where it went through.
func (s *fallbackStore) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// all are the records remembered, sorted by key; nil where there are none.
func (s *fallbackStore) all() []incident.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.records), func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) })
}

// over lays what is remembered over what the store holds. Where the store has gone on, or has let an incident end, its word
// goes. What it never showed stays, be it that an item is there which cannot be read.
func (s *fallbackStore) over(stored []incident.Record) []incident.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{}
	for i, r := range stored {
		known[r.Key] = true
		if mine, ok := s.records[r.Key]; ok && mine.Version == r.Version {
			stored[i] = mine
		} else {
			delete(s.records, r.Key)
		}
	}
	for key, r := range s.records {
		switch {
		case known[key]:
		case r.Version == 0:
			stored = append(stored, r)
		default:
			delete(s.records, key)
		}
	}
	if len(s.records) == 0 {
		s.err = nil
	}
	slices.SortFunc(stored, func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) })
	return stored
}
