package round

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// probes answers for endpoints with what is set for their key.
type probes map[string]observation.Endpoint

func (p probes) Probe(_ context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	var out []observation.Endpoint
	for _, e := range endpoints {
		seen := p[e.Key()]
		seen.Target = e
		out = append(out, seen)
	}
	return out
}

func (p probes) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

// account answers for AWS, and counts how often it was asked.
type account struct {
	attached observation.Attached
	asked    int
	last     target.Wanted
}

func (a *account) Inspect(_ context.Context, w target.Wanted) observation.Attached {
	a.asked++
	a.last = w
	return a.attached
}

func (*account) Users(context.Context, target.Scope, string) ([]string, bool, error) {
	return nil, false, nil
}

// topic keeps what it was sent; while down it refuses.
type topic struct {
	mu   sync.Mutex
	down bool
	sent []alert.Message
}

func (t *topic) Send(ctx context.Context, m alert.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down {
		return errors.New("topic down")
	}
	t.sent = append(t.sent, m)
	return nil
}

func (t *topic) subjects() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, m := range t.sent {
		out = append(out, m.Subject)
	}
	return out
}

// figures keeps data; while down it refuses.
type figures struct {
	mu   sync.Mutex
	down bool
	data []metric.Datum
}

func (f *figures) Put(ctx context.Context, data []metric.Datum) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errors.New("CloudWatch down")
	}
	f.data = append(f.data, data...)
	return nil
}

// brokenStore refuses everything.
type brokenStore struct{}

func (brokenStore) Load(context.Context) (incident.State, error) {
	return incident.State{}, errors.New("the table is gone")
}

func (brokenStore) SaveIncident(context.Context, incident.Record) (bool, error) {
	return false, errors.New("the table is gone")
}

func (brokenStore) SaveCounter(context.Context, incident.Counter) (bool, error) {
	return false, errors.New("the table is gone")
}

// fixture is a runner over fakes, with one endpoint whose certificate has expired.
type fixture struct {
	runner   *Runner
	request  Request
	probes   probes
	account  *account
	topic    *topic
	figures  *figures
	now      time.Time
	bad, fit observation.Endpoint
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), account: &account{}, topic: &topic{}, figures: &figures{}}
	root, err := pki.Root("test root", f.now)
	if err != nil {
		t.Fatal(err)
	}
	e := target.Endpoint{
		Environment: "production", Name: "api", URL: "https://api.example.org/", Kind: target.HTTPS, Host: "api.example.org", Port: 443,
		Trust: target.Trust{Roots: target.Mozilla, CAs: [][]byte{root.Certificate.Raw}},
	}
	f.fit = served(t, root, f.now, pki.Valid(f.now.AddDate(0, 0, -10), f.now.AddDate(0, 0, 80)))
	f.bad = served(t, root, f.now, pki.Valid(f.now.AddDate(0, 0, -90), f.now.AddDate(0, 0, -1)))
	f.probes = probes{e.Key(): f.bad}
	stores := &trust.Stores{}
	clock := func() time.Time { return f.now }
	f.runner = &Runner{Now: clock, Prober: f.probes, Inspector: f.account, Roots: stores.Get, Publisher: &Publisher{
		Now: clock, Store: NewMemory(), Messengers: []messenger{f.topic}, Gauge: f.figures, Function: "probe", By: "test",
	}}
	f.request = Request{Config: config.Config{
		Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting(), Endpoints: []target.Endpoint{e},
	}}
	return f
}

