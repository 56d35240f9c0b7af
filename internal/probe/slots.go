package probe

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what one round does at a time. Each connection takes a descriptor, of which Lambda gives a function 1,024. A name takes up to six, as
// the questions for both address families and for the canonical name are asked side by side and again apart.
const (
	maxLookups = 48 // names that are looked up
	maxFetches = 48 // documents that certificates point at
	// otherDescriptors are those of the AWS SDK's connections, files and the runtime.
	otherDescriptors = 48
	// maxConnections bounds the connections to endpoints by the memory that they take, about 40 KiB each while they wait.
	maxConnections = 2048
)

// connections returns how many connections to endpoints may be open, given how many descriptors there are: 576 in Lambda.
func connections(descriptors uint64) int {
	rest := 6*maxLookups + maxFetches + maxFruitlessLooks + otherDescriptors
	return max(maxActive, int(min(descriptors, maxConnections+uint64(rest)))-rest)
}

const (
	// moment is after how long a check that is not over no longer counts as just begun, but as waiting for its server.
	moment = 250 * time.Millisecond
	// brief is the same for a server that was silent in the last round.
	brief = 25 * time.Millisecond
	// longestBeginning is after how long it counts as waiting even if this process has no time: a few silent servers must not keep all others from being begun.
	longestBeginning = time.Second
	// collectAfter is after how many more checks wait at a time than ever before memory is collected, or half as many more if that is more. Making a ClientHello takes a stack of 32 KiB, of
	// which the wait for the answer needs a quarter, and stacks shrink in a collection only.
	collectAfter = 128
	// maxFruitlessLooks bounds those that are made at a time and, for one round, the further looks at failed servers that time out as the first one did: a middlebox is in
	// front of a few endpoints, while in an outage hundreds of servers are silent, and each look takes seconds.
	maxFruitlessLooks = 64
)

// slots bound what one round does at a time. A check that waits for a silent server takes a descriptor and memory, one that computes takes
// the processor: if one number bounded both, a hundred silent servers would keep all others from being checked.
type slots struct {
	connections, lookups, fetches chan struct{}
	active                        *beginnings
	// beside holds the connections that are open beside one that still waits for the same server, and are no looks.
	beside           chan struct{}
	looks, questions *looks // at servers that failed; for another certificate
	// waiting is how many checks wait for their servers, mostWaiting how many did when memory was collected.
	waiting, mostWaiting atomic.Int64
}

// looks are further looks of one round. They end once too many have timed out.
type looks struct {
	places    chan struct{}
	fruitless atomic.Int64
	over      chan struct{}
}

func newLooks() *looks {
	return &looks{places: make(chan struct{}, maxFruitlessLooks), over: make(chan struct{})}
}

func newSlots(connections int, active *beginnings) *slots {
	places := func(n int) chan struct{} { return make(chan struct{}, n) }
	return &slots{
		connections: places(connections), active: active,
		lookups: places(maxLookups), fetches: places(maxFetches), beside: places(connections / 4),
		looks: newLooks(), questions: newLooks(),
	}
}

// take takes a place; false if ctx ended first.
func take(ctx context.Context, places chan struct{}) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// check waits for a place for a connection to an endpoint; ok is false if ctx ended first. done gives it up. silent is as in begin.
func (s *slots) check(ctx context.Context, silent bool) (done func(), ok bool) {
	if !take(ctx, s.connections) {
		return nil, false
	}
	if !take(ctx, s.active.places) {
		<-s.connections
		return nil, false
	}
	after := moment
	if silent {
		after = brief
	}
	p := &place{slots: s, began: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(after, p.waited)
	return p.done, true
}

// place is that of one check.
type place struct {
	*slots
	began time.Time

	mu            sync.Mutex // guards what follows
	timer         *time.Timer
	waiting, over bool
}

// waited ends the check's time of having just begun, unless this process had no time for it.
func (p *place) waited() {
	p.mu.Lock()
	switch {
	case p.over:
	case p.active.hadNoTime() && time.Since(p.began) < longestBeginning:
		p.timer.Reset(adaptEvery)
	default:
		p.waiting = true
		p.active.give()
		defer p.waits() // without the lock
	}
	p.mu.Unlock()
}

func (p *place) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
	if p.waiting {
		p.slots.waiting.Add(-1)
	} else {
		p.active.give()
	}
	<-p.connections
}

// waits records that one more check waits for its server.
func (s *slots) waits() {
	now, most := s.waiting.Add(1), s.mostWaiting.Load()
	if now >= most+max(collectAfter, most/2) && s.mostWaiting.CompareAndSwap(most, now) {
		runtime.GC()
	}
}

// another waits for a place for a connection beside one that waits. These have a quarter of all places at most: endpoints that were not probed at all yet
// come first. ok and done are as in check.
func (s *slots) another(ctx context.Context) (done func(), ok bool) {
	if !take(ctx, s.beside) {
		return nil, false
	}
	if !take(ctx, s.connections) {
		<-s.beside
		return nil, false
	}
	return func() { <-s.connections; <-s.beside }, true
}

// full reports whether no look can be begun now.
func (l *looks) full() bool { return len(l.places) == cap(l.places) }

// take takes a look, unless too many have timed out or ctx ends first; look reports whether this one timed out. It returns whether the
// look was taken.
func (l *looks) take(ctx context.Context, look func() (timedOut bool)) bool {
	select {
	case <-l.over:
		return false
	case <-ctx.Done():
		return false
	case l.places <- struct{}{}:
	}
	timedOut := true // also where look panics
	defer func() {
		switch {
		case !timedOut:
			<-l.places
		case l.fruitless.Add(1) == maxFruitlessLooks: // each has kept its place: none is left
			close(l.over)
		}
	}()
	timedOut = look() && !errors.Is(ctx.Err(), context.Canceled) // else it was no longer needed
	return true
}
