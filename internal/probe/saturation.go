package probe

import (
	"runtime/metrics"
	"sync"
	"time"
)

// queued is from how long on in the queue for a processor counts as waiting for this machine and not for a server.
const queued = 100 * time.Millisecond

// saturation is whether this process has more to compute than its share of the processor allows. A function with 256 MB has a seventh of one.
type saturation struct {
	mu     sync.Mutex
	read   time.Time
	counts []uint64 // what the runtime had counted then
	is     bool
}

// now reports whether half of all goroutines that went on since the last reading had been ready for longer than queued. It reads at most every 50 ms.
func (s *saturation) now() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) < brief {
		return s.is
	}
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return false // a runtime that does not count them
	}
	h := sample[0].Value.Float64Histogram()
	var all, long uint64
	for i, n := range h.Counts {
		if s.counts != nil {
			n -= s.counts[i]
		}
		all += n
		if h.Buckets[i] >= queued.Seconds() {
			long += n
		}
	}
	s.counts = append(s.counts[:0], h.Counts...)
	s.read, s.is = time.Now(), 2*long > all
	return s.is
}
