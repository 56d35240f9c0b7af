package round

import (
	"context"
	"errors"
	"slices"

	"certdrift/internal/alert"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// messenger sends one message. It returns nil only if the message was accepted, as a message id shows.
type messenger interface {
	Send(ctx context.Context, m alert.Message) error
}

// errNobody is why a notice that a topic takes no message cannot be delivered: there is no other path.
var errNobody = errors.New("the only alert path is the topic that this alert is about")

// send sends one notice. That it did, or that it did not, is recorded while the next one is sent: a slow table must not make
// the others wait.
func (t *tracking) send(ctx context.Context, n incident.Notice, sms bool) {
	options := t.Compose
	options.HoldSMS = !sms
	message := alert.Compose(n, options)
	err := t.deliver(ctx, n, message)
	switch {
	case err != nil:
		t.fail("sending %q: %w", message.Subject, err)
		if sms {
			t.unsent++
		}
	case t.OnSent != nil:
		t.OnSent(n, message)
	}
	t.recording.Go(func() { t.record(ctx, n, err) })
}

// deliver sends to every messenger; one that fails does not stop the others. The notice counts as sent where the first
// messenger, the operators' topic, accepted it: a chat that is down must not repeat emails, and a topic that is down must
// not repeat what the chat has accepted. That a topic takes no message is for the others to say.
func (t *tracking) deliver(ctx context.Context, n incident.Notice, m alert.Message) error {
	first, asked := errNobody, false
	for i, to := range t.Messengers {
		if about(n, to) || asked && first != nil && t.deliveries.passed(i, n) {
			continue
		}
		err := t.tell(ctx, i, to, m)
		switch {
		case !asked:
			first, asked = err, true
		case err != nil:
			t.fail("sending %q on a further path: %w", m.Subject, err)
		default:
			t.deliveries.pass(i, n, first)
		}
	}
	if len(t.Messengers) == 0 {
		return nil
	}
	return first
}

// about reports whether a notice says that the messenger is a topic that takes no message.
func about(n incident.Notice, to messenger) bool {
	topic, ok := to.(addressed)
	return ok && n.Event != incident.Recovered &&
		slices.ContainsFunc(n.Each(), func(each incident.Notice) bool { return each.Record.Refuses(topic.ARN()) })
}

// tell sends on one path. One that hangs is left alone for the rest of the round: it must not take the time that the
// others and the next notice need.
func (t *tracking) tell(ctx context.Context, i int, to messenger, m alert.Message) error {
	if t.hung[i] {
		return errHung
	}
	bounded, cancel := context.WithTimeout(ctx, messageTime)
	defer cancel()
	err := to.Send(bounded, m)
	t.hung[i] = err != nil && bounded.Err() != nil
	if topic, ok := to.(addressed); ok && (err == nil || ctx.Err() == nil) { // that the round's own time is over says nothing about the topic
		t.observed[topic.ARN()] = outcome{i, err}
		t.deliveries.note(topic.ARN(), outcome{i, err})
	}
	return err
}

// recheck sends a test alert to the topics that did not take the last message, as far as this process knows, or else the
// state, and that this round has not sent anything else: whether they take messages shows only by sending one.
func (t *tracking) recheck(ctx context.Context) {
	incidents := t.shared.State().Incidents
	for i, to := range t.Messengers {
		topic, ok := to.(addressed)
		if !ok {
			continue
		}
		last, known := t.deliveries.lastTo(topic.ARN())
		refused := last.err != nil ||
			!known && slices.ContainsFunc(incidents, func(r incident.Record) bool { return r.Refuses(topic.ARN()) })
		if _, tried := t.observed[topic.ARN()]; tried || !refused {
			continue
		}
		options := t.Compose
		options.HoldSMS = true
		_ = t.tell(ctx, i, to, alert.Compose(alert.TestAlert("", finding.Warning, t.Now()), options)) // the outcome is an observation
	}
}
