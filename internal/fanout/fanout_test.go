package fanout

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// fleet is a prober whose workers run in this process. A fault takes the place of the worker of one shard.
type fleet struct {
	*Prober
	log    bytes.Buffer
	logger *slog.Logger // of all workers, as one handler locks what it writes to
	faults map[int]func(ctx context.Context, payload []byte, worker *Worker) ([]byte, error)
	// size is what each endpoint's observation is padded with.
	size int

	mu     sync.Mutex
	asked  map[int][][]string // keys by shard, for each invocation
	order  []int              // shards, as they were invoked
	probes map[string]int
}

func newFleet(shards int) *fleet {
	f := &fleet{faults: map[int]func(context.Context, []byte, *Worker) ([]byte, error){}, asked: map[int][][]string{}, probes: map[string]int{}}
	f.logger = slog.New(slog.NewTextHandler(&f.log, nil))
	f.Prober = New(Options{Shards: shards, Invoke: f.invoke, Revocation: "staple", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return f
}

// worker is one that sees every endpoint at an address with its own name.
func (f *fleet) worker() *Worker {
	return &Worker{limit: f.limit, Log: f.logger, Probe: func(ctx context.Context, revocation string, endpoints []target.Endpoint) []observation.Endpoint {
		out := make([]observation.Endpoint, len(endpoints))
		for i, e := range endpoints {
			out[i] = observation.Endpoint{Target: e}
			if ctx.Err() != nil {
				continue
			}
			out[i].Probed = true
			out[i].Addresses = []observation.Address{{Address: e.Name + "/" + revocation, HTTP: &observation.HTTP{Excerpt: noise(f.size, i)}}}
			f.mu.Lock()
			f.probes[e.Key()]++
			f.mu.Unlock()
		}
		return out
	}}
}

// noise is text that hardly compresses.
func noise(n, seed int) string {
	random := make([]byte, (n+1)/2)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(random) // it never fails
	return hex.EncodeToString(random)[:n]
}

func (f *fleet) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var t Task
	if err := json.Unmarshal(payload, &t); err != nil {
		return nil, err
	}
	endpoints, err := unpackEndpoints(t.Endpoints)
	if err != nil {
		return nil, err
	}
	shard := Shard(endpoints[0].Key(), f.Shards)
	var keys []string
	for _, e := range endpoints {
		keys = append(keys, e.Key())
	}
	f.mu.Lock()
	f.asked[shard] = append(f.asked[shard], keys)
	f.order = append(f.order, shard)
	fault := f.faults[shard]
	f.mu.Unlock()
	if fault == nil {
		fault = working
	}
	return fault(ctx, payload, f.worker())
}

func working(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
	reply, err := w.Handle(ctx, payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(reply)
}

// tampered is a worker whose observations are changed on their way.
func tampered(change func([]observation.Endpoint) []observation.Endpoint) func(context.Context, []byte, *Worker) ([]byte, error) {
	return func(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
		reply, err := w.Handle(ctx, payload)
		if err != nil {
			return nil, err
		}
		seen, err := unpackObservations(reply.Observations)
		if err != nil {
			return nil, err
		}
		if reply.Observations, err = packObservations(change(seen)); err != nil {
			return nil, err
		}
		return json.Marshal(reply)
	}
}

// packObservations packs observations as a worker does.
func packObservations(seen []observation.Endpoint) ([]byte, error) {
	all, err := newPacker(seen, 0)
	if err != nil {
		return nil, err
	}
	packed, _, err := all.packFirst()
	return packed, err
}

func many(n int) []target.Endpoint {
	out := make([]target.Endpoint, n)
	for i := range out {
		out[i] = target.Endpoint{Environment: "production", Name: fmt.Sprint("e", i), URL: fmt.Sprintf("https://e%d.example.org/", i), Kind: target.HTTPS}
	}
	return out
}

// count returns how many endpoints of each shard were probed, and the reasons for the others.
func count(seen []observation.Endpoint, shards int) (probed map[int]int, why map[int]map[string]int) {
	probed, why = map[int]int{}, map[int]map[string]int{}
	for _, e := range seen {
		s := Shard(e.Target.Key(), shards)
		if e.Probed {
			probed[s]++
			continue
		}
		if why[s] == nil {
			why[s] = map[string]int{}
		}
		why[s][e.Unprobed]++
	}
	return probed, why
}

func TestEveryEndpointIsProbedOnceInItsPlace(t *testing.T) {
	f, endpoints := newFleet(7), many(500)
	endpoints[3].Request.Headers = []target.Header{{Name: "Authorization", Value: "Bearer x"}}
	seen := f.Probe(t.Context(), endpoints)
	for i, e := range seen {
		if !e.Probed || e.Target.Name != endpoints[i].Name || e.Addresses[0].Address != endpoints[i].Name+"/staple" || f.probes[e.Target.Key()] != 1 {
			t.Fatalf("the endpoint %d: %+v, probed %d times", i, e, f.probes[e.Target.Key()])
		}
		if diff := cmp.Diff(endpoints[i], e.Target); diff != "" {
			t.Fatalf("the target differs (-asked +returned):\n%s", diff)
		}
	}
	if len(f.order) != 7 || strings.Contains(f.log.String(), "Bearer") {
		t.Errorf("%d invocations; the workers logged %s", len(f.order), f.log.String())
	}
}

// TestShardsAreStable: an endpoint stays where it is whatever else is configured, and another number of shards moves only what it has to.
func TestShardsAreStable(t *testing.T) {
	moved, sizes := 0, make([]int, 21)
	for _, e := range many(20_000) {
		before, after := Shard(e.Key(), 20), Shard(e.Key(), 21)
		sizes[after]++
		if before != after {
			moved++
			if after != 20 {
				t.Fatalf("%s moved from %d to %d, which both were there before", e.Key(), before, after)
			}
		}
	}
	if slices.Min(sizes) < 850 || slices.Max(sizes) > 1060 || moved > 1060 {
		t.Errorf("sizes %v, %d moved", sizes, moved)
	}
}

// TestAShardThatFailsIsUnseen: whatever becomes of one worker, its endpoints are unseen with the reason, and all others are seen.
func TestAShardThatFailsIsUnseen(t *testing.T) {
	const shards, broken = 5, 2
	endpoints := many(200)
	size := 0
	for _, e := range endpoints {
		if Shard(e.Key(), shards) == broken {
			size++
		}
	}
	fixed := func(body string) func(context.Context, []byte, *Worker) ([]byte, error) {
		return func(context.Context, []byte, *Worker) ([]byte, error) { return []byte(body), nil }
	}
	type seen = []observation.Endpoint
	for name, tt := range map[string]struct {
		fault  func(context.Context, []byte, *Worker) ([]byte, error)
		unseen int
		why    string
	}{
		"killed": {func(context.Context, []byte, *Worker) ([]byte, error) {
			return nil, errors.New("invoking w: the function failed: Runtime exited with error: signal: killed")
		}, size, "signal: killed"},
		"throttled": {func(context.Context, []byte, *Worker) ([]byte, error) {
			return nil, errors.New("invoking w: TooManyRequestsException: Rate Exceeded")
		}, size, "TooManyRequestsException"},
		"slow": {func(ctx context.Context, _ []byte, _ *Worker) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, size, "the worker did not respond in time"},
		"nonsense":             {fixed("<html>"), size, "the worker's response cannot be read"},
		"null":                 {fixed("null"), size, "has version 0, not 1"},
		"another version":      {fixed(`{"version":2,"observations":""}`), size, "has version 2, not 1"},
		"no observations":      {fixed(`{"version":1}`), size, "the worker's response cannot be read"},
		"broken compression":   {fixed(`{"version":1,"observations":"H4sIAAAAAAAA/w=="}`), size, "the worker's response cannot be read"},
		"nothing":              {tampered(func(seen) seen { return nil }), size, "the worker's response leaves it out"},
		"nothing, but more":    {fixed(`{"version":1,"more":true,"observations":"` + base64.StdEncoding.EncodeToString(must(packObservations(nil))) + `"}`), size, "the worker's response leaves it out"},
		"one is left out":      {tampered(func(s seen) seen { return s[1:] }), 1, "the worker's response leaves it out"},
		"one twice":            {tampered(func(s seen) seen { return append(s, s[0]) }), size, `which it was not asked for, or twice`},
		"one of another shard": {tampered(func(s seen) seen { s[0].Target.Name = "e0"; s[1].Target.Name = "e1"; s[2].Target.Name = "e2"; return s }), size, "which it was not asked for"},
		"one of nobody": {tampered(func(s seen) seen {
			return append(s, observation.Endpoint{Target: target.Endpoint{Name: "x"}, Probed: true})
		}), size, `about "/x", which it was not asked for`},
		"one that is said to be probed": {tampered(func(s seen) seen {
			s[0] = observation.Endpoint{Target: s[0].Target, Probed: true, DNS: observation.DNS{Addresses: []string{"192.0.2.1"}}}
			return s
		}), 1, "the worker's response says nothing about it"},
		"one with an address that nothing is known of": {tampered(func(s seen) seen {
			s[0].Addresses = append(s[0].Addresses, observation.Address{Address: "192.0.2.1:443"})
			return s
		}), 1, "the worker's response says nothing about it"},
		"a certificate that is not there": {fixed(`{"version":1,"observations":"` + base64.StdEncoding.EncodeToString(must(pack(map[string]any{
			"certificates": []any{nil},
			"endpoints":    []any{map[string]any{"probed": true, "addresses": []any{map[string]any{"tls": map[string]any{"chain": []any{[]byte{0, 0, 0, 0}}}}}}},
		}))) + `"}`), size, "there is no certificate 0"},
		"an older worker": {func(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
			return working(ctx, bytes.Replace(payload, []byte(`"version":1`), []byte(`"version":2`), 1), w)
		}, size, "the task has version 2, not 1: is the same version of both functions deployed?"},
		"the probe function itself": {fixed(`{"verdict":"ignored","reason":"not an event"}`), size, "has version 0, not 1"},
		"one that ran out of time":  {tampered(func(s seen) seen { s[0] = observation.Endpoint{Target: s[0].Target}; return s }), 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(shards)
				f.faults[broken] = tt.fault
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
				defer cancel()
				got := f.Probe(ctx, endpoints)
				probed, why := count(got, shards)
				for s, reasons := range why {
					for reason, n := range reasons {
						if s != broken || n != tt.unseen || !strings.Contains(reason, tt.why) {
							t.Errorf("shard %d: %d unseen for %q", s, n, reason)
						}
					}
				}
				if probed[broken] != size-tt.unseen || len(why) != 1 {
					t.Errorf("probed %v, not %v", probed, why)
				}
				for i, e := range got {
					if e.Target.Key() != endpoints[i].Key() || !e.Probed && len(e.Addresses) > 0 {
						t.Errorf("%d: %+v", i, e)
					}
				}
			})
		})
	}
}

