package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/fanout"
	"certdrift/internal/target"
)

// fleet is Lambda for the worker function: as many copies of its process as there are invocations at once. As many of them work at a
// time as this machine has processors, of which in Lambda each has its own.
type fleet struct {
	start  func() *function
	shards int
	turns  chan struct{}

	mu      sync.Mutex
	idle    []*function
	started int
	faults  map[int]string // by shard: killed, throttled or slow
	asked   map[int]int    // by shard: invocations, the repeated ones included
	bytes   int            // of the largest response
}

// answer invokes a copy and waits for its response, as https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
func (f *fleet) answer(w http.ResponseWriter, r *http.Request, c call) {
	shard, err := f.shardOf(c.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	fault := f.faults[shard]
	f.asked[shard]++
	f.mu.Unlock()
	switch fault {
	case "throttled":
		fail(w, c, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
		return
	case "slow":
		<-r.Context().Done()
		return
	}
	f.turns <- struct{}{}
	defer func() { <-f.turns }()
	worker := f.take()
	if fault == "killed" {
		time.AfterFunc(50*time.Millisecond, func() { _ = worker.process.Kill() })
	}
	body, err := worker.invoke(c.body)
	if worker.dead() || err != nil {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		message := fmt.Sprintf("RequestId: %d Error: Runtime exited with error: signal: killed", time.Now().UnixNano())
		if err != nil && !worker.dead() {
			message = err.Error()
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"errorType": "Runtime.ExitError", "errorMessage": message})
		return
	}
	f.mu.Lock()
	f.idle = append(f.idle, worker)
	f.bytes = max(f.bytes, len(body))
	f.mu.Unlock()
	_, _ = w.Write(body)
}

func (f *fleet) take() *function {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.idle); n > 0 {
		worker := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return worker
	}
	f.started++
	return f.start()
}

// shardOf is the shard of a task's endpoints.
func (f *fleet) shardOf(payload []byte) (int, error) {
	var t fanout.Task
	if err := json.Unmarshal(payload, &t); err != nil {
		return 0, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(t.Endpoints))
	if err != nil {
		return 0, err
	}
	var endpoints []target.Endpoint
	if err := json.NewDecoder(zip).Decode(&endpoints); err != nil || len(endpoints) == 0 {
		return 0, fmt.Errorf("%d endpoints: %w", len(endpoints), err)
	}
	return fanout.Shard(endpoints[0].Key(), f.shards), nil
}

// figures are the metrics that functions put last, by NAME FUNCTION.
type figures struct {
	mu   sync.Mutex
	last map[string]float64
}

func (f *figures) note(c call) {
	var in any
	if c.action != "PutMetricData" || fromCBOR(c.body, &in) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		f.last = map[string]float64{}
	}
	for _, d := range asList(within(in, "MetricData")) {
		if dimensions := asList(within(d, "Dimensions")); len(dimensions) == 1 && within(dimensions[0], "Name") == "Function" {
			value, _ := within(d, "Value").(float64)
			f.last[fmt.Sprint(within(d, "MetricName"), " ", within(dimensions[0], "Value"))] = value
		}
	}
}

// take returns a figure and forgets it, so that a round that puts none shows.
func (f *figures) take(name string) (value float64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok = f.last[name]
	delete(f.last, name)
	return value, ok
}

// large is the number of endpoints from which on a round is so long that there are fewer of them.
const large = 5000

