// Package fanout spreads the probing of a round over workers: copies of another Lambda function, which are invoked side by side and
// waited for. The round is the same as with one function: what workers return are the observations that the prober itself would
// have made, and everything else is done where it always is.
//
// An endpoint belongs to the same shard in every round, so that what a worker remembers is of use. What a worker does not return is
// not probed, with the reason: whether it failed, was throttled, ran out of time or returned something else than it was asked for.
// Such endpoints come first in the next round. There is no queue and no state: a round that ends leaves nothing behind.
package fanout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// transferTime is kept of the round's time for the way to a worker and back, a cold start included.
const transferTime = 4 * time.Second

// resolver resolves names.
type resolver interface {
	Resolve(ctx context.Context, host string) observation.DNS
}

// Options configure a Prober.
type Options struct {
	// Resolver looks up load balancers' names, which are few, in this process.
	Resolver resolver
	// Invoke invokes a worker and waits for its response.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// Shards is how many workers are invoked at once.
	Shards int
	// Revocation is how revocation is checked.
	Revocation string
	Log        *slog.Logger // may be nil
}

// Prober has workers probe endpoints. Between rounds it keeps only which endpoints the last one did not see.
type Prober struct {
	Options
	limit  int           // of a request; 0 for Lambda's
	read   chan struct{} // what responses unpack to is large: as many are read at once as there are processors
	mu     sync.Mutex
	unseen map[string]bool
}

// New returns a Prober.
func New(o Options) *Prober {
	return &Prober{Options: o, read: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Resolve resolves a name.
func (p *Prober) Resolve(ctx context.Context, host string) observation.DNS {
	return p.Resolver.Resolve(ctx, host)
}

// Probe has the endpoints probed and returns one observation for each, in order.
func (p *Prober) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	out := make([]observation.Endpoint, len(endpoints))
	for i, e := range endpoints {
		out[i] = unprobed(e, "")
	}
	var group sync.WaitGroup
	for _, shard := range p.split(endpoints) {
		group.Go(func() { p.shard(ctx, endpoints, shard, out) })
	}
	group.Wait()
	p.remember(out)
	return out
}

func unprobed(e target.Endpoint, why string) observation.Endpoint {
	e.Expect = redact.New(e.Request).Expectation(e.Expect)
	return observation.Endpoint{Target: e, Unprobed: why}
}

// split returns the indices of each shard's endpoints, those that the last round did not see first. Shards with such endpoints
// come before the others.
func (p *Prober) split(endpoints []target.Endpoint) [][]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	shards := make([][]int, p.Shards)
	for i, e := range endpoints {
		at := Shard(e.Key(), p.Shards)
		shards[at] = append(shards[at], i)
	}
	shards = slices.DeleteFunc(shards, func(s []int) bool { return len(s) == 0 })
	late := func(i int) int {
		if p.unseen[endpoints[i].Key()] {
			return 0
		}
		return 1
	}
	for _, s := range shards {
		slices.SortStableFunc(s, func(a, b int) int { return cmp.Compare(late(a), late(b)) })
	}
	slices.SortStableFunc(shards, func(a, b []int) int { return cmp.Compare(late(a[0]), late(b[0])) })
	return shards
}

// Shard returns which of so many shards a key belongs to: the one with the highest hash of both (rendezvous hashing). With another
// number of shards, only those endpoints move that have to.
func Shard(key string, shards int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it never fails
	base := h.Sum64()
	best, at := uint64(0), 0
	for i := range shards {
		if sum := mixed(base + uint64(i+1)*goldenRatio); sum > best {
			best, at = sum, i
		}
	}
	return at
}

// goldenRatio is 2^64 divided by it: its multiples are far apart.
const goldenRatio = 0x9e3779b97f4a7c15