// TestTheUnseenComeFirst: what the last round did not see begins the next one, and once it was seen nothing is ahead any more.
func TestTheUnseenComeFirst(t *testing.T) {
	f, endpoints := newFleet(4), many(80)
	late := ""
	f.faults[2] = tampered(func(s []observation.Endpoint) []observation.Endpoint {
		late = s[len(s)-1].Target.Key()
		return s[:len(s)-1]
	})
	f.Probe(t.Context(), endpoints)
	delete(f.faults, 2)
	for _, want := range []bool{true, false} {
		f.asked = map[int][][]string{}
		f.Probe(t.Context(), endpoints)
		if got := f.asked[2][0][0] == late; got != want {
			t.Errorf("%q is asked for first: %t, want %t", late, got, want)
		}
		if want {
			if split := f.split(endpoints); len(split) != 4 {
				t.Errorf("%d shards", len(split))
			}
		}
	}
	f.unseen = map[string]bool{late: true}
	if first := f.split(endpoints)[0]; endpoints[first[0]].Key() != late {
		t.Errorf("the shard of %q is not the first", late)
	}
}

// TestAShardThatIsTooLargeIsSplit: requests and responses above Lambda's limit become several, one after the other; each
// observation arrives, and what fits in none says so.
func TestAShardThatIsTooLargeIsSplit(t *testing.T) {
	t.Run("responses", func(t *testing.T) {
		f, endpoints := newFleet(1), many(40)
		f.size, f.limit = 4000, 40_000 // compressed and in base64, a response has room for 10 or so
		probed, why := count(f.Probe(t.Context(), endpoints), 1)
		if probed[0] != 40 || len(f.asked[0]) < 3 || len(f.asked[0]) > 12 {
			t.Errorf("%d probed, %v, %d invocations", probed[0], why, len(f.asked[0]))
		}
	})
	t.Run("requests", func(t *testing.T) {
		f, endpoints := newFleet(1), many(40)
		f.limit = 40_000
		for i := range endpoints {
			endpoints[i].Expect.BodyContains = noise(4000, i)
		}
		probed, why := count(f.Probe(t.Context(), endpoints), 1)
		if probed[0] != 40 || len(f.asked[0]) < 3 || len(f.asked[0]) > 12 {
			t.Errorf("%d probed, %v, %d invocations", probed[0], why, len(f.asked[0]))
		}
		for _, n := range f.probes {
			if n != 1 {
				t.Errorf("probed %d times", n)
			}
		}
	})
	t.Run("one request that never fits", func(t *testing.T) {
		f, endpoints := newFleet(1), many(5)
		f.limit = 40_000
		endpoints[2].Expect.BodyContains = noise(120_000, 1)
		got := f.Probe(t.Context(), endpoints)
		if got[2].Probed || !strings.Contains(got[2].Unprobed, "larger than an invocation may be") {
			t.Errorf("probed %t, %q", got[2].Probed, got[2].Unprobed)
		}
		if probed, why := count(got, 1); probed[0] != 4 {
			t.Errorf("%v, %v", probed, why)
		}
	})
	t.Run("one response that never fits", func(t *testing.T) {
		f, endpoints := newFleet(1), many(5)
		f.limit = 40_000
		f.faults[0] = func(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
			probe := w.Probe
			w.Probe = func(ctx context.Context, revocation string, endpoints []target.Endpoint) []observation.Endpoint {
				out := probe(ctx, revocation, endpoints)
				for i := range out {
					if out[i].Target.Name == "e2" {
						out[i].Addresses[0].HTTP.Excerpt = noise(120_000, 1)
					}
				}
				return out
			}
			return working(ctx, payload, w)
		}
		got := f.Probe(t.Context(), endpoints)
		if got[2].Probed || !strings.Contains(got[2].Unprobed, "larger than a worker's response may be") {
			t.Errorf("probed %t, %q", got[2].Probed, got[2].Unprobed)
		}
		if probed, why := count(got, 1); probed[0] != 4 {
			t.Errorf("%v, %v", probed, why)
		}
	})
}

