package round

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/config"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// What one service may take of a round's time: DynamoDB to give the incidents and to take one, a messenger to take a
// message. What hangs is left alone for the rest of the round, so that the others get theirs. figureTime is kept for the
// figures at the end, the heartbeat among them.
const (
	loadTime    = 6 * time.Second
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
	Store store
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

// load reads the state. What went wrong, now or when the last round wrote, is an ObserveError of the round: it is judged and
// reported like any other.
func (p *Publisher) load(ctx context.Context) (records []incident.Record, unread bool, failure *observation.ObserveError) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	p.flush(ctx)
	records, err := p.Store.Load(ctx)
	if err != nil {
		return p.fallback.all(), true, stateError(err, "dynamodb:Scan", "the incidents cannot be read, so alerts may be repeated")
	}
	records = p.fallback.over(records)
	if err := p.fallback.failed(); err != nil {
		failure = stateError(err, "dynamodb:PutItem", "the incidents cannot be written, so alerts may be repeated")
	}
	return records, false, failure
}

// flush writes what the store could not take before. If somebody else has written since, loading shows it.
func (p *Publisher) flush(ctx context.Context) {
	for _, r := range p.fallback.all() {
		ok, err := p.Store.Save(ctx, r)
		if err != nil {
			p.fallback.keep(r, err)
			return
		}
		if ok {
			p.fallback.written(r.Key)
		}
	}
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

// publish tracks, then puts the figures whatever became of the alerts.
func (p *Publisher) publish(ctx context.Context, q Request, res Result, records []incident.Record, unread bool) error {
	errs := map[string]error{}
	in := p.input(q, res, records, unread, p.Now())
	tracking, cancel := keepBack(ctx, figureTime)
	defer cancel()
	records, errs["alerts"] = p.track(tracking, in)
	if p.Gauge != nil {
		errs["metrics"] = p.measure(ctx, q, res, records, unread)
	}
	return join(errs, "alerts", "metrics")
}

// measure puts the round's figures.
func (p *Publisher) measure(ctx context.Context, q Request, res Result, records []incident.Record, unread bool) error {
	day, daily := p.daily(q, records, unread)
	data := metric.Of(metric.Input{
		Round: res.Round, Findings: res.Conclusion.Findings, Function: p.Function, Now: p.Now(), Incidents: records,
		Narrowed: len(concerned(q)) > 0, StateUnread: unread,
		WhileFailing: q.Config.MetricsWhileFailing, PerCertificate: countsCertificates(q), Daily: daily,
	})
	if err := p.Gauge.Put(ctx, data); err != nil {
		return fmt.Errorf("putting %d figures: %w", len(data), err)
	}
	if !daily || unread {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	if _, err := p.Store.Save(ctx, day); err != nil { // where another round wrote first, both have put the same
		return fmt.Errorf("recording the day's figures: %w", err)
	}
	return nil
}

// daily reports whether the daily metrics are due, and returns the record to write when they are put: the first whole round
// of a day (UTC) puts them, at any schedule. If the state cannot be read, the rounds of the day's first hour put them.
func (p *Publisher) daily(q Request, records []incident.Record, unread bool) (incident.Record, bool) {
	asked := countsCertificates(q) || slices.ContainsFunc(q.Config.Endpoints, func(e target.Endpoint) bool { return e.PerEndpointMetrics })
	if !asked || len(concerned(q)) > 0 {
		return incident.Record{}, false
	}
	if unread {
		return incident.Record{}, p.Now().UTC().Hour() == 0
	}
	return incident.TakeDay(records, p.Function, p.Now())
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
