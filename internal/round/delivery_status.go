package round

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"certdrift/internal/incident"
	"certdrift/internal/observation"
)

// addressed is a messenger that is known by an ARN: a topic.
type addressed interface{ ARN() string }

// deliveries is what this process knows of its messengers: what became of each topic's last message, and what further paths
// took while the first did not. A cold start forgets it.
type deliveries struct {
	mu    sync.Mutex
	last  map[string]outcome
	taken map[string]bool
}

// outcome is what became of a message to a topic, the messenger of that index: err is nil where it took it.
type outcome struct {
	index int
	err   error
}

// note remembers what became of a message.
func (d *deliveries) note(topicARN string, o outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		d.last = map[string]outcome{}
	}
	d.last[topicARN] = o
}

// lastTo is what became of the last message to a topic; ok is false where this process sent none.
func (d *deliveries) lastTo(topicARN string) (last outcome, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, ok = d.last[topicARN]
	return last, ok
}

// accepted are the topics that took the last message. What others did with one in an earlier round says nothing about now.
func (d *deliveries) accepted() map[string]outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := maps.Clone(d.last)
	maps.DeleteFunc(out, func(_ string, o outcome) bool { return o.err != nil })
	return out
}

// addOutcomes merges what became of messages into the topics that were read, and adds those that were not.
func addOutcomes(topics []observation.Topic, outcomes map[string]outcome) ([]observation.Topic, []observation.ObserveError) {
	topics = slices.Clone(topics)
	var failures []observation.ObserveError
	for _, arn := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[arn]
		i := slices.IndexFunc(topics, func(t observation.Topic) bool { return t.ARN == arn })
		if i < 0 {
			topics = append(topics, observation.Topic{ARN: arn, Chat: o.index > 0})
			i = len(topics) - 1
		}
		topics[i].Taken, topics[i].Refused = false, ""
		failures = append(failures, o.record(&topics[i])...)
	}
	return topics, failures
}

// record writes the outcome into the topic. Throttling is a failure to observe, not a refusal.
func (o outcome) record(t *observation.Topic) []observation.ObserveError {
	if o.err == nil {
		t.Taken = true
		return nil
	}
	if errors.Is(o.err, context.DeadlineExceeded) {
		t.Refused = "it did not answer within " + messageTime.String()
		return nil
	}
	var classified interface {
		error
		Reason() string
		ObserveErrorKind() observation.ObserveErrorKind
	}
	if !errors.As(o.err, &classified) {
		return nil // the message's own fault, and the round's error
	}
	if classified.ObserveErrorKind() == observation.Throttled {
		return []observation.ObserveError{{Kind: observation.Throttled, Operation: "sns:Publish", Resource: t.ARN, Detail: classified.Reason()}}
	}
	t.Refused = classified.Reason()
	return nil
}

// maxTaken bounds what is remembered of further paths; past it, one may hear a notice again.
const maxTaken = 1000

// passed reports whether a further path has taken a notice already that the first could not: it need not hear it every round.
func (d *deliveries) passed(index int, n incident.Notice) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !slices.ContainsFunc(n.Each(), func(each incident.Notice) bool { return !d.taken[nameOf(index, each)] })
}

// pass remembers that a further path took a notice, or, where the first did too, that it may hear the next.
func (d *deliveries) pass(index int, n incident.Notice, first error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taken == nil || len(d.taken) > maxTaken {
		d.taken = map[string]bool{}
	}
	for _, each := range n.Each() {
		if first == nil {
			delete(d.taken, nameOf(index, each))
		} else {
			d.taken[nameOf(index, each)] = true
		}
	}
}

// nameOf names a notice across the rounds that try to send it.
func nameOf(index int, n incident.Notice) string {
	return fmt.Sprintf("%d %s %s %d %d %d %s", index, n.Event, n.Severity, n.Before, n.Remaining, n.Record.Reminders, n.Record.Key)
}
