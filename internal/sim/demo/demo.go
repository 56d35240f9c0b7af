package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/awsio/listener"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/trail"
	"certdrift/internal/boot"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/lambda"
	"certdrift/internal/manifest"
	"certdrift/internal/report"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// Act is one step of the scenario: what was done, and what certdrift found and sent.
type Act struct {
	Title string
	At    time.Time
	// Verdict is that of the act's last round, Findings are its.
	Verdict  string
	Findings []finding.Finding
	// Last is the act's last round.
	Last round.Result
	// Sent are the messages that went out in this act, Deliveries what the subscribers got of them.
	Sent       []account.Message
	Deliveries []account.Delivery
}

// Options configure a run.
type Options struct {
	// Start is when it begins.
	Start time.Time
	// Out is where it is printed.
	Out io.Writer
	// Style marks words for a terminal; nil for plain text.
	Style report.Style
}

// Run replays the incident and returns its acts.
func Run(ctx context.Context, o Options) ([]Act, error) {
	w, err := newWorld(ctx, o.Start)
	if err != nil {
		return nil, err
	}
	p := &scenario{world: w, printer: newPrinter(o)}
	err = p.prepare()
	if err == nil {
		err = p.perform(ctx)
	}
	if err == nil {
		p.ending(p.acts)
	}
	return p.acts, errors.Join(err, w.close())
}

// Worst is the last act that went wrong: the one to write a report of.
func Worst(acts []Act) Act {
	worst := acts[0]
	for _, a := range acts {
		if a.Verdict == "fail" {
			worst = a
		}
	}
	return worst
}

// scenario is the running incident.
type scenario struct {
	*world
	*printer
	// stale has the environments whose templates name the old certificates; nil for none.
	stale map[string]bool

	parsed           config.Config
	inspect, probing *lambda.Function
	acts             []Act
	sent, delivered  int

	mu     sync.Mutex
	events [][]byte
	last   round.Result
}

// prepare puts the product's functions over the simulated account.
func (p *scenario) prepare() error {
	cfg, faults := config.Load([]byte(p.configuration()), config.Options{File: "certdrift.yaml", ReadFile: p.file})
	if len(faults) > 0 {
		return fmt.Errorf("reading the demo's configuration: line %d: %s", faults[0].Line, faults[0].Message)
	}
	p.parsed = cfg
	p.account.OnEvent(func(e []byte) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, e)
	})
	store := round.NewMemory()
	p.inspect, p.probing = p.function("inspect", round.Listeners, store), p.function("probe", round.ListenersOnProblem, store)
	return nil
}

// function is a Lambda function's handler: the product's own, over the simulated account's clients.
func (p *scenario) function(name string, depth round.Depth, store *round.Memory) *lambda.Function {
	inspector := listener.New(listener.Options{
		Home: p.account.Region(), Account: func(context.Context, target.Role) (string, error) { return p.account.ID(), nil },
		Clients: func(string, target.Role) listener.Clients {
			return listener.Clients{Classic: p.account.ELB(), Modern: p.account.ELBv2(), ACM: p.account.ACM(), IAM: p.account.IAM()}
		},
	})
	history := trail.New(trail.Options{
		Now: p.clock.Now, Pause: time.Millisecond, Client: func(string, target.Role) trail.Client { return p.account.CloudTrail() },
	})
	publisher := &round.Publisher{
		Now: p.clock.Now, Store: store, Function: name, By: name, Gauge: cloudwatch.New(p.account.CloudWatch(), "Certdrift"),
		Compose: alert.Options{Stack: "certdrift"},
	}
	publisher.Tell(sns.New(p.account.SNS(), p.topic))
	runners := &boot.Runners{
		Now: p.clock.Now, Stores: &trust.Stores{}, Inspector: inspector, History: func(config.Config) boot.Historian { return history },
		Publisher: publisher, OnSchedule: true, Done: p.keep,
	}
	return lambda.New(lambda.Parts{
		Runner: runners.For, Load: func(context.Context) (round.Request, error) { return p.loaded(), nil },
		Depth: depth, Region: p.account.Region(), Log: slog.New(slog.DiscardHandler), Now: p.clock.Now,
		Account: func(context.Context) (string, error) { return p.account.ID(), nil },
		Again:   15 * time.Second, Wait: func(_ context.Context, d time.Duration) { p.clock.advance(d) },
	})
}

// loaded is the configuration with the templates as they stand now.
func (p *scenario) loaded() round.Request {
	out := round.Request{Config: p.parsed}
	for _, at := range places() {
		arn := at.right
		if p.stale[at.environment] {
			arn = at.stale
		}
		name := "k8s/" + at.environment + "/" + at.service + "-service.yaml"
		declared, faults := manifest.Read(name, []byte(manifestOf(at, arn)))
		out.Manifests = append(out.Manifests, declared...)
		out.Diagnostics = append(out.Diagnostics, faults...)
	}
	return out
}

