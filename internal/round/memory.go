package round

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"certdrift/internal/incident"
)

// Memory keeps incidents in memory: for the command line, the demo and tests, and for a function without a table. It
// holds to the same conditions as the table.
type Memory struct {
	mu        sync.Mutex
	incidents map[string]incident.Record
	counters  map[string]incident.Counter
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{incidents: map[string]incident.Record{}, counters: map[string]incident.Counter{}}
}

// Load returns everything, sorted by key.
func (m *Memory) Load(context.Context) (incident.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sorted(m.incidents, m.counters), nil
}

// SaveIncident writes a record if the stored version is still the record's, and increments it. It returns false if somebody
// else wrote first.
func (m *Memory) SaveIncident(_ context.Context, r incident.Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.incidents[r.Key].Version != r.Version {
		return false, nil
	}
	r.Version++
	m.incidents[r.Key] = r
	return true, nil
}

// SaveCounter writes a counter on the same condition.
func (m *Memory) SaveCounter(_ context.Context, c incident.Counter) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counters[c.Key].Version != c.Version {
		return false, nil
	}
	c.Version++
	m.counters[c.Key] = c
	return true, nil
}

// sorted returns items as a state, sorted by key.
func sorted(incidents map[string]incident.Record, counters map[string]incident.Counter) incident.State {
	return incident.State{
		Incidents: slices.SortedFunc(maps.Values(incidents), func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) }),
		Counters:  slices.SortedFunc(maps.Values(counters), func(a, b incident.Counter) int { return strings.Compare(a.Key, b.Key) }),
	}
}
