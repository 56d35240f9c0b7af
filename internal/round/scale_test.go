package round

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"certdrift/internal/fanout"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// BenchmarkFanOut is a whole healthy round of the probe function with workers, but for the connections: tasks and replies packed and unpacked,
// related, judged, tracked and measured. It reports the processor time of the probe function's part for each endpoint, and the memory that it
// holds at the end. docs/scale.md has the results.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkFanOut(b, n) })
	}
}

func benchmarkFanOut(b *testing.B, n int) {
	f := newFixture(&testing.T{})
	root, err := pki.Root("bench root", f.now)
	if err != nil {
		b.Fatal(err)
	}
	seen := map[string]observation.Endpoint{}
	var answers []observation.Endpoint
	for i := range min(n, 1000) { // certificates are made slowly: above that, endpoints share them
		leaf, err := root.Leaf(f.now, []string{fmt.Sprintf("e%d.example.org", i)}, pki.Valid(f.now.AddDate(0, 0, -10), f.now.AddDate(0, 0, 80)))
		if err != nil {
			b.Fatal(err)
		}
		e := f.fit
		e.Addresses = append([]observation.Address(nil), e.Addresses...)
		e.Addresses[0].TLS = &observation.TLS{ServerName: fmt.Sprintf("e%d.example.org", i), Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: leaf.Served()}
		answers = append(answers, e)
	}
	endpoint := f.request.Config.Endpoints[0]
	endpoint.Trust.CAs = [][]byte{root.Certificate.Raw}
	f.request.Config.Endpoints = nil
	for i := range n {
		e := endpoint
		e.Name, e.Host = fmt.Sprint("e", i), fmt.Sprintf("e%d.example.org", i%1000)
		e.URL = "https://" + e.Host + "/"
		f.request.Config.Endpoints = append(f.request.Config.Endpoints, e)
		seen[e.Key()] = answers[i%1000]
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	worker := &fanout.Worker{Log: log, Probe: func(_ context.Context, _ string, endpoints []target.Endpoint) []observation.Endpoint {
		out := make([]observation.Endpoint, len(endpoints))
		for i, e := range endpoints {
			out[i] = seen[e.Key()]
			out[i].Target = e
		}
		return out
	}}
	var mu sync.Mutex
	replies := map[string][]byte{} // what a worker packs costs the probe function nothing: it is packed once, and returned in each round
	invoke := func(ctx context.Context, payload []byte) ([]byte, error) {
		var t fanout.Task
		if err := json.Unmarshal(payload, &t); err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		if known, ok := replies[string(t.Endpoints)]; ok {
			return known, nil
		}
		reply, err := worker.Handle(ctx, payload)
		if err != nil {
			return nil, err
		}
		packed, err := json.Marshal(reply)
		replies[string(t.Endpoints)] = packed
		return packed, err
	}
	f.runner.Prober = fanout.New(fanout.Options{Invoke: invoke, Shards: max(1, n/1000)})
	once := func() {
		if res, err := f.runner.Run(context.Background(), f.request); err != nil || len(res.Conclusion.Findings) > 0 {
			b.Fatalf("%d findings, %v", len(res.Conclusion.Findings), err)
		}
		f.now = f.now.Add(time.Minute)
		f.figures.data = nil
	}
	once()
	before := processor()
	for b.Loop() {
		once()
	}
	spent := processor() - before
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N)/float64(n), "µs-cpu/endpoint")
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}

// processor is the processor time that this process has taken.
func processor() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
