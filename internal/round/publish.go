package round

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// What one service may take of a round's time: DynamoDB to give the incidents and to take one, a messenger to take a
// message. What hangs is left alone for the rest of the round, so that the others get theirs. flushTime is for what earlier
// rounds could not write, claimTime for the claims, or half of the time that is left where that is less: then alerts are sent,
// whatever has been claimed. figureTime is kept for the figures at the end, the heartbeat among them.
const (
	loadTime    = 10 * time.Second
	flushTime   = 3 * time.Second
	claimTime   = 10 * time.Second
	saveTime    = 2 * time.Second
	messageTime = 3 * time.Second
	figureTime  = 2 * time.Second
)

// gauge puts metric data.
type gauge interface {
	Put(ctx context.Context, data []metric.Datum) error
}

// Publisher tracks incidents and publishes: notices to the messengers, figures to CloudWatch. One broken sink never
// stops another. It is made once per process.
type Publisher struct {
	Now   func() time.Time
	Store Store
	// Messengers take every message; the first is the operators' topic, which decides whether a notice was sent. None:
	// incidents are tracked, nobody is notified.
	Messengers []messenger
	Gauge      gauge // nil for none
	Compose    alert.Options
	// Function names the heartbeat; By names the round in claims.
	Function, By string
	// OnSent is called with every message that was sent; may be nil.
	OnSent func(incident.Notice, alert.Message)

	fallback   fallbackStore
	deliveries deliveries
}

// Tell adds a messenger.
func (p *Publisher) Tell(m messenger) { p.Messengers = append(p.Messengers, m) }

// Ignored counts an event that no round followed.
func (p *Publisher) Ignored(ctx context.Context) error {
	if p.Gauge == nil {
		return nil
	}
	return p.Gauge.Put(ctx, metric.Ignored(p.Function, p.Now()))
}

func stateError(err error, operation, meaning string) *observation.ObserveError {
	kind := observation.Incomplete
	var classified interface {
		error
		ObserveErrorKind() observation.ObserveErrorKind
	}
	if errors.As(err, &classified) {
		kind = classified.ObserveErrorKind()
	}
	return &observation.ObserveError{Kind: kind, Operation: operation, Detail: meaning + ": " + err.Error()}
}

// publish tracks, then puts the figures whatever became of the alerts. The alert path's own problems come last: what is said
// about it rests on what became of this round's messages. again judges the round again when that is known.
func (p *Publisher) publish(ctx context.Context, q Request, res *Result, t *tracking, again func(observation.Round) finding.Conclusion) error {
	errs := map[string]error{}
	tracking, cancel := keepBack(ctx, figureTime)
	defer cancel()
	t.alert(tracking, t.input(q, *res, p.Now()), false)
	t.recheck(tracking)
	if len(t.observed) > 0 {
		t.addObserved(q, &res.Round)
		res.Conclusion = again(res.Round)
	}
	t.alert(tracking, t.input(q, *res, p.Now()), true)
	state, err := t.finish(tracking)
	errs["alerts"] = err
	if p.Gauge != nil {
		errs["metrics"] = p.measure(ctx, q, *res, t, state)
	}
	return join(errs, "alerts", "metrics")
}

// measure puts the round's figures.
func (p *Publisher) measure(ctx context.Context, q Request, res Result, t *tracking, state incident.State) error {
	daily := p.daily(q, state, t.store.unread)
	data := metric.Of(metric.Input{
		Round: res.Round, Findings: res.Conclusion.Findings, Function: p.Function, Now: p.Now(), Incidents: state.Incidents,
		Narrowed: len(concerned(q)) > 0, StateUnread: t.store.unread,
		WhileFailing: q.Config.MetricsWhileFailing, PerCertificate: countsCertificates(q), Daily: daily,
	})
	if err := p.Gauge.Put(ctx, data); err != nil {
		return fmt.Errorf("putting %d metric values: %w", len(data), err)
	}
	if !daily || t.store.unread {
		return nil
	}
	var failed error
	t.swap(ctx, func(s incident.State) (wanted incident.State) {
		if day, due := incident.TakeDay(s, p.Function, p.Now()); due { // else another round wrote first, and both have put the same
			wanted.Counters = []incident.Counter{day}
		}
		return wanted
	}, func(_ string, err error) { failed = err })
	if failed != nil {
		return fmt.Errorf("recording that the daily metrics were put: %w", failed)
	}
	return nil
}

// daily reports whether the daily metrics are due: the first whole round of a day (UTC) puts them, at any schedule. If the
// state cannot be read, the rounds of the day's first hour put them.
func (p *Publisher) daily(q Request, state incident.State, unread bool) bool {
	asked := countsCertificates(q) || slices.ContainsFunc(q.Config.Endpoints, func(e target.Endpoint) bool { return e.PerEndpointMetrics })
	if !asked || len(concerned(q)) > 0 {
		return false
	}
	if unread {
		return p.Now().UTC().Hour() == 0
	}
	_, due := incident.TakeDay(state, p.Function, p.Now())
	return due
}

// countsCertificates reports whether a round puts the figures of certificates: inspect's do, which reads those of every
// listener. What probe reads because of an endpoint's problem is not all of them.
func countsCertificates(q Request) bool {
	return q.Config.MetricsPerCertificate && q.Depth == Listeners
}

// NeedsAWS reports whether the configuration needs anything that only AWS knows: load balancers to walk or named
// by an endpoint, or a declared ARN that no file of the configuration holds.
func NeedsAWS(c config.Config) bool {
	if c.Scope.Enabled {
		return true
	}
	files := map[string]bool{}
	for _, f := range c.Certificates {
		files[f.ARN] = true
	}
	for _, e := range c.Endpoints {
		if e.LoadBalancer != nil || e.Declared != nil && e.Declared.ARN != "" && !files[e.Declared.ARN] {
			return true
		}
	}
	return false
}
