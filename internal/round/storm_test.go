package round

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
)

// slowTable takes its time for each page of items that it gives, and for each item that it takes.
type slowTable struct {
	*Memory
	read, write time.Duration
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 { // a timer that is due at once crashes Go's runtime now and then, in a bubble under the race detector
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowTable) Load(ctx context.Context) (incident.State, error) {
	loaded, err := s.Memory.Load(ctx)
	if err == nil {
		err = pause(ctx, s.read*pages(len(loaded.Incidents)))
	}
	return loaded, err
}

func (s *slowTable) SaveIncident(ctx context.Context, r incident.Record) (bool, error) {
	if err := pause(ctx, s.write); err != nil {
		return false, err
	}
	return s.Memory.SaveIncident(ctx, r)
}

func (s *slowTable) SaveCounter(ctx context.Context, c incident.Counter) (bool, error) {
	if err := pause(ctx, s.write); err != nil {
		return false, err
	}
	return s.Memory.SaveCounter(ctx, c)
}

// storm is an outage of many endpoints, each with a critical incident of its own, with a slow table behind the rounds.
type storm struct {
	*fixture
	began time.Time
	table *slowTable
	// opened is how often each incident was reported as opened.
	opened map[string]int
	// messages is how many were sent about them, and unread how many rounds could not read the table.
	messages, unread int
}

// lambdaTime is the time-out of the probe function.
const lambdaTime = 55 * time.Second

func newStorm(t *testing.T, endpoints int, read, write time.Duration) *storm {
	t.Helper()
	s := &storm{
		fixture: texting(t, 20, endpoints), began: time.Now(), opened: map[string]int{},
		table: &slowTable{NewMemory(), read, write},
	}
	s.request.Config.Incidents.StormAfter, s.request.Config.Incidents.Confirm = 10, 1
	for i := range endpoints {
		s.fail(fmt.Sprint("e", i), refusing())
	}
	s.cold()
	return s
}

// cold is a cold start: the process forgets all.
func (s *storm) cold() {
	base := s.now
	now := func() time.Time { return base.Add(time.Since(s.began)) }
	s.runner.Now = now
	s.runner.Publisher = &Publisher{Now: now, Store: s.table, Messengers: []messenger{s.topic}, Gauge: s.figures, Function: "probe", By: "test"}
	s.runner.Publisher.OnSent = func(n incident.Notice, _ alert.Message) {
		if n.Record.Environment == "" {
			return // that the table is slow
		}
		s.messages++
		for _, each := range n.Each() {
			s.opened[each.Record.Key]++
		}
	}
}

// round runs one, as the schedule starts it every minute, and returns when its first message went out.
func (s *storm) round(t *testing.T) (first time.Duration) {
	t.Helper()
	start := time.Now()
	onSent := s.runner.Publisher.OnSent
	first = -1
	s.runner.Publisher.OnSent = func(n incident.Notice, m alert.Message) {
		if first < 0 {
			first = time.Since(start)
		}
		onSent(n, m)
	}
	defer func() { s.runner.Publisher.OnSent = onSent }()
	ctx, cancel := context.WithTimeout(t.Context(), lambdaTime)
	defer cancel()
	res, _ := s.runner.Run(ctx, s.request)
	if slices.ContainsFunc(res.Round.ObserveErrors, func(e observation.ObserveError) bool { return e.Operation == "dynamodb:Scan" }) {
		s.unread++
	}
	if took := time.Since(start); took > lambdaTime {
		t.Errorf("the round took %s of %s", took, lambdaTime)
	}
	time.Sleep(time.Minute - time.Since(start))
	return first
}

// pages is how many pages the items of a table are.
func pages(items int) time.Duration { return time.Duration(1 + items/300) }

// TestAStormWithASlowTable: however slow the table, everyone is notified when half of the first round's time is gone at
// the latest; nobody is notified twice by a process that remembers; what one round has to write does not keep the next one
// from reading; and all of it reaches the table in the end.
func TestAStormWithASlowTable(t *testing.T) {
	for i, c := range []struct {
		endpoints   int
		read, write time.Duration
	}{
		{300, 0, 0}, {300, time.Second, 150 * time.Millisecond}, {300, time.Second, time.Second}, {300, 5 * time.Second, time.Second},
		{300, 0, 30 * time.Second}, {300, 30 * time.Second, 0}, {300, 30 * time.Second, 30 * time.Second},
		{2000 / Raced, time.Second, 150 * time.Millisecond}, {2000 / Raced, time.Second, time.Second}, {2000 / Raced, 5 * time.Second, time.Second},
	} {
		if Raced > 1 && i%3 > 0 {
			continue
		}
		t.Run(fmt.Sprintf("%d incidents, +%s a write, +%s a page read", c.endpoints, c.write, c.read), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStorm(t, c.endpoints, c.read, c.write)
				first := s.round(t)
				if first < 0 || first > lambdaTime/2 {
					t.Errorf("the first message went out after %s", first)
				}
				if got := len(s.opened); got != c.endpoints || s.messages != 1 {
					t.Errorf("the first round reported %d of %d incidents in %d messages, want all in one summary", got, c.endpoints, s.messages)
				}
				for range 2 {
					s.round(t)
				}
				s.check(t, c.endpoints, c.read*pages(c.endpoints) < loadTime, c.write < saveTime)
			})
		})
	}
}

// check holds what the rounds came to against what a table that answers in time allows.
func (s *storm) check(t *testing.T, endpoints int, readable, writable bool) {
	t.Helper()
	for key, n := range s.opened {
		if n > 1 {
			t.Errorf("%q was reported %d times by a process that remembers it", key, n)
			break
		}
	}
	if readable && s.unread > 0 {
		t.Errorf("%d of three rounds could not read the table, which gives all of it in time", s.unread)
	}
	stored, err := s.table.Memory.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settled := 0
	for _, r := range stored.Incidents {
		if r.Open() && r.Claim == nil && r.Notified > 0 {
			settled++
		}
	}
	if readable && writable && settled < endpoints {
		t.Errorf("after three rounds the table has %d of %d incidents as they are", settled, endpoints)
	}
}

// TestAStormThatColdStartsFollow: what a round recorded in a slow table no cold start repeats.
func TestAStormThatColdStartsFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorm(t, 300, time.Second, time.Second)
		for range 3 {
			s.round(t)
			s.cold()
		}
		for key, n := range s.opened {
			if n != 1 || len(s.opened) != 300 {
				t.Fatalf("%d incidents were reported, %q of them %d times", len(s.opened), key, n)
			}
		}
	})
}

// TestATopicThatIsDownInAStorm: everyone is notified by the first round that the topic takes a message of.
func TestATopicThatIsDownInAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorm(t, 300, 0, time.Second)
		s.topic.down = true
		s.round(t)
		s.topic.down = false
		s.round(t)
		if len(s.opened) != 300 {
			t.Errorf("%d of 300 incidents were reported", len(s.opened))
		}
	})
}

// TestAStormAtTheEndOfARound: half of all endpoints hang, so that little of the round's time is left; the table is slow. All are
// reported all the same, and the figures are put.
func TestAStormAtTheEndOfARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorm(t, 300, time.Second, time.Second)
		s.runner.Prober = hanging{s.probes}
		first := s.round(t)
		if len(s.opened) != 300 || first < 0 {
			t.Errorf("%d of 300 incidents were reported, first after %s", len(s.opened), first)
		}
		if !s.figures.has(metric.Heartbeat) {
			t.Error("no figures were put")
		}
	})
}
