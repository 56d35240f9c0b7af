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

// inVain is what earlier rounds looked into in vain: failures, with when that was.
type inVain struct {
	mu    sync.Mutex
	known map[string]time.Time
}

// lookInto has follow-up probes find out why a probe failed, unless they did so in vain a short time ago and the round can wait. A cause that
// was found is looked for in every round: the finding names it.
func (v *endpointProbe) lookInto(ctx context.Context, o *origin, at netip.AddrPort, got *answer, find func()) {
	asked, shown := *got.Failure, got.TLS
	key := strings.Join([]string{v.target.Key(), o.host, at.String(), string(asked.Phase), string(asked.Kind), asked.Detail}, "\x00")
	v.inVain.mu.Lock()
	last, known := v.inVain.known[key]
	v.inVain.mu.Unlock()
	if age := v.now().Sub(last); known && v.target.OtherEvery > 0 && age >= 0 && age < lookAgainAfter {
		return
	}
	find()
	if f := got.Failure; f == nil || *f != asked || got.TLS != shown || ctx.Err() != nil || v.looks.fruitless.Load() >= maxFruitlessLooks {
		return // something was found, or not everything was asked
	}
	v.inVain.mu.Lock()
	defer v.inVain.mu.Unlock()
	if v.inVain.known == nil || len(v.inVain.known) >= maxOthers {
		v.inVain.known = map[string]time.Time{}
	}
	v.inVain.known[key] = v.now()
}
