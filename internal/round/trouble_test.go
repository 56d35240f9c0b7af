package round

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// hanging never answers before its time is over.
type hanging struct{ probes }

func (h hanging) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	<-ctx.Done()
	return h.probes.Probe(ctx, endpoints)
}

func TestAHangingEndpointLeavesTimeToAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.runner.Prober = hanging{f.probes}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := f.runner.Run(ctx, f.request); err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Error("the round used up all of its time")
		}
		if len(f.topic.sent) != 1 {
			t.Errorf("%d alerts, want 1", len(f.topic.sent))
		}
	})
}

// silent is a path that never answers.
type silent struct{}

func (silent) Send(ctx context.Context, _ alert.Message) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAHangingPathLeavesTimeForTheNextAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.request.Config.Incidents.Confirm = 1
		const alerts = 8 // of an incident each: more than there is time for if the path takes its time with each
		for i := range alerts {
			e := f.request.Config.Endpoints[0]
			e.Environment = fmt.Sprintf("production%d", i) // those of one environment would share a message
			e.Name, e.Host = fmt.Sprintf("api%d", i), fmt.Sprintf("api%d.example.org", i)
			f.request.Config.Endpoints = append(f.request.Config.Endpoints, e)
			f.probes[e.Key()] = observation.Endpoint{Probed: true, DNS: f.bad.DNS, Addresses: []observation.Address{refusing()}}
		}
		last := &topic{}
		f.runner.Publisher.Messengers = append(f.runner.Publisher.Messengers, silent{}, last)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := f.runner.Run(ctx, f.request); err == nil || !strings.Contains(err.Error(), "further path") {
			t.Errorf("the round says %v, and nothing of the path that hangs", err)
		}
		if got, behind := len(f.topic.sent), len(last.sent); got < alerts || behind != got || ctx.Err() != nil {
			t.Errorf("%d alerts reached the operators and %d the path behind the one that hangs, with the time over: %v; want all", got, behind, ctx.Err())
		}
	})
}

// stuck is a table that never answers: throttled without end, or no way there from the VPC.
type stuck struct{ loads *Memory }

func (s stuck) Load(ctx context.Context) (incident.State, error) {
	if s.loads != nil {
		return s.loads.Load(ctx)
	}
	<-ctx.Done()
	return incident.State{}, ctx.Err()
}

func (stuck) SaveIncident(ctx context.Context, _ incident.Record) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

func (stuck) SaveCounter(ctx context.Context, _ incident.Counter) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

func (f *figures) has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.data, func(d metric.Datum) bool { return d.Name == name })
}

func TestAServiceThatHangsStopsNoOther(t *testing.T) {
	for name, tt := range map[string]struct {
		change         func(p *Publisher)
		alerts, figure bool
	}{
		"the table":             {func(p *Publisher) { p.Store = stuck{} }, true, true},
		"writes to the table":   {func(p *Publisher) { p.Store = stuck{NewMemory()} }, true, true},
		"the operators' topic":  {func(p *Publisher) { p.Messengers[0] = silent{} }, false, true},
		"CloudWatch":            {func(p *Publisher) { p.Gauge = deaf{} }, true, false},
		"the table and a topic": {func(p *Publisher) { p.Store, p.Messengers = stuck{}, append(p.Messengers, silent{}) }, true, true},
		"the topic of another":  {func(p *Publisher) { p.Messengers = append([]messenger{silent{}}, p.Messengers...) }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.runner.Prober = hanging{f.probes} // the round's time is used up to its reserve
				tt.change(f.runner.Publisher)
				ctx, cancel := context.WithTimeout(context.Background(), 55*time.Second)
				defer cancel()
				if _, err := f.runner.Run(ctx, f.request); err == nil && name != "the table" {
					t.Error("no error, though a sink failed")
				}
				if ctx.Err() != nil {
					t.Error("the round used up all of its time")
				}
				if got := len(f.topic.sent) > 0; got != tt.alerts {
					t.Errorf("an alert was sent: %v, want %v", got, tt.alerts)
				}
				if got := f.figures.has(metric.Heartbeat); got != tt.figure {
					t.Errorf("figures were put: %v, want %v", got, tt.figure)
				}
			})
		})
	}
}

// deaf is a CloudWatch that never answers.
type deaf struct{}

func (deaf) Put(ctx context.Context, _ []metric.Datum) error {
	<-ctx.Done()
	return ctx.Err()
}

// readOnly is a table that may be read and not written.
type readOnly struct{ *Memory }

func (readOnly) SaveIncident(context.Context, incident.Record) (bool, error) {
	return false, errors.New("write denied")
}

func (readOnly) SaveCounter(context.Context, incident.Counter) (bool, error) {
	return false, errors.New("write denied")
}

// contended is a table to which somebody else always wrote first.
type contended struct{ *Memory }

func (contended) SaveIncident(context.Context, incident.Record) (bool, error) { return false, nil }

func (contended) SaveCounter(context.Context, incident.Counter) (bool, error) { return false, nil }