// served is a healthy answer but for the certificate's options.
func served(t *testing.T, root *pki.Pair, now time.Time, opts ...pki.Option) observation.Endpoint {
	t.Helper()
	leaf, err := root.Leaf(now, []string{"api.example.org"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return observation.Endpoint{Probed: true, DNS: observation.DNS{Addresses: []string{"192.0.2.1"}}, Addresses: []observation.Address{{
		Address: "192.0.2.1:443", Started: now,
		TLS:  &observation.TLS{ServerName: "api.example.org", Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: leaf.Served()},
		HTTP: &observation.HTTP{Proto: "HTTP/1.1", Status: 200},
	}}}
}

func (f *fixture) run(t *testing.T) Result {
	t.Helper()
	res, err := f.runner.Run(context.Background(), f.request)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func codes(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, string(f.Code))
	}
	return out
}

func TestOneAlertPerIncidentAndOneRecovery(t *testing.T) {
	f := newFixture(t)
	for range 5 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	if got := f.topic.subjects(); len(got) != 1 || !strings.Contains(got[0], "production") {
		t.Fatalf("five rounds of one fault sent %q, want one message about production", got)
	}
	f.probes["production/api"] = f.fit
	for range 5 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	got := f.topic.sent
	if len(got) != 2 || got[1].Attributes["event"] != "recovered" {
		t.Fatalf("after the repair %d messages were sent, the last %v; want one more, recovered", len(got), got[len(got)-1].Attributes)
	}
}

// TestTheEndOfWhatWasNotProbed: however many endpoints a round did not get to, people are notified once, and once again when it gets to all,
// whatever else is wrong with them. Until then nothing is over.
func TestTheEndOfWhatWasNotProbed(t *testing.T) {
	for _, n := range []int{1, 5, 13, 200} {
		t.Run(fmt.Sprint(n, " endpoints"), func(t *testing.T) {
			f := newFixture(t)
			refused := f.fit
			refused.Addresses = []observation.Address{{Address: "192.0.2.1:443", Started: f.now, Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused}}}
			f.probes["production/api"] = refused
			for i := range n {
				e := f.request.Config.Endpoints[0]
				e.Name = fmt.Sprint("e", i)
				f.request.Config.Endpoints = append(f.request.Config.Endpoints, e)
			}
			probe := func(probed int, rounds int) {
				for i := range n {
					f.probes[fmt.Sprint("production/e", i)] = observation.Endpoint{Unprobed: "the worker did not respond in time"}
					if i < probed {
						f.probes[fmt.Sprint("production/e", i)] = f.fit
					}
				}
				for range rounds {
					f.run(t)
					f.now = f.now.Add(time.Minute)
				}
			}
			about := func() (events []string) {
				for _, m := range f.topic.sent {
					if m.Attributes["code"] == string(finding.ObserveIncomplete) {
						events = append(events, m.Attributes["event"])
					}
				}
				return events
			}
			probe(0, 4)
			if got := about(); !slices.Equal(got, []string{"opened"}) {
				t.Fatalf("while nothing is probed: %v", got)
			}
			probe(n-1, 6)
			if got := about(); !slices.Equal(got, []string{"opened"}) {
				t.Errorf("while one is missing: %v", got)
			}
			probe(n, 6)
			if got := about(); !slices.Equal(got, []string{"opened", "recovered"}) {
				t.Errorf("when all were probed: %v", got)
			}
		})
	}
}

