package round

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// store keeps incidents. Load returns all of them. Save writes one if the stored version is still the record's, and
// increments it. It returns false if somebody else wrote first.
type store interface {
	Load(ctx context.Context) ([]incident.Record, error)
	Save(ctx context.Context, r incident.Record) (bool, error)
}

// messenger sends one message.
type messenger interface {
	Send(ctx context.Context, m alert.Message) error
}

// attempts bounds how often a round steps again after another one wrote first.
const attempts = 5

// tracking is one round's way through the incidents: load, advance, claim, send, record (see package incident).
type tracking struct {
	*Publisher
	in       incident.Input
	claimed  []incident.Notice // ours to send
	unstored []incident.Notice // to be sent although nothing could be written
	hung     map[int]bool      // messengers that took all of messageTime
	stuck    bool              // the store took all of saveTime
	errs     []error
}

// track turns findings into notices and sends them. It returns the current records, for the metrics.
func (p *Publisher) track(ctx context.Context, in incident.Input) ([]incident.Record, error) {
	t := &tracking{Publisher: p, in: in, hung: map[int]bool{}}
	t.claim(ctx)
	for _, n := range incident.Bundle(in.Policy, append(t.claimed, t.unstored...)) {
		t.send(ctx, n)
	}
	if in.StateUnread {
		for _, r := range t.in.Records {
			p.fallback.keep(r, nil)
		}
	}
	return t.in.Records, errors.Join(t.errs...)
}

// claim steps until every changed record is written by this round or settled by another. Where that cannot be known, what
// is due is sent all the same: once too often rather than never.
func (t *tracking) claim(ctx context.Context) {
	var lost []step
	why := fmt.Errorf("other rounds wrote first %d times", attempts)
	for range attempts {
		steps := t.steps()
		if t.in.StateUnread {
			for _, s := range steps {
				t.replace(s.record)
				t.unstored = append(t.unstored, s.notices...)
			}
			return
		}
		if lost = t.write(ctx, steps); len(lost) == 0 {
			return
		}
		records, err := t.reload(ctx)
		if err != nil {
			why = fmt.Errorf("reading the incidents again: %w", err)
			break
		}
		t.in.Records = records
	}
	for _, s := range lost {
		t.unwritten(s, why)
	}
}

// step is a changed record and the notices about it: one at the most.
type step struct {
	record  incident.Record
	notices []incident.Notice
}

