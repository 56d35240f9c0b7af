package probe

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// lookAgainAfter is for how long a failure that follow-up probes found no cause of is not looked into again in scheduled rounds. A server that
// hangs up gets up to ten of them.
const lookAgainAfter = 10 * time.Minute

// looks is what earlier rounds looked into in vain: failures, with when that was.
type looks struct {
	mu    sync.Mutex
	known map[string]time.Time
}

// lookInto has follow-up probes find out why a probe failed, unless they did so in vain a short time ago and the round can wait. A cause that
// was found is looked for in every round: the finding names it.
func (v *endpointProbe) lookInto(ctx context.Context, o *origin, at netip.AddrPort, got *answer, find func()) {
	asked := *got.Failure
	key := strings.Join([]string{v.target.Key(), o.host, at.String(), string(asked.Phase), string(asked.Kind), asked.Detail}, "\x00")
	v.looks.mu.Lock()
	last, known := v.looks.known[key]
	v.looks.mu.Unlock()
	if age := v.now().Sub(last); known && v.target.OtherEvery > 0 && age >= 0 && age < lookAgainAfter {
		return
	}
	find()
	if f := got.Failure; f == nil || *f != asked || ctx.Err() != nil || v.fruitless.Load() >= maxFruitlessLooks {
		return // something was found, or not everything was asked
	}
	v.looks.mu.Lock()
	defer v.looks.mu.Unlock()
	if v.looks.known == nil || len(v.looks.known) >= maxOthers {
		v.looks.known = map[string]time.Time{}
	}
	v.looks.known[key] = v.now()
}
