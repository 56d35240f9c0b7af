package incident

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"certdrift/internal/finding"
)

var errConflict = errors.New("version conflict")

// fataler is what the table needs of a test, or of a property test.
type fataler interface {
	Fatalf(format string, args ...any)
}

// table stands in for DynamoDB: JSON items, written on the condition of their version. What an unchanged item reads as is
// remembered, since Advance changes no record that it is given (TestAdvanceIsPure) and decoding is what a month costs.
type table struct {
	mu    sync.Mutex
	items map[string][]byte
	read  map[string]Record
}

func newTable() *table { return &table{items: map[string][]byte{}, read: map[string]Record{}} }

func (s *table) load(t fataler) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := []Record{}
	for _, key := range slices.Sorted(maps.Keys(s.items)) {
		r, ok := s.read[key]
		if !ok {
			r = decode(t, s.items[key])
			s.read[key] = r
		}
		records = append(records, r)
	}
	return records
}

func (s *table) save(t fataler, r Record) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := int64(0)
	if item, ok := s.items[r.Key]; ok {
		stored = decode(t, item).Version
	}
	if stored != r.Version {
		return r, errConflict
	}
	r.Version++
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatalf("marshalling %q: %v", r.Key, err)
	}
	s.items[r.Key] = text
	delete(s.read, r.Key)
	return r, nil
}

func (s *table) get(t fataler, key string) Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decode(t, s.items[key])
}

func decode(t fataler, item []byte) Record {
	var r Record
	if err := json.Unmarshal(item, &r); err != nil {
		t.Fatalf("reading an item: %v", err)
	}
	return r
}

// fate is what happens to a round after it wrote its claims.
type fate int

const (
	lives      fate = iota
	crashes         // dies before it sends
	crashesOut      // dies after it sent and before it wrote so
	fails           // cannot send
)

// run is a round's tracking by the package's protocol. It returns the single notices that went out.
func (s *table) run(t fataler, in Input, end fate) []Notice {
	var won []Notice
	taken := map[string]bool{}
	for range 100 {
		in.Records = s.load(t)
		changed, notices := Advance(in)
		conflict := false
		for _, r := range changed {
			saved, err := s.save(t, r)
			if err != nil {
				conflict = true
				continue
			}
			for _, n := range notices {
				if n.Record.Key == r.Key && !taken[r.Key] {
					taken[r.Key] = true
					n.Record = saved
					won = append(won, n)
				}
			}
		}
		if !conflict {
			break
		}
	}
	if end == crashes {
		return nil
	}
	if end == crashesOut {
		return won
	}
	for _, n := range won {
		for range 100 {
			r := s.get(t, n.Record.Key)
			if end == fails {
				r = Released(r, n, false)
			} else {
				r = Sent(r, n, in.Now)
			}
			if _, err := s.save(t, r); err == nil {
				break
			}
		}
	}
	if end == fails {
		return nil
	}
	return won
}

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) // a Monday

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// found is a finding at an endpoint of production.
func found(code finding.Code, severity finding.Severity, endpoint, cause string) finding.Finding {
	return finding.Finding{
		Code: code, Severity: severity, Environment: "production", Endpoint: endpoint, Cause: cause,
		Summary: string(code) + " at " + endpoint, Evidence: finding.Evidence{"n": 1},
	}
}

// full covers endpoints of production wholly, and all listeners given.
func full(endpoints []string, listeners ...string) Coverage {
	c := Coverage{Configured: map[string]bool{}, Endpoints: map[string]Depth{}, Listeners: map[string]bool{}, ListenersWhole: true, Full: true}
	for _, e := range endpoints {
		c.Configured["production/"+e] = true
		c.Endpoints["production/"+e] = Whole
	}
	for _, l := range listeners {
		c.Listeners[ListenerKey("111122223333", "us-west-2", l)] = true
	}
	return c
}

func events(ns []Notice) []Event {
	var out []Event
	for _, n := range ns {
		out = append(out, n.Event)
	}
	return out
}