// steps advances the incidents.
func (t *tracking) steps() []step {
	changed, notices := incident.Advance(t.in)
	steps := make([]step, 0, len(changed))
	for _, r := range changed {
		s := step{record: r}
		for _, n := range notices {
			if n.Record.Key == r.Key {
				s.notices = append(s.notices, n)
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// write writes changed records and claims the notices about them. It returns those that another round wrote first.
func (t *tracking) write(ctx context.Context, steps []step) (lost []step) {
	for _, s := range steps {
		ok, err := t.save(ctx, s.record)
		switch {
		case err != nil:
			t.unwritten(s, err)
		case !ok:
			lost = append(lost, s)
		default:
			t.fallback.written(s.record.Key)
			s.record.Version++
			t.replace(s.record)
			t.claimed = append(t.claimed, s.notices...)
		}
	}
	return lost
}

// unwritten remembers in the process what the table could not take, and has the notices sent.
func (t *tracking) unwritten(s step, why error) {
	t.errs = append(t.errs, fmt.Errorf("writing the incident %q: %w", s.record.Key, why))
	t.fallback.keep(s.record, why)
	t.replace(s.record)
	t.repeat(s.notices...)
}

// repeat has notices sent that another round may send too, each once.
func (t *tracking) repeat(notices ...incident.Notice) {
	for _, n := range notices {
		known := func(m incident.Notice) bool { return m.Record.Key == n.Record.Key }
		if slices.ContainsFunc(t.claimed, known) || slices.ContainsFunc(t.unstored, known) {
			continue
		}
		n.Repetition = true
		t.unstored = append(t.unstored, n)
	}
}

// replace puts a record among those known.
func (t *tracking) replace(r incident.Record) {
	if i := t.index(r.Key); i >= 0 {
		t.in.Records[i] = r
		return
	}
	t.in.Records = append(t.in.Records, r)
}

// send sends one notice and records that it did, or that it did not.
func (t *tracking) send(ctx context.Context, n incident.Notice) {
	options := t.Compose
	options.HoldSMS = !t.takeSMS(ctx, n.Severity)
	message := alert.Compose(n, options)
	err := t.deliver(ctx, n, message)
	if err != nil {
		t.returnSMS(ctx, options.HoldSMS)
		t.errs = append(t.errs, fmt.Errorf("sending %q: %w", message.Subject, err))
	}
	if t.OnSent != nil && err == nil {
		t.OnSent(n, message)
	}
	for _, each := range n.Each() {
		t.recordSent(ctx, each, err == nil)
	}
}

// deliver sends to every messenger; one that fails does not stop the others. The notice counts as sent where the first
// messenger, the operators' topic, accepted it: a chat that is down must not repeat emails, and a topic that is down must
// not repeat what the chat has accepted.
func (t *tracking) deliver(ctx context.Context, n incident.Notice, m alert.Message) error {
	var first error
	for i, to := range t.Messengers {
		if i > 0 && first != nil && t.deliveries.passed(i, n) {
			continue
		}
		err := t.tell(ctx, i, to, m)
		switch {
		case i == 0:
			first = err
		case err != nil:
			t.errs = append(t.errs, fmt.Errorf("sending %q on a further path: %w", m.Subject, err))
		default:
			t.deliveries.pass(i, n, first)
		}
	}
	return first
}

// errHung is the error of a service that is not called again in this round.
var errHung = errors.New("not tried, since it did not answer earlier in this round")

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
	t.deliveries.note(ctx, i, to, err)
	return err
}

// save writes a record; reload gives all, with what this process remembers of them. A store that hangs is left alone likewise.
func (t *tracking) save(ctx context.Context, r incident.Record) (ok bool, err error) {
	err = t.ask(ctx, func(ctx context.Context) (err error) { ok, err = t.Store.Save(ctx, r); return err })
	return ok, err
}

func (t *tracking) reload(ctx context.Context) (records []incident.Record, err error) {
	err = t.ask(ctx, func(ctx context.Context) (err error) { records, err = t.Store.Load(ctx); return err })
	if err != nil {
		return nil, err
	}
	return t.fallback.over(records), nil
}

func (t *tracking) ask(ctx context.Context, do func(context.Context) error) error {
	if t.stuck {
		return errHung
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	err := do(ctx)
	t.stuck = err != nil && ctx.Err() != nil
	return err
}

// recordSent writes that a notice was sent, or that it was not and the next round may try. Where that fails, the claim
// expires and the next round repeats the notice: once too often rather than never.
func (t *tracking) recordSent(ctx context.Context, n incident.Notice, sent bool) {
	err := t.compareAndSwap(ctx, func(records []incident.Record) (r incident.Record, ok bool) {
		i := t.index(n.Record.Key)
		if i < 0 {
			return r, false
		}
		if sent {
			return incident.Sent(records[i], n, t.Now()), true
		}
		return incident.Released(records[i]), true
	})
	if err != nil {
		t.errs = append(t.errs, fmt.Errorf("recording what was sent of %q: %w", n.Record.Key, err))
	}
}

// compareAndSwap writes the record that change returns, and starts over from what the store then holds where another
// round wrote first. What the store cannot take, this process remembers. Nothing is written where change returns false.
func (t *tracking) compareAndSwap(ctx context.Context, change func([]incident.Record) (incident.Record, bool)) error {
	for range attempts {
		r, ok := change(t.in.Records)
		if !ok {
			return nil
		}
		if t.in.StateUnread {
			t.replace(r)
			return nil
		}
		written, err := t.save(ctx, r)
		switch {
		case err != nil:
			t.fallback.keep(r, err)
			t.replace(r)
			return err
		case written:
			t.fallback.written(r.Key)
			r.Version++
			t.replace(r)
			return nil
		case t.fallback.holds(r.Key): // what came before could not be written either: this process remembers it
			t.fallback.keep(r, nil)
			t.replace(r)
			return nil
		}
		records, err := t.reload(ctx)
		if err != nil {
			return fmt.Errorf("reading the incidents again: %w", err)
		}
		t.in.Records = records
	}
	return nil
}

func (t *tracking) index(key string) int {
	for i, r := range t.in.Records {
		if r.Key == key {
			return i
		}
	}
	return -1
}

// input is what tracking a round depends on.
func (p *Publisher) input(q Request, res Result, records []incident.Record, unread bool, now time.Time) incident.Input {
	configured := make([]string, 0, len(q.Config.Endpoints))
	for _, e := range q.Config.Endpoints {
		configured = append(configured, e.Key())
	}
	return incident.Input{
		Policy: q.Config.Incidents, Records: records, Findings: append([]finding.Finding(nil), res.Conclusion.Findings...),
		Coverage: incident.Cover(res.Round, configured, len(concerned(q)) > 0, NeedsAWS(q.Config)),
		Now:      now, By: p.By, StateUnread: unread,
	}
}