// TestATableThatOthersAlwaysWriteFirst: an alert goes out all the same, says that people may have it already, and is not sent
// again each round.
func TestATableThatOthersAlwaysWriteFirst(t *testing.T) {
	f := newFixture(t)
	f.runner.Publisher.Store = contended{NewMemory()}
	for i := range 5 {
		res, err := f.runner.Run(t.Context(), f.request)
		if err == nil && i == 0 {
			t.Error("no error although nothing was written")
		}
		if i > 0 && !slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveIncomplete)) {
			t.Errorf("round %d: findings %v, want the table among them", i, codes(res.Conclusion.Findings))
		}
		f.now = f.now.Add(time.Minute)
	}
	alerts := map[string]int{}
	for _, m := range f.topic.sent {
		alerts[m.Attributes["code"]]++
		if !strings.Contains(strings.Join(strings.Fields(m.Email), " "), "may already have received") {
			t.Errorf("%q does not say that it may be a duplicate", m.Subject)
		}
	}
	if alerts[string(finding.CertExpired)] != 1 {
		t.Errorf("alerts in five rounds: %v, want one of the expired certificate", alerts)
	}
}

func TestATableThatCannotBeWritten(t *testing.T) {
	f := newFixture(t)
	table := NewMemory()
	f.runner.Publisher.Store = readOnly{table}
	// A refused connection wants confirming by a second round: that must not depend on the table.
	f.probes["production/api"] = observation.Endpoint{Probed: true, Addresses: []observation.Address{{
		Address: "192.0.2.1:443", Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused},
	}}}
	for i := range 10 {
		res, err := f.runner.Run(context.Background(), f.request)
		if err == nil && i < 2 {
			t.Error("no error although nothing could be written")
		}
		if i > 0 && !slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveIncomplete)) {
			t.Errorf("round %d: findings %v, want the table among them", i, codes(res.Conclusion.Findings))
		}
		f.now = f.now.Add(time.Minute)
	}
	refused := 0
	for _, m := range f.topic.sent {
		if m.Attributes["code"] == string(finding.ConnectRefused) {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d alerts of the endpoint in ten rounds, want 1: %q", refused, f.topic.subjects())
	}
	// Once it can be written again, all is as if it always could.
	f.runner.Publisher.Store = table
	if res := f.run(t); slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveIncomplete)) {
		t.Error("the table is still said to be unwritable")
	}
	f.probes["production/api"] = f.fit
	sent := len(f.topic.sent)
	for range 4 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	recovered := 0
	for _, m := range f.topic.sent[sent:] {
		if m.Attributes["event"] == "recovered" && m.Attributes["code"] == string(finding.ConnectRefused) {
			recovered++
		}
	}
	if recovered != 1 {
		t.Errorf("%d recoveries, want 1: %q", recovered, f.topic.subjects()[sent:])
	}
}

// TestNoAllClearWithoutARecord: an endpoint heals while the table takes nothing, the process ends, and the endpoint breaks again. Had the
// all-clear been sent, the table would still say that people know of the problem, and there would be no alert. It is sent once it can be recorded.
func TestNoAllClearWithoutARecord(t *testing.T) {
	for name, faulty := range map[string]func(*Memory) Store{
		"unwritable": func(m *Memory) Store { return readOnly{m} },
		"dead":       func(*Memory) Store { return brokenStore{} },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			table := NewMemory()
			f.runner.Publisher.Store = table
			ill := f.probes["production/api"]
			rounds := func(n int) (about []string) {
				before := len(f.topic.sent)
				for range n {
					_, _ = f.runner.Run(context.Background(), f.request) // what the table did is not what is tested
					f.now = f.now.Add(time.Minute)
				}
				for _, m := range f.topic.sent[before:] {
					if m.Attributes["environment"] == "production" {
						about = append(about, m.Attributes["event"])
					}
				}
				return about
			}
			if got := rounds(3); !slices.Equal(got, []string{"opened"}) {
				t.Fatalf("it breaks: %q, want an alert", got)
			}
			f.probes["production/api"] = f.fit
			f.runner.Publisher.Store = faulty(table)
			if got := rounds(6); len(got) > 0 {
				t.Errorf("it heals, and nothing can be recorded: %q, want nothing", got)
			}
			old := f.runner.Publisher // another process has nothing but the table
			f.runner.Publisher = &Publisher{Now: old.Now, Store: table, Messengers: old.Messengers, Gauge: old.Gauge, Function: old.Function, By: old.By}
			f.probes["production/api"] = ill
			if got := rounds(3); len(got) > 0 {
				t.Errorf("it is broken again: %q, want nothing: no all-clear was sent", got)
			}
			f.probes["production/api"] = f.fit
			if got := rounds(6); !slices.Equal(got, []string{"recovered"}) {
				t.Errorf("it heals: %q, want one all-clear", got)
			}
		})
	}
}

// flaky is a table that refuses to be read while it is down.
type flaky struct {
	*Memory
	down bool
}

func (f *flaky) Load(ctx context.Context) (incident.State, error) {
	if f.down {
		return incident.State{}, errors.New("throttled")
	}
	return f.Memory.Load(ctx)
}

// TestAReadThatFailsForgetsNothing: what the table could not take is remembered until it says otherwise.
func TestAReadThatFailsForgetsNothing(t *testing.T) {
	f := newFixture(t)
	p := f.runner.Publisher
	p.fallback.keep(incident.State{Incidents: []incident.Record{{Key: "a", Version: 3}}})
	p.Store = &flaky{NewMemory(), true}
	if tracked := p.begin(t.Context()); tracked.failure == nil {
		t.Fatal("no failure although the table is down")
	}
	if got := p.fallback.all().Incidents; len(got) != 1 || got[0].Key != "a" {
		t.Errorf("the process remembers %+v after a read that failed, want what is unwritten", got)
	}
}
