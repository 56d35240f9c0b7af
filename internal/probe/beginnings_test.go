package probe

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// free is how many checks could begin.
func free(b *beginnings) (n int) {
	for ; ; n++ {
		select {
		case b.places <- struct{}{}:
			defer b.give()
		default:
			return n
		}
	}
}

func TestBeginningsFollowTheQueue(t *testing.T) {
	var wait time.Duration
	b := newBeginnings(maxActive, func() time.Duration { return wait })
	step := func(queue time.Duration, want int) {
		t.Helper()
		wait = queue
		b.adapt()
		if got := free(b); got != want || b.hadNoTime() != (queue >= longQueue) {
			t.Errorf("a queue of %v: %d may begin, want %d; no time: %v", queue, got, want, b.hadNoTime())
		}
	}
	if got := free(b); got != firstActive {
		t.Errorf("%d may begin at first", got)
	}
	for _, want := range []int{16, 32, 64, 64} {
		step(0, want)
	}
	step(shortQueue+1, 64)
	for _, want := range []int{32, 16, 8, 4, 4} {
		step(longQueue, want)
	}
	step(longQueue-1, 4)
	step(shortQueue, 8)
	if got := free(newBeginnings(1, idle)); got != 1 {
		t.Errorf("%d of at most 1 may begin", got)
	}
}

// Places of checks that have begun are closed as they are given up.
func TestBeginningsCloseLater(t *testing.T) {
	wait := time.Duration(0)
	b := newBeginnings(16, func() time.Duration { return wait })
	b.adapt()
	for range 16 {
		b.places <- struct{}{}
	}
	wait = longQueue
	b.adapt()
	b.adapt() // 4 remain
	for n := range 12 {
		if b.give(); free(b) != 0 {
			t.Fatalf("a check may begin beside %d", 15-n)
		}
	}
	for n := range 4 {
		if b.give(); free(b) != n+1 {
			t.Errorf("%d may begin beside %d", free(b), 3-n)
		}
	}
}

// TestACrowdedProcessBeginsNoMore: as long as this process has no time for what it has begun, it begins nothing else. Then silent servers make room again.
func TestACrowdedProcessBeginsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int32
		network := pipes{"2000": func(conn net.Conn) {
			begun.Add(1)
			certtest.Silent(conn)
		}}
		var endpoints []target.Endpoint
		for i := range 4 * maxActive {
			endpoints = append(endpoints, at(t, target.TLS, "127.0.0.1:2000", timeout(5*time.Second), func(e *target.Endpoint) { e.Environment, e.Name = "e", fmt.Sprint(i) }))
		}
		p := New(Options{Now: time.Now, Dialer: network.dial})
		start := time.Now()
		p.active.queue = func() time.Duration {
			if time.Since(start) < time.Second {
				return longQueue
			}
			return 0
		}
		// In the second round, the first to begin are taken for silent just before the process is found to be crowded.
		for round, most := range []int32{firstActive, 3 * maxActive} {
			begun.Store(0)
			start = time.Now()
			go func() {
				time.Sleep(time.Second - time.Millisecond)
				if n := begun.Load(); n > most {
					t.Errorf("round %d: %d were begun in a crowded process", round, n)
				}
			}()
			for _, e := range p.Probe(t.Context(), endpoints) {
				failed(t, one(t, e), observation.PhaseTLS, observation.TimedOut)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("round %d took %v", round, took)
			}
		}
	})
}

// TestSilentServersOfACrowdedProcess: where this process never has time, silent servers keep their places for a second, not for their timeout.
func TestSilentServersOfACrowdedProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var endpoints []target.Endpoint
		for i := range 10 * minActive {
			endpoints = append(endpoints, at(t, target.TLS, "127.0.0.1:2000", timeout(30*time.Second), func(e *target.Endpoint) { e.Environment, e.Name = "e", fmt.Sprint(i) }))
		}
		p := New(Options{Now: time.Now, Dialer: pipes{"2000": certtest.Silent}.dial})
		p.active.queue = func() time.Duration { return longQueue }
		start := time.Now()
		for _, e := range p.Probe(t.Context(), endpoints) {
			failed(t, one(t, e), observation.PhaseTLS, observation.TimedOut)
		}
		if took := time.Since(start); took > 45*time.Second {
			t.Errorf("the round took %v", took)
		}
	})
}

// TestRunQueue: goroutines that are ready wait for the one processor there is. The measure is the runtime's, so the test makes a queue.
func TestRunQueue(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var q runQueue
	for range 20 {
		q.median()
		var group sync.WaitGroup
		for range 200 {
			group.Go(func() {
				for end := time.Now().Add(time.Millisecond); time.Now().Before(end); {
				}
			})
		}
		group.Wait()
		if wait := q.median(); wait >= longQueue {
			return
		}
	}
	t.Error("200 goroutines computed for a millisecond each on one processor, and none waited")
}
