package round

import (
	"context"
	"sync"
	"time"

	"certdrift/internal/observation"
)

// pathTime bounds the reading of the alert path: it must not take an endpoint's turn.
const pathTime = 10 * time.Second

// pathSeen is the result of reading the alert path; the zero value if it was not read.
type pathSeen struct {
	topics   []observation.Topic
	stack    *observation.OwnStack
	failures []observation.ObserveError
}

// readPath reads who is subscribed, and whether certdrift's own rules and alarms are armed. A round that follows an event does not: a change causes many of those, and scheduled
// rounds read it anyway.
func (r *Runner) readPath(ctx context.Context, q Request) (seen pathSeen) {
	if len(q.Changes) > 0 {
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, pathTime)
	defer cancel()
	var group sync.WaitGroup
	var failures []observation.ObserveError
	if r.Stack != nil {
		group.Go(func() { seen.stack, failures = r.Stack.Observe(ctx) })
	}
	if r.AlertPath != nil {
		seen.topics, seen.failures = r.AlertPath.Observe(ctx)
	}
	group.Wait()
	seen.failures = append(seen.failures, failures...)
	return seen
}

// addPath adds the alert path to the round: what was read, and the outcome of the last messages that this process sent.
func (r *Runner) addPath(to *observation.Round, q Request, seen pathSeen) {
	topics := seen.topics
	if r.Publisher != nil {
		var failures []observation.ObserveError
		topics, failures = r.Publisher.deliveries.over(topics)
		seen.failures = append(seen.failures, failures...)
	}
	to.ObserveErrors = append(to.ObserveErrors, seen.failures...)
	if len(topics) == 0 && seen.stack == nil {
		return
	}
	environments := q.Environments
	if environments == nil {
		environments = Environments(q.Config, q.Diagnostics)
	}
	to.AlertPath = &observation.AlertPath{Environments: environments, Topics: topics, Stack: seen.stack}
}
