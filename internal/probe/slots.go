package probe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what one round does at a time. Together with the AWS SDK's connections they stay below the 1,024 descriptors that Lambda
// gives a function: a name takes up to six sockets, as the questions for both address families and for the canonical name are asked
// side by side and again apart.
const (
	defaultConcurrency = 640 // connections to endpoints
	maxLookups         = 48  // names that are looked up
	maxFetches         = 48  // documents that certificates point at
)

const (
	// maxActive bounds the checks that have just begun: more would only wait for the processor, and measure that.
	maxActive = 64
	// moment is after how long a check that is not over no longer counts as just begun, but as waiting for its server.
	moment = 250 * time.Millisecond
	// maxFruitlessLooks bounds, for one round, the further looks at failed servers that time out as the first one did: a middlebox is in
	// front of a few endpoints, while in an outage hundreds of servers are silent, and each look takes seconds.
	maxFruitlessLooks = 64
)

// slots bound what one round does at a time. A check that waits for a silent server takes a descriptor and memory, one that computes takes
// the processor: if one number bounded both, a hundred silent servers would keep all others from being checked.
type slots struct {
	connections, active, lookups, fetches chan struct{}
	looks, questions                      *looks // at servers that failed; for another certificate
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

func newSlots(connections int) *slots {
	places := func(n int) chan struct{} { return make(chan struct{}, n) }
	return &slots{
		connections: places(connections), active: places(min(maxActive, connections)),
		lookups: places(maxLookups), fetches: places(maxFetches),
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

// check waits for a place for a connection to an endpoint; ok is false if ctx ended first. done gives it up.
func (s *slots) check(ctx context.Context) (done func(), ok bool) {
	if !take(ctx, s.connections) {
		return nil, false
	}
	if !take(ctx, s.active) {
		<-s.connections
		return nil, false
	}
	waits := sync.OnceFunc(func() { <-s.active })
	timer := time.AfterFunc(moment, waits)
	return func() {
		timer.Stop()
		waits()
		<-s.connections
	}, true
}

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
	timedOut = look()
	return true
}