// TestAThousandEndpointsOfHostileServersFit: with Lambda's own limits, and whatever servers send, no payload is larger than Lambda takes, and
// nobody is left out because of what others send.
func TestAThousandEndpointsOfHostileServersFit(t *testing.T) {
	const n, lambdasLimit, mostInvocations = 1000, 6 << 20, 7
	f, endpoints := newFleet(1), many(n)
	served := make([][]observation.Address, n)
	ordinary, unseen := map[string]bool{}, map[string]bool{}
	for i, e := range endpoints {
		switch {
		case i == 50 || i == 60:
			served[i], unseen[e.Name] = everywhere(func(seed int) []byte { return []byte(noise(largestChain, i*100+seed)) }), true
		case i == 150: // large only if each certificate is sent more than once
			served[i] = everywhere(func(int) []byte { return []byte(noise(largestChain, i)) })
		case i >= 250 && i < 256: // large only once they are unpacked
			served[i] = everywhere(func(seed int) []byte { return append(make([]byte, largestChain), fmt.Sprint(i, seed)...) })
		case i%100 < 5:
			served[i] = []observation.Address{servedBy([]byte(noise(100<<10, i)))}
		case i%100 < 10:
			served[i] = ordinaryAnswer(i)
			served[i][0].Failure = &observation.Failure{Detail: noise(400, i), Said: noise(400, i)}
			for k := range 10 {
				served[i][0].HTTP.Hops = append(served[i][0].HTTP.Hops, observation.Hop{URL: noise(8<<10, i*10+k), Addresses: ordinaryAnswer(i)})
			}
		default:
			served[i], ordinary[e.Name] = ordinaryAnswer(i), true
		}
	}
	first := 0
	f.faults[0] = func(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
		w.Probe = func(_ context.Context, _ string, asked []target.Endpoint) []observation.Endpoint {
			out := make([]observation.Endpoint, len(asked))
			for k, e := range asked {
				i, err := strconv.Atoi(e.Name[1:])
				if err != nil {
					t.Error(err)
				}
				out[k] = observation.Endpoint{Target: e, Probed: true, Addresses: served[i]}
			}
			return out
		}
		raw, err := working(ctx, payload, w)
		if len(payload) > lambdasLimit || len(raw) > lambdasLimit {
			t.Errorf("%d bytes sent, %d received", len(payload), len(raw))
		}
		if len(f.asked[0]) == 1 {
			var reply Reply
			_ = json.Unmarshal(raw, &reply) // the prober reports what cannot be read
			seen, err := unpackObservations(reply.Observations)
			if err != nil {
				t.Error(err)
			}
			for _, e := range seen {
				if ordinary[e.Target.Name] {
					first++
				}
			}
		}
		return raw, err
	}
	for i, e := range f.Probe(t.Context(), endpoints) {
		switch {
		case unseen[e.Target.Name] && (e.Probed || e.Unprobed != "what was observed is larger than a worker's response may be"):
			t.Errorf("%d: probed %t, %q", i, e.Probed, e.Unprobed)
		case !unseen[e.Target.Name] && (!e.Probed || !reflect.DeepEqual(e.Addresses, served[i])):
			t.Errorf("%d arrived otherwise: probed %t, %q", i, e.Probed, e.Unprobed)
		}
	}
	if len(f.asked[0]) > mostInvocations || first != len(ordinary) {
		t.Errorf("%d invocations; the first returned %d of the %d ordinary servers", len(f.asked[0]), first, len(ordinary))
	}
}

