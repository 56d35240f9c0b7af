package probe

import (
	"context"
	"runtime/metrics"
	"sync"
	"time"
)

// How many checks may have just begun depends on how long what is ready in this process waits for a processor. With too many, certdrift would time
// its own queue: a function with 256 MB has a seventh of a processor, on which 64 handshakes at a time take most of a second each.
const (
	maxActive   = 64 // more would bring nothing
	firstActive = 8  // until more is known
	minActive   = 4
	longQueue   = 20 * time.Millisecond // half as many from here on
	shortQueue  = 5 * time.Millisecond  // twice as many up to here
	// adaptEvery is how often that is decided.
	adaptEvery = 50 * time.Millisecond
)

// beginnings bounds the checks that have just begun. It is safe for concurrent use.
type beginnings struct {
	places chan struct{} // holds one for each of these checks, and one for each place that is closed
	queue  func() time.Duration

	mu           sync.Mutex // guards what follows
	open, closed int
	crowded      bool
}

// newBeginnings returns those of at most so many checks; queue returns how long what became ready since the last call waited for a processor.
func newBeginnings(most int, queue func() time.Duration) *beginnings {
	b := &beginnings{places: make(chan struct{}, most), queue: queue, open: min(firstActive, most)}
	for b.closed < most-b.open {
		b.places <- struct{}{}
		b.closed++
	}
	return b
}

// give gives up a check's place.
func (b *beginnings) give() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed < cap(b.places)-b.open {
		b.closed++
	} else {
		<-b.places
	}
}

// hadNoTime reports whether checks that are not over may have waited for this process and not for their servers.
func (b *beginnings) hadNoTime() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.crowded
}

// adapt decides how many places there are.
func (b *beginnings) adapt() {
	wait := b.queue()
	b.mu.Lock()
	defer b.mu.Unlock()
	most := cap(b.places)
	switch b.crowded = wait >= longQueue; {
	case b.crowded:
		b.open = max(b.open/2, min(minActive, most))
	case wait <= shortQueue:
		b.open = min(2*b.open, most)
	}
	for b.closed > most-b.open {
		<-b.places
		b.closed--
	}
	for b.closed < most-b.open {
		select {
		case b.places <- struct{}{}:
			b.closed++
		default:
			return // the others are closed as they are given up
		}
	}
}

// keepAdapting adapts until ctx ends.
func (b *beginnings) keepAdapting(ctx context.Context) {
	every := time.NewTicker(adaptEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			b.adapt()
		}
	}
}

// runQueue is how long goroutines that are ready wait for a processor, as the runtime counts it.
type runQueue struct {
	mu     sync.Mutex
	counts []uint64 // at the last reading
}

// median returns the median wait since the last call; 0 if nothing waited, or it is not known.
func (q *runQueue) median() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0 // a runtime that does not count it
	}
	h := sample[0].Value.Float64Histogram()
	since, all := make([]uint64, len(h.Counts)), uint64(0)
	for i, n := range h.Counts {
		if q.counts != nil {
			n -= q.counts[i]
		}
		since[i] = n
		all += n
	}
	q.counts = h.Counts
	var so uint64
	for i, n := range since {
		if so += n; 2*so > all {
			return time.Duration(max(0, h.Buckets[i]) * float64(time.Second)) // the first bucket begins at minus infinity
		}
	}
	return 0
}
