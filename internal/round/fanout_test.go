package round

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/fanout"
	"certdrift/internal/finding"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// workerFault is what becomes of one worker's answer.
type workerFault func(ctx context.Context, payload, answer []byte) ([]byte, error)

// says is a worker whose invocation fails.
func says(text string) workerFault {
	return func(context.Context, []byte, []byte) ([]byte, error) {
		return nil, errors.New("invoking certdrift-worker: " + text)
	}
}

// answers is a worker that answers something else.
func answers(text string) workerFault {
	return func(context.Context, []byte, []byte) ([]byte, error) { return []byte(text), nil }
}

// rewrites is a worker whose observations are changed on their way.
func rewrites(change func(endpoints []any) []any) workerFault {
	return func(_ context.Context, _, answer []byte) ([]byte, error) {
		var reply fanout.Reply
		if err := json.Unmarshal(answer, &reply); err != nil {
			return nil, err
		}
		zip, err := gzip.NewReader(bytes.NewReader(reply.Observations))
		if err != nil {
			return nil, err
		}
		var all map[string][]any
		if err := json.NewDecoder(zip).Decode(&all); err != nil {
			return nil, err
		}
		all["endpoints"] = change(all["endpoints"])
		var out bytes.Buffer
		again := gzip.NewWriter(&out)
		if err := errors.Join(json.NewEncoder(again).Encode(all), again.Close()); err != nil {
			return nil, err
		}
		reply.Observations = out.Bytes()
		return json.Marshal(reply)
	}
}

// workerFaults are ways in which a worker does not do what it was asked for, with a part of the reason that people read.
var workerFaults = map[string]struct {
	fault workerFault
	why   string
}{
	"killed":                       {says("the function failed: Runtime exited with error: signal: killed"), "signal: killed"},
	"out of time":                  {says("the function failed: Task timed out after 60.00 seconds"), "timed out"},
	"out of memory":                {says("the function failed: Runtime.OutOfMemory"), "OutOfMemory"},
	"a response that is too large": {says("the function failed: Response payload size exceeded maximum allowed payload size (6291556 bytes)."), "payload size"},
	"a reserved concurrency of 0":  {says("TooManyRequestsException: Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)"), "ReservedFunction"},
	"no permission":                {says("AccessDeniedException: not authorized to perform: lambda:InvokeFunction"), "lambda:InvokeFunction"},
	"deleted":                      {says("ResourceNotFoundException: Function not found"), "not found"},
	"being updated":                {says("ResourceConflictException: The function is currently in the following state: Pending"), "Pending"},
	"taken for a loop":             {says("RecursiveInvocationException: Lambda has detected that the function is in a loop"), "loop"},
	"an empty response":            {says("the response is empty"), "empty"},
	"hanging": {func(ctx context.Context, _, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, "did not respond in time"},
	"too late": {func(ctx context.Context, _, answer []byte) ([]byte, error) {
		<-ctx.Done()
		time.Sleep(time.Second)
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%d bytes that nobody reads", len(answer)))
	}, "did not respond in time"},
	"no JSON":              {answers("<html>"), "cannot be read"},
	"no observations":      {answers("{}"), "version 0"},
	"a later version":      {answers(`{"version":99,"observations":"AAAA"}`), "same version of both functions"},
	"an earlier version":   {says("the function failed: the task has version 2, not 1: is the same version of both functions deployed?"), "same version of both functions"},
	"probe itself":         {answers(`{"verdict":"ignored","reason":"it has no source"}`), "version 0"},
	"every endpoint twice": {rewrites(func(all []any) []any { return append(all, all...) }), "or twice"},
	"nothing":              {rewrites(func([]any) []any { return nil }), "leaves it out"},
	"another shard's": {rewrites(func(all []any) []any {
		for _, e := range all {
			e.(map[string]any)["target"] = map[string]any{"environment": "production", "name": "elsewhere"}
		}
		return all
	}), "was not asked for"},
	"probed, and nothing seen": {rewrites(func(all []any) []any {
		for i, e := range all {
			all[i] = map[string]any{"target": e.(map[string]any)["target"], "probed": true}
		}
		return all
	}), "says nothing about it"},
}

// TestAFaultyWorkerProvesNothing: whatever becomes of one worker, its endpoints count as not seen, people are alerted about that once, with
// the reason, and nothing that was wrong with them is over, although it is; all others are seen. Once the worker is back, everything is.
func TestAFaultyWorkerProvesNothing(t *testing.T) {
	for name, tt := range workerFaults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { faultyWorker(t, tt.fault, tt.why) })
		})
	}
}