// largestChain is what crypto/tls takes of a server, in bytes.
const largestChain = 256 << 10

func servedBy(chain ...[]byte) observation.Address {
	return observation.Address{TLS: &observation.TLS{Version: "TLS 1.3", Chain: chain}, HTTP: &observation.HTTP{Excerpt: noise(2000, 7)}}
}

func ordinaryAnswer(i int) []observation.Address {
	leaf := []byte(noise(2000, i))
	issuer, root := []byte(noise(2000, 1<<20)), []byte(noise(2000, 1<<21))
	return []observation.Address{servedBy(leaf, issuer, root), servedBy(leaf, issuer, root)}
}

// everywhere is a server with as many addresses as the probe takes, and a chain of one certificate at each.
func everywhere(certificate func(seed int) []byte) (all []observation.Address) {
	for seed := range 32 {
		all = append(all, servedBy(certificate(seed)))
	}
	return all
}

// TestWorkersEndBeforeTheRound: a worker has less time than the round, so that what it has seen until then arrives; and it is not invoked
// when there is none left.
func TestWorkersEndBeforeTheRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, endpoints := newFleet(2), many(20)
		f.faults[0] = func(ctx context.Context, payload []byte, w *Worker) ([]byte, error) {
			probe := w.Probe
			w.Probe = func(probing context.Context, revocation string, endpoints []target.Endpoint) []observation.Endpoint {
				out := probe(probing, revocation, endpoints[:3]) // and then something hangs
				<-probing.Done()
				return append(out, probe(probing, revocation, endpoints[3:])...)
			}
			return working(ctx, payload, w)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		probed, why := count(f.Probe(ctx, endpoints), 2)
		if probed[0] != 3 || ctx.Err() != nil || why[1] != nil {
			t.Errorf("probed %v, %v", probed, why)
		}
		<-ctx.Done()
		before := len(f.order)
		probed, why = count(f.Probe(ctx, endpoints), 2)
		if len(f.order) != before || len(probed) > 0 || why[0]["the round ended before a worker could be asked"] == 0 {
			t.Errorf("invoked %d times, probed %v, %v", len(f.order)-before, probed, why)
		}
	})
}
