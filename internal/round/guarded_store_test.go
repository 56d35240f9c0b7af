package round

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/incident"
)

// mute is a store that never answers a write.
type mute struct {
	*Memory
	asked int
}

func (s *mute) SaveIncident(ctx context.Context, _ incident.Record) (bool, error) {
	s.asked++
	<-ctx.Done()
	return false, ctx.Err()
}

// TestAStoreThatHangsIsAskedOnce: it is left alone for the rest of the round. That the caller's own time was over says nothing about it.
func TestAStoreThatHangsIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &mute{Memory: NewMemory()}
		g := &guardedStore{store: store}
		short, cancel := context.WithTimeout(t.Context(), saveTime/2)
		defer cancel()
		if _, err := g.SaveIncident(short, incident.Record{}); errors.Is(err, errHung) || g.hangs.Load() {
			t.Errorf("the caller's time was over: %v", err)
		}
		for _, want := range []error{context.DeadlineExceeded, errHung, errHung} {
			began := time.Now()
			_, err := g.SaveIncident(t.Context(), incident.Record{})
			if !errors.Is(err, want) || time.Since(began) > saveTime {
				t.Errorf("%v after %s, want %v", err, time.Since(began), want)
			}
		}
		if _, err := g.Load(t.Context()); !errors.Is(err, errHung) {
			t.Errorf("reading: %v", err)
		}
		if store.asked != 2 {
			t.Errorf("asked %d times, want 2", store.asked)
		}
	})
}