func TestConcurrentRoundsSendOneAlert(t *testing.T) {
	f := newFixture(t)
	var group sync.WaitGroup
	for i := range 16 {
		// Each is a function instance of its own with the one table.
		publisher := &Publisher{
			Now: f.runner.Now, Store: f.runner.Publisher.Store, Messengers: []messenger{f.topic}, Gauge: f.figures,
			Function: "probe", By: fmt.Sprint("instance ", i),
		}
		runner := *f.runner
		runner.Publisher = publisher
		group.Go(func() {
			if _, err := runner.Run(context.Background(), f.request); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := f.topic.subjects(); len(got) != 1 {
		t.Fatalf("16 rounds at once sent %d messages, want 1: %q", len(got), got)
	}
}

func TestAnAlertThatFailedIsSentByTheNextRound(t *testing.T) {
	f := newFixture(t)
	f.topic.down = true
	if _, err := f.runner.Run(context.Background(), f.request); err == nil || !strings.Contains(err.Error(), "topic down") {
		t.Fatalf("error %v, want that the topic is down", err)
	}
	if len(f.figures.data) == 0 {
		t.Error("no figures were put: one broken sink stopped the other")
	}
	f.topic.down = false
	f.now = f.now.Add(time.Minute)
	f.run(t)
	if got := f.topic.subjects(); len(got) != 1 {
		t.Fatalf("sent %q, want the one alert that failed before", got)
	}
}

func TestADeadTableAlertsAndSaysSo(t *testing.T) {
	f := newFixture(t)
	f.runner.Publisher.Store = brokenStore{}
	for range 10 {
		res, _ := f.runner.Run(context.Background(), f.request)
		if !slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveIncomplete)) {
			t.Fatalf("findings %v, want the dead table among them", codes(res.Conclusion.Findings))
		}
		f.now = f.now.Add(time.Minute)
	}
	n := len(f.topic.sent)
	if n == 0 {
		t.Fatal("a dead table silenced the alert")
	}
	if n > 3 {
		t.Errorf("a dead table sent %d messages in ten rounds: what this process remembers should stand in", n)
	}
	if !strings.Contains(strings.Join(strings.Fields(f.topic.sent[0].Email), " "), "may already have received") {
		t.Errorf("the email does not say that it may be a duplicate:\n%s", f.topic.sent[0].Email)
	}
}

func TestDeadFiguresAreAnErrorAndStopNoAlert(t *testing.T) {
	f := newFixture(t)
	f.figures.down = true
	if _, err := f.runner.Run(context.Background(), f.request); err == nil {
		t.Error("no error although nothing could be put")
	}
	if len(f.topic.sent) != 1 {
		t.Errorf("%d alerts, want 1", len(f.topic.sent))
	}
}

func TestReadsListenersOnlyForACertificateProblem(t *testing.T) {
	f := newFixture(t)
	f.request.Depth = ListenersOnProblem
	f.request.Config.Scope = target.Scope{Enabled: true, Walk: true}
	f.run(t)
	if f.account.asked != 1 {
		t.Errorf("AWS was asked %d times for an expired certificate, want once", f.account.asked)
	}
	f.probes["production/api"] = f.fit
	f.run(t)
	if f.account.asked != 1 {
		t.Error("AWS was asked about a healthy endpoint")
	}
}

func TestAnEventNarrowsTheRound(t *testing.T) {
	f := newFixture(t)
	named := f.request.Config.Endpoints[0]
	other := named
	other.Name, other.LoadBalancer = "ui", &target.LoadBalancerRef{Name: "other", Port: 443}
	named.LoadBalancer = &target.LoadBalancerRef{Name: "k8s-web", Port: 443}
	f.request.Config.Endpoints = []target.Endpoint{named, other}
	f.request.Depth = Listeners
	f.request.Changes = []observation.Change{{
		LoadBalancer: "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/k8s-web/50dc6c495c0c9188",
	}}
	res := f.run(t)
	if len(res.Round.Endpoints) != 1 || res.Round.Endpoints[0].Target.Name != "api" {
		t.Errorf("probed %d endpoints, want api alone", len(res.Round.Endpoints))
	}
	if len(f.account.last.Only) != 1 {
		t.Errorf("AWS was asked for %v, want the one load balancer", f.account.last.Only)
	}
}

func TestWhatTheDeadlineCutOffIsIncomplete(t *testing.T) {
	f := newFixture(t)
	f.probes["production/api"] = observation.Endpoint{}
	res := f.run(t)
	if res.Conclusion.Complete || !slices.Contains(codes(res.Conclusion.Findings), string(finding.ObserveIncomplete)) {
		t.Errorf("complete %v with %v, want incomplete and said", res.Conclusion.Complete, codes(res.Conclusion.Findings))
	}
}

func TestNeedsAWS(t *testing.T) {
	const arn = "arn:aws:acm:us-west-2:111122223333:certificate/a"
	declared := target.Endpoint{Declared: &target.Declared{ARN: arn}}
	for name, tt := range map[string]struct {
		config config.Config
		want   bool
	}{
		"plain endpoints":        {config.Config{Endpoints: []target.Endpoint{{}}}, false},
		"a fingerprint":          {config.Config{Endpoints: []target.Endpoint{{Declared: &target.Declared{FingerprintSHA256: "ab"}}}}, false},
		"an ARN":                 {config.Config{Endpoints: []target.Endpoint{declared}}, true},
		"an ARN held by a file":  {config.Config{Endpoints: []target.Endpoint{declared}, Certificates: []target.CertificateFile{{ARN: arn}}}, false},
		"a load balancer":        {config.Config{Endpoints: []target.Endpoint{{LoadBalancer: &target.LoadBalancerRef{Name: "a"}}}}, true},
		"load balancers to walk": {config.Config{Scope: target.Scope{Enabled: true, Walk: true}}, true},
	} {
		if got := NeedsAWS(tt.config); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// A configuration that cannot be read names no endpoint, which proves of none that it was removed.
func TestABrokenConfigurationEndsNoIncident(t *testing.T) {
	f := newFixture(t)
	f.run(t)
	whole := f.request
	f.request.Config.Endpoints = nil
	f.request.Diagnostics = []observation.Diagnostic{{Position: target.Position{File: "certdrift.yaml", Line: 3}, Message: "a tab where spaces are needed"}}
	for range 3 {
		f.now = f.now.Add(time.Minute)
		f.run(t)
	}
	for _, m := range f.topic.sent {
		if m.Attributes["event"] == "recovered" {
			t.Errorf("%q was sent, though nobody looked", m.Subject)
		}
	}
	if got := f.topic.subjects(); len(got) != 2 || !strings.Contains(got[1], "config-invalid") {
		t.Errorf("sent %q, want the endpoint's alert and the configuration's", got)
	}
	f.request = whole
	for range 3 {
		f.now = f.now.Add(time.Minute)
		f.run(t)
	}
	if got := f.topic.sent; len(got) != 3 || got[2].Attributes["code"] != "config-invalid" || got[2].Attributes["event"] != "recovered" {
		t.Errorf("sent %q, want the configuration's recovery and no second alert of the endpoint", f.topic.subjects())
	}
}

func TestTheHeartbeatIsCalledAfterAGoodRoundOnly(t *testing.T) {
	f := newFixture(t)
	var called []string
	f.runner.Heartbeat = func(_ context.Context, url string) error {
		called = append(called, url)
		return errors.New("the switch is down")
	}
	f.run(t) // nothing is configured
	f.request.Config.HeartbeatURL = "https://beat.example.org/token"
	f.run(t)
	if len(called) != 1 || called[0] != "https://beat.example.org/token" {
		t.Fatalf("called %q, want the URL once", called)
	}
	f.figures.down = true
	if _, err := f.runner.Run(context.Background(), f.request); err == nil || len(called) != 1 {
		t.Errorf("error %v, called %q: a round that could not publish is no good one", err, called)
	}
	f.figures.down = false
	f.request.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: "elasticloadbalancing:DescribeLoadBalancers"}}
	if f.run(t); len(called) != 1 {
		t.Errorf("called %q: a round that could not see all is no good one", called)
	}
	f.request.ObserveErrors, f.request.PassedOver = nil, []observation.PassedOver{{Position: target.Position{File: "k8s/values.yaml", Line: 4}, Object: "a document without a kind", Why: "nothing reads it"}}
	if f.run(t); len(called) != 2 {
		t.Errorf("called %q: what no round reads has a finding, and every check ran", called)
	}
}

// TestManifestsThatAreNotReadAreReported: an incident of its own, which ends once the file is read without such an object, and not while the
// file cannot be read.
func TestManifestsThatAreNotReadAreReported(t *testing.T) {
	f := newFixture(t)
	const file = "k8s/values.yaml"
	told := func(event string) bool {
		t.Helper()
		return slices.ContainsFunc(f.topic.sent, func(m alert.Message) bool {
			return m.Attributes["code"] == "observe-incomplete" && m.Attributes["event"] == event && strings.Contains(fmt.Sprint(m), file)
		})
	}
	f.request.PassedOver = []observation.PassedOver{{Position: target.Position{File: file, Line: 4}, Object: "a document without a kind", Why: "nothing reads it"}}
	for range 2 {
		f.now = f.now.Add(10 * time.Minute)
		if res := f.run(t); res.Conclusion.Complete || !res.Conclusion.Ran {
			t.Errorf("complete %v, ran %v; want false and true", res.Conclusion.Complete, res.Conclusion.Ran)
		}
	}
	if !told("opened") {
		t.Fatalf("no alert came: %q", f.topic.subjects())
	}
	f.request.PassedOver = nil
	f.request.Diagnostics = []observation.Diagnostic{{Position: target.Position{File: file, Line: 1}, Message: "not UTF-8"}}
	for range 3 {
		f.now = f.now.Add(10 * time.Minute)
		f.run(t)
	}
	if told("recovered") {
		t.Errorf("recovered while the file cannot be read: %q", f.topic.subjects())
	}
	f.request.Diagnostics = nil
	for range 3 {
		f.now = f.now.Add(10 * time.Minute)
		f.run(t)
	}
	if !told("recovered") {
		t.Errorf("not recovered: %q", f.topic.subjects())
	}
}
