package round

import (
	"context"
	"errors"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
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
