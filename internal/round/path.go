package round

import (
	"context"
	"slices"
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

// readPath reads who is subscribed, and whether certdrift's own rules and alarms are armed. A round that follows an event does
// not: a change causes many of those, and scheduled rounds read it anyway.
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

// addPath adds the alert path to the round: what was read, and that topics took the last message that this process sent.
func (r *Runner) addPath(to *observation.Round, q Request, seen pathSeen) {
	var accepted map[string]outcome
	if r.Publisher != nil {
		accepted = r.Publisher.deliveries.accepted()
	}
	topics, _ := addOutcomes(seen.topics, accepted)
	setTopics(to, q, topics, seen.failures)
	if to.AlertPath == nil && seen.stack != nil {
		to.AlertPath = &observation.AlertPath{Environments: pathEnvironments(q)}
	}
	if to.AlertPath != nil {
		to.AlertPath.Stack = seen.stack
	}
}

// setTopics puts topics into the round's alert path, beside what is known of the stack.
func setTopics(to *observation.Round, q Request, topics []observation.Topic, failures []observation.ObserveError) {
	to.ObserveErrors = slices.Concat(to.ObserveErrors, failures)
	if len(topics) == 0 {
		return
	}
	path := observation.AlertPath{Environments: pathEnvironments(q)}
	if to.AlertPath != nil {
		path = *to.AlertPath // not in place: the round that was read stays as it is
	}
	path.Topics = topics
	to.AlertPath = &path
}

func pathEnvironments(q Request) []string {
	if q.Environments != nil {
		return q.Environments
	}
	return Environments(q.Config, q.Diagnostics)
}
