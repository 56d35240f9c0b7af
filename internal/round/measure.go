package round

import (
	"context"
	"fmt"
	"slices"

	"certdrift/internal/incident"
	"certdrift/internal/metric"
	"certdrift/internal/target"
)

// gauge puts metric data.
type gauge interface {
	Put(ctx context.Context, data []metric.Datum) error
}

// measure puts the round's figures.
func (p *Publisher) measure(ctx context.Context, q Request, res Result, t *tracking, state incident.State) error {
	daily := p.daily(q, state, t.store.unread)
	data := metric.Of(metric.Input{
		Round: res.Round, Findings: res.Conclusion.Findings, Function: p.Function, Now: p.Now(), Policy: q.Config.Policy, Incidents: state.Incidents,
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
