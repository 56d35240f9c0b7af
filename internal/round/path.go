package round

import (
	"context"
	"time"

	"certdrift/internal/observation"
)

// pathTime bounds the reading of the alert path: it must not take an endpoint's turn.
const pathTime = 10 * time.Second

// pathSeen is what reading the alert path gave; the zero value where nobody looked.
type pathSeen struct {
	topics   []observation.Topic
	troubles []observation.ObserveError
}

// readPath reads who is subscribed. A round that follows an event leaves it alone: many follow a change, and the
// schedule looks anyway.
func (r *Runner) readPath(ctx context.Context, q Request) (seen pathSeen) {
	if r.AlertPath == nil || len(q.Changes) > 0 {
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, pathTime)
	defer cancel()
	seen.topics, seen.troubles = r.AlertPath.Observe(ctx)
	return seen
}

// addPath puts the alert path into the round: what was read, and what became of the last messages that this process sent.
func (r *Runner) addPath(to *observation.Round, q Request, seen pathSeen) {
	topics := seen.topics
	if r.Publisher != nil {
		var troubles []observation.ObserveError
		topics, troubles = r.Publisher.deliveries.over(topics)
		seen.troubles = append(seen.troubles, troubles...)
	}
	to.ObserveErrors = append(to.ObserveErrors, seen.troubles...)
	if len(topics) == 0 {
		return
	}
	environments := q.Environments
	if environments == nil {
		environments = Environments(q.Config, q.Diagnostics)
	}
	to.AlertPath = &observation.AlertPath{Environments: environments, Topics: topics}
}