// mixed spreads the bits of a number (the finalizer of MurmurHash3).
func mixed(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// shard has a shard probed, in as many invocations as its size needs, one after the other: a shard never has more than one worker.
func (p *Prober) shard(ctx context.Context, endpoints []target.Endpoint, left []int, out []observation.Endpoint) {
	for len(left) > 0 {
		asked, payload, err := p.task(ctx, endpoints, left)
		if err != nil {
			p.fail(ctx, left[:max(1, len(asked))], endpoints, out, err)
			left = left[max(1, len(asked)):]
			continue
		}
		answered, more, err := p.ask(ctx, endpoints, asked, payload)
		if err != nil {
			p.fail(ctx, left, endpoints, out, err)
			return
		}
		rest := left[:0:0]
		for _, i := range asked {
			seen, ok := answered[endpoints[i].Key()]
			switch {
			case ok:
				seen.Target = out[i].Target
				out[i] = seen
			case more && len(answered) > 0:
				rest = append(rest, i)
			default:
				out[i].Unprobed = "the worker's response leaves it out"
			}
		}
		left = append(rest, left[len(asked):]...)
	}
}

// fail says why endpoints were not probed.
func (p *Prober) fail(ctx context.Context, failed []int, endpoints []target.Endpoint, out []observation.Endpoint, err error) {
	why := finding.Clean(err.Error(), finding.QuoteLimit)
	for _, i := range failed {
		out[i].Unprobed = why
	}
	if p.Log != nil {
		p.Log.WarnContext(ctx, "a shard was not probed", "shard", Shard(endpoints[failed[0]].Key(), p.Shards), "endpoints", len(failed), "error", why)
	}
}

// task makes the payload for as many of the endpoints as fit one.
func (p *Prober) task(ctx context.Context, endpoints []target.Endpoint, left []int) (asked []int, payload []byte, err error) {
	budget := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		budget = time.Until(deadline)
		budget -= min(transferTime, budget/4)
	}
	if budget <= 0 || ctx.Err() != nil {
		return left, nil, errors.New("the round ended before a worker could be asked")
	}
	for n := len(left); n > 0; n /= 2 {
		chosen := make([]target.Endpoint, n)
		for k, i := range left[:n] {
			chosen[k] = endpoints[i]
		}
		packed, err := packEndpoints(chosen)
		if err != nil {
			return left[:n], nil, err
		}
		if fits(packed, p.limit) {
			payload, err := json.Marshal(Task{Version: version, Milliseconds: budget.Milliseconds(), Revocation: p.Revocation, Endpoints: packed})
			return left[:n], payload, err
		}
	}
	return left[:1], nil, errors.New("the endpoint's settings are larger than an invocation may be")
}

// ask invokes a worker and returns its observations by key. A response that is not an answer to what was asked is an error as a whole.
func (p *Prober) ask(ctx context.Context, endpoints []target.Endpoint, asked []int, payload []byte) (map[string]observation.Endpoint, bool, error) {
	raw, err := p.Invoke(ctx, payload)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, false, errors.New("the worker did not respond in time")
	case err != nil:
		return nil, false, err
	}
	p.read <- struct{}{}
	defer func() { <-p.read }()
	var reply Reply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return nil, false, errors.New("the worker's response cannot be read")
	}
	if reply.Version != version {
		return nil, false, fmt.Errorf("the worker's response has version %d, not %d: is the same version of both functions deployed?", reply.Version, version)
	}
	seen, err := unpackObservations(reply.Observations)
	if err != nil {
		return nil, false, fmt.Errorf("the worker's response cannot be read: %w", err)
	}
	answered, err := about(seen, endpoints, asked)
	return answered, reply.More, err
}

// about returns observations by key, if they are of endpoints that were asked for.
func about(seen []observation.Endpoint, endpoints []target.Endpoint, asked []int) (map[string]observation.Endpoint, error) {
	expected := make(map[string]bool, len(asked))
	for _, i := range asked {
		expected[endpoints[i].Key()] = true
	}
	answered := make(map[string]observation.Endpoint, len(seen))
	for _, e := range seen {
		key := e.Target.Key()
		if _, twice := answered[key]; twice || !expected[key] {
			return nil, fmt.Errorf("the worker's response is about %s, which it was not asked for, or twice", finding.Quote(key))
		}
		if e.Probed && !says(e) {
			e = observation.Endpoint{Unprobed: "the worker's response says nothing about it"}
		}
		answered[key] = e
	}
	return answered, nil
}

// says reports whether an observation shows anything: nothing must not be taken for nothing bad.
func says(e observation.Endpoint) bool {
	return e.DNS.Failure != nil || len(e.Addresses) > 0 && !slices.ContainsFunc(e.Addresses, func(a observation.Address) bool {
		return a.Failure == nil && a.TLS == nil && a.HTTP == nil && a.Withheld == ""
	})
}

// remember keeps which endpoints were not seen, for the next round. A round that an event narrowed says nothing about the others.
func (p *Prober) remember(seen []observation.Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]bool{}
	for _, e := range seen {
		if !e.Probed {
			next[e.Target.Key()] = true
		}
	}
	p.unseen = next
}