func faultyWorker(t *testing.T, fault workerFault, why string) {
	const shards, faulty = 4, 2
	f := newFixture(t)
	sick := f.request.Config.Endpoints[0]
	f.request.Config.Endpoints = nil
	shardOf := func(name string) int { return fanout.Shard("production/"+name, shards) }
	size := 0
	for i := range 40 {
		e := sick
		e.Name = fmt.Sprint("e", i)
		f.request.Config.Endpoints = append(f.request.Config.Endpoints, e)
		f.probes[e.Key()] = f.fit
		if shardOf(e.Name) == faulty {
			size++
			sick.Name = e.Name
		}
	}
	worker := &fanout.Worker{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Probe: func(ctx context.Context, _ string, endpoints []target.Endpoint) []observation.Endpoint {
		return f.probes.Probe(ctx, endpoints)
	}}
	var broken atomic.Bool
	f.runner.Prober = fanout.New(fanout.Options{Shards: shards, Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
		reply, err := worker.Handle(ctx, payload)
		if err != nil {
			return nil, err
		}
		answer, err := json.Marshal(reply)
		if err != nil || !broken.Load() || !asksFor(t, payload, sick.Name) {
			return answer, err
		}
		return fault(ctx, payload, answer)
	}})
	run := func(rounds int) (res Result) {
		for range rounds {
			f.figures.data = nil
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			var err error
			if res, err = f.runner.Run(ctx, f.request); err != nil {
				t.Fatal(err)
			}
			cancel()
			f.now = f.now.Add(time.Minute)
		}
		return res
	}
	events := func(code finding.Code) (out []string) {
		for _, m := range f.topic.sent {
			if m.Attributes["code"] == string(code) {
				out = append(out, m.Attributes["event"])
			}
		}
		return out
	}
	f.probes[sick.Key()] = f.bad
	run(3)
	f.probes[sick.Key()] = f.fit
	broken.Store(true)
	res := run(5)
	if got := events(finding.CertExpired); !slices.Equal(got, []string{"opened"}) {
		t.Errorf("while nobody sees that the certificate was replaced: %v", got)
	}
	if got := events(finding.ObserveIncomplete); !slices.Equal(got, []string{"opened"}) {
		t.Errorf("while endpoints are not seen: %v", got)
	}
	if res.Conclusion.Complete || checked(f) != 40-size {
		t.Errorf("complete %t, %d checked, want %d", res.Conclusion.Complete, checked(f), 40-size)
	}
	for _, e := range res.Round.Endpoints {
		if want := shardOf(e.Target.Name) != faulty; e.Probed != want || !want && !strings.Contains(e.Unprobed, why) {
			t.Errorf("%s: probed %t, %q", e.Target.Name, e.Probed, e.Unprobed)
		}
	}
	if last := f.topic.sent[len(f.topic.sent)-1]; !strings.Contains(fmt.Sprint(last), strings.Fields(why)[0]) {
		t.Errorf("the alert does not give the reason, %q: %v", why, last)
	}
	broken.Store(false)
	res = run(6)
	for _, code := range []finding.Code{finding.CertExpired, finding.ObserveIncomplete} {
		if got := events(code); !slices.Equal(got, []string{"opened", "recovered"}) {
			t.Errorf("in the end, %s: %v", code, got)
		}
	}
	if !res.Conclusion.Complete || checked(f) != 40 {
		t.Errorf("in the end, complete %t, %d checked", res.Conclusion.Complete, checked(f))
	}
}

// asksFor reports whether a task is about an endpoint.
func asksFor(t *testing.T, payload []byte, name string) bool {
	t.Helper()
	var task fanout.Task
	if err := json.Unmarshal(payload, &task); err != nil {
		t.Error(err)
		return false
	}
	var endpoints []struct{ Name string }
	zip, err := gzip.NewReader(bytes.NewReader(task.Endpoints))
	if err == nil {
		err = json.NewDecoder(zip).Decode(&endpoints)
	}
	if err != nil {
		t.Error(err)
	}
	return slices.ContainsFunc(endpoints, func(e struct{ Name string }) bool { return e.Name == name })
}

// checked is how many endpoints the last round says it has probed.
func checked(f *fixture) int {
	for _, d := range f.figures.data {
		if d.Name == metric.EndpointsChecked {
			return int(d.Value)
		}
	}
	return -1
}
