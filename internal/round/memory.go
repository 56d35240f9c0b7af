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
	mu      sync.Mutex
	records map[string]incident.Record
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{records: map[string]incident.Record{}} }

// Load returns all records, sorted by key.
func (m *Memory) Load(context.Context) ([]incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.records), func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) }), nil
}

// Save writes a record if the stored version is still the record's, and increments it. It returns false if somebody else
// wrote first.
func (m *Memory) Save(_ context.Context, r incident.Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[r.Key].Version != r.Version {
		return false, nil
	}
	r.Version++
	m.records[r.Key] = r
	return true, nil
}