// keep remembers what the last round came to.
func (p *scenario) keep(res round.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = res
}

// perform runs the acts in order.
func (p *scenario) perform(ctx context.Context) error {
	right := func(at place) string { return at.right }
	stale := func(at place) string { return at.stale }
	const day = 24 * time.Hour
	attach := func(who account.Actor, environment string, which func(place) string) func() error {
		return func() error { return p.attach(ctx, who, environment, which) }
	}
	everywhere := func(who account.Actor, which func(place) string) error {
		return errors.Join(p.attach(ctx, who, "staging", which), p.attach(ctx, who, "production", which))
	}
	for _, s := range []scene{
		{title: "All is well: the templates, the load balancers and the certificates served to clients agree."},
		{title: "While production is being set up, Service templates with old certificates are applied. The operator notices and reattaches the " +
			"correct certificates to all four load balancers in the AWS console. The templates are not updated.", after: 2 * day,
			do: func() error {
				p.stale = map[string]bool{"staging": true, "production": true}
				err := everywhere(account.Kubernetes(), stale)
				p.clock.advance(30 * time.Second)
				return errors.Join(err, everywhere(account.Operator(), right))
			}},
		{title: "Nothing changes for weeks. Clients get the correct certificates.", after: 33 * day},
		{title: "The reorganized templates are deployed to staging. Kubernetes attaches the certificates that they name.", after: time.Hour,
			do: attach(account.Kubernetes(), "staging", stale)},
		{title: "No one runs certdrift verify between staging and production. The same templates are deployed to production.", after: time.Hour,
			do: attach(account.Kubernetes(), "production", stale)},
		{title: "The operator runs the commands from the alerts and fixes the templates.", after: 10 * time.Minute,
			do: func() error {
				p.stale = nil
				return everywhere(account.Operator(), right)
			}},
		{title: "The next scheduled rounds find that declared, attached and served certificates agree.", after: 5 * time.Minute},
	} {
		if err := p.play(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// scene is what happens in an act, after some time.
type scene struct {
	title string
	after time.Duration
	do    func() error // nil where nothing but the schedule runs
}

func (p *scenario) play(ctx context.Context, s scene) error {
	if err := p.pass(ctx, s.after); err != nil {
		return err
	}
	act := Act{Title: s.title, At: p.clock.Now()}
	p.scene(act)
	if s.do != nil {
		if err := s.do(); err != nil {
			return err
		}
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	act.Last = p.last
	act.Findings = p.last.Conclusion.Findings
	act.Verdict = "pass"
	if finding.Worst(act.Findings) == finding.Critical {
		act.Verdict = "fail"
	}
	messages, deliveries := p.account.Messages(p.topic), p.account.Deliveries(p.topic)
	act.Sent, act.Deliveries = messages[p.sent:], deliveries[p.delivered:]
	p.sent, p.delivered = len(messages), len(deliveries)
	p.acts = append(p.acts, act)
	p.outcome(act, p.last.Round)
	return nil
}

// pass lets time go by. The schedules run every minute, and nothing changes: two rounds a day are enough to send what they would send.
func (p *scenario) pass(ctx context.Context, d time.Duration) error {
	const step = 12 * time.Hour
	for ; d > step; d -= step {
		p.clock.advance(step)
		if err := p.tick(ctx); err != nil {
			return err
		}
	}
	p.clock.advance(d)
	return nil
}

// tick is one round of each schedule.
func (p *scenario) tick(ctx context.Context) error {
	if _, err := p.probing.Handle(ctx, json.RawMessage(`{}`)); err != nil {
		return fmt.Errorf("probing: %w", err)
	}
	if _, err := p.inspect.Handle(ctx, json.RawMessage(`{}`)); err != nil {
		return fmt.Errorf("inspecting: %w", err)
	}
	return nil
}

// run lets EventBridge do its work: the changes are delivered a minute and a half later, then both schedules tick a few
// times.
func (p *scenario) run(ctx context.Context) error {
	p.mu.Lock()
	events := p.events
	p.events = nil
	p.mu.Unlock()
	if len(events) > 0 {
		p.clock.advance(90 * time.Second)
	}
	if len(events) > 0 {
		if _, err := p.inspect.Handle(ctx, batch(events)); err != nil {
			return fmt.Errorf("handling changes: %w", err)
		}
	}
	for range 3 {
		p.clock.advance(time.Minute)
		if err := p.tick(ctx); err != nil {
			return err
		}
	}
	return nil
}

// batch is what Lambda makes of events that arrived in the queue within a few seconds.
func batch(events [][]byte) json.RawMessage {
	type record struct {
		MessageID   string `json:"messageId"`
		Body        string `json:"body"`
		EventSource string `json:"eventSource"`
	}
	var in struct {
		Records []record
	}
	for i, e := range events {
		in.Records = append(in.Records, record{fmt.Sprint(i), string(e), "aws:sqs"})
	}
	text, _ := json.Marshal(in) // strings alone
	return text
}
