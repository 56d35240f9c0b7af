package probe

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"certdrift/internal/observation"
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
	key := v.key(o, at, &asked)
	if v.lookedLately(key) {
		return
	}
	find()
	if f := got.Failure; f == nil || *f != asked || got.TLS != shown || ctx.Err() != nil || v.looks.fruitless.Load() >= maxFruitlessLooks {
		return // something was found, or not everything was asked
	}
	v.remember(key)
}

// key is under which it is remembered that a failure was looked into.
func (v *endpointProbe) key(o *origin, at netip.AddrPort, f *observation.Failure) string {
	return strings.Join([]string{v.target.Key(), o.host, at.String(), string(f.Phase), string(f.Kind), f.Detail}, "\x00")
}

// lookedLately reports whether what has a key was looked into a short time ago and the round can wait.
func (v *endpointProbe) lookedLately(key string) bool {
	v.inVain.mu.Lock()
	last, known := v.inVain.known[key]
	v.inVain.mu.Unlock()
	age := v.now().Sub(last)
	return known && v.target.OtherEvery > 0 && age >= 0 && age < lookAgainAfter
}

func (v *endpointProbe) remember(key string) {
	v.inVain.mu.Lock()
	defer v.inVain.mu.Unlock()
	if v.inVain.known == nil || len(v.inVain.known) >= maxOthers {
		v.inVain.known = map[string]time.Time{}
	}
	v.inVain.known[key] = v.now()
}