// TestFanOut has workers' binaries probe for the probe function's, while endpoints break and heal and one worker is killed, one throttled
// and one slow in each round. The oracle is TestSoak's: no incident is lost, none is alerted twice, none recovers without evidence, which
// those of the three workers have nobody to give. Then the permission to invoke workers is taken away. FANOUT_ENDPOINTS and FANOUT_WORKERS
// choose the size; `make fanout` runs the large form.
func TestFanOut(t *testing.T) {
	enabled(t)
	endpoints, workers := setting(t, "FANOUT_ENDPOINTS", 600), setting(t, "FANOUT_WORKERS", 6)
	s := newSoak(t, setting(t, "SOAK_SEED", 2026), endpoints, fmt.Sprint("Workers=", workers))
	s.kills = false
	d, ok := s.stack.Functions["certdrift-worker"]
	if !ok {
		t.Fatal("the stack has no worker")
	}
	f := s.front.workers
	f.shards, f.faults, f.asked, f.turns = workers, map[int]string{}, map[int]int{}, make(chan struct{}, runtime.NumCPU())
	dir := strings.TrimSuffix(s.stack.probe.dir, "ProbeFunction") + "WorkerFunction"
	f.start = func() *function { return startFunction(t, "certdrift-worker", d, dir, s.front.url) }
	shards, members := map[string]int{}, make([][]string, workers)
	for i, host := range s.hosts {
		name, _, _ := strings.Cut(host, ".")
		shard := fanout.Shard(fmt.Sprintf("env%d/%s", i%4, name), workers)
		shards[host], members[shard] = shard, append(members[shard], host)
	}
	inspects := func() bool { return s.n%5 == 0 } // without workers
	unprobed := func(host string) bool { return f.faults[shards[host]] != "" }
	s.unseen = func(host string) bool { return unprobed(host) && !inspects() }
	// round runs one and compares what was checked with what the faults leave.
	round := func() {
		t.Helper()
		clear(f.asked)
		begin := time.Now()
		s.round()
		want := endpoints
		for shard := range f.faults {
			want -= len(members[shard])
		}
		due, _ := s.front.figures.take("EndpointsDue probe")
		checked, ok := s.front.figures.take("EndpointsChecked probe")
		if int(due) != endpoints || int(checked) != want || !ok {
			t.Errorf("round %d: due %v, checked %v, want %d of %d", s.n, due, checked, want, endpoints)
		}
		if all, ok := s.front.figures.take("EndpointsChecked inspect"); inspects() && (!ok || int(all) != endpoints) {
			t.Errorf("round %d: inspect checked %v of %d", s.n, all, endpoints)
		}
		t.Logf("round %d took %v: checked %v of %v; probe %v; %s", s.n, time.Since(begin).Round(time.Millisecond),
			checked, due, memoryOf(t, s.stack.probe), f.describe(t))
	}
	s.stack.probe.timeout, s.stack.inspect.timeout = 5*time.Minute, 10*time.Minute
	begin := time.Now()
	round()
	s.stack.probe.timeout = max(16*time.Second, 2*time.Since(begin))
	faulty := 4
	if endpoints >= large {
		faulty = 2
	}
	broken := []string{members[0][0], members[1][0], members[2][0]}
	for range 2 {
		s.change()
		for _, host := range broken {
			s.sick[host] = "expired"
		}
		round()
	}
	f.faults = map[int]string{0: "killed", 1: "throttled", 2: "slow"}
	for range faulty {
		s.change()
		for _, host := range broken { // healthy from now on, which nobody sees
			delete(s.sick, host)
		}
		round()
		if f.asked[1] < 2 || f.asked[0] != 1 || f.asked[2] != 1 {
			t.Errorf("round %d: asked %v; what is throttled is tried again, what was killed is not", s.n, f.asked)
		}
	}
	s.holdUnseen(broken, unprobed)
	f.faults = map[int]string{}
	for n := range maxCalmRounds {
		if round(); n+1 >= calmRounds/2 && len(s.unsettled()) == 0 || t.Failed() {
			break
		}
		if n+1 >= calmRounds/2 {
			t.Logf("not settled: %.300q", s.unsettled()[0])
		}
	}
	s.hold()
	s.front.guard.forbid(s.stack.probe.name, "lambda:InvokeFunction")
	_, err := s.stack.probe.invoke(s.stack.bus.tick(t, "probe-schedule"))
	check(t, err)
	checked, ok := s.front.figures.take("EndpointsChecked probe")
	if denied := fmt.Sprint(s.front.guard.refusals()); checked != 0 || !ok || !strings.Contains(denied, "lambda:InvokeFunction on resource: "+d.ARN) {
		t.Errorf("without the permission %v are checked; denied were %s", checked, denied)
	}
	if log := string(s.stack.probe.log.bytes()); !strings.Contains(log, "not authorized to perform: lambda:InvokeFunction") {
		t.Error("the log does not name the permission")
	}
}

// holdUnseen checks what is said while nobody sees some endpoints: that they are not seen, of no others, and that what they had is not over,
// although they have been healthy since.
func (s *soak) holdUnseen(healed []string, unprobed func(host string) bool) {
	s.t.Helper()
	said, open := map[string]bool{}, map[string]bool{}
	for _, r := range s.records() {
		if !r.Open() {
			continue
		}
		for _, host := range hostsOf(r.Affects) {
			if !strings.Contains(r.Key, unseenCause) {
				open[host] = true
				continue
			}
			said[host] = said[host] || r.Notified > 0
			if !unprobed(host) {
				s.t.Errorf("%s is said to be unseen, and was seen", host)
			}
		}
	}
	for _, host := range s.hosts {
		if unprobed(host) && !said[host] {
			s.t.Errorf("%s was not seen, and nobody was alerted about it", host)
			break
		}
	}
	for _, host := range healed {
		if !open[host] {
			s.t.Errorf("the incident of %s is over, and nobody has seen that", host)
		}
	}
}

// memoryOf describes a function's process, with the processor time that it has taken.
func memoryOf(t *testing.T, f *function) string {
	t.Helper()
	now, ok := sizeOf(t, f)
	if !ok {
		return "not measured"
	}
	return fmt.Sprintf("%v, %v of processor time", now, processorTime(t, f))
}

// processorTime is what a function's process has taken of the processor; the kernel counts in hundredths of a second.
func processorTime(t *testing.T, f *function) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.process.Pid))
	check(t, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var user, system int
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	check(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// describe says what the workers have taken so far.
func (f *fleet) describe(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var spent time.Duration
	most := 0
	for _, worker := range f.idle {
		if now, ok := sizeOf(t, worker); ok {
			spent += processorTime(t, worker)
			most = max(most, now.memory)
		}
	}
	return fmt.Sprintf("%d workers started, %v of processor time in all, %d MiB at most, the largest response %d bytes", f.started, spent, most>>20, f.bytes)
}
