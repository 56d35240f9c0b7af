package round

import (
	"context"
	"errors"
	"fmt"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// store keeps incidents. Load gives all of them. Save writes one on the condition that the stored version is still the
// record's, which makes it one more; false where somebody else wrote first.
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

// track turns findings into notices and sends them. It gives the records as they stand, for the metrics.
func (p *Publisher) track(ctx context.Context, in incident.Input) ([]incident.Record, error) {
	t := &tracking{Publisher: p, in: in, hung: map[int]bool{}}
	t.claim(ctx)
	for _, n := range incident.Bundle(in.Policy, append(t.claimed, t.unstored...)) {
		t.send(ctx, n)
	}
	if in.StateUnread {
		for _, r := range t.in.Records {
			p.shadow.keep(r, nil)
		}
	}
	return t.in.Records, errors.Join(t.errs...)
}

// claim steps until every changed record is written by this round or settled by another.
func (t *tracking) claim(ctx context.Context) {
	mine := map[string]bool{}
	for range attempts {
		changed, notices := incident.Advance(t.in)
		if t.in.StateUnread {
			t.unstored = notices
			t.replace(changed)
			return
		}
		told := map[string]incident.Notice{}
		for _, n := range notices {
			told[n.Record.Key] = n
		}
		conflict := false
		for _, r := range changed {
			ok, err := t.save(ctx, r)
			n, telling := told[r.Key]
			switch {
			case err != nil:
				t.errs = append(t.errs, fmt.Errorf("writing the incident %q: %w", r.Key, err))
				t.shadow.keep(r, err)
				t.replace([]incident.Record{r})
				if telling && !mine[r.Key] {
					mine[r.Key] = true
					n.Repetition = true
					t.unstored = append(t.unstored, n)
				}
			case !ok:
				conflict = true
			default:
				t.shadow.written(r.Key)
				r.Version++
				t.replace([]incident.Record{r})
				if telling {
					mine[r.Key] = true
					t.claimed = append(t.claimed, n)
				}
			}
		}
		if !conflict {
			return
		}
		records, err := t.reload(ctx)
		if err != nil {
			t.errs = append(t.errs, fmt.Errorf("reading the incidents again: %w", err))
			return
		}
		t.in.Records = records
	}
	t.errs = append(t.errs, fmt.Errorf("writing incidents: other rounds wrote first %d times", attempts))
}

// replace puts records among those known.
func (t *tracking) replace(changed []incident.Record) {
	at := map[string]int{}
	for i, r := range t.in.Records {
		at[r.Key] = i
	}
	for _, r := range changed {
		if i, ok := at[r.Key]; ok {
			t.in.Records[i] = r
			continue
		}
		t.in.Records = append(t.in.Records, r)
	}
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
		t.settle(ctx, each, err == nil)
	}
}

// deliver sends to every messenger; one that fails does not stop the others. The notice counts as sent where the first
// messenger, the operators' topic, took it: a chat that is down must not repeat mails, and a topic that is down must not
// repeat what the chat has taken.
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

// errHung stands for a service that was not asked any more.
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

// save writes a record; reload gives all. A store that hangs is left alone likewise.
func (t *tracking) save(ctx context.Context, r incident.Record) (ok bool, err error) {
	err = t.ask(ctx, func(ctx context.Context) (err error) { ok, err = t.Store.Save(ctx, r); return err })
	return ok, err
}

func (t *tracking) reload(ctx context.Context) (records []incident.Record, err error) {
	err = t.ask(ctx, func(ctx context.Context) (err error) { records, err = t.Store.Load(ctx); return err })
	return records, err
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

// settle writes that a notice was sent, or that it was not and the next round may try. Where that fails, the claim runs
// out and the next round repeats the notice: once too often rather than never.
func (t *tracking) settle(ctx context.Context, n incident.Notice, sent bool) {
	for range attempts {
		i := t.index(n.Record.Key)
		if i < 0 {
			return
		}
		r := t.in.Records[i]
		if sent {
			r = incident.Sent(r, n, t.Now())
		} else {
			r = incident.Released(r)
		}
		if t.in.StateUnread {
			t.in.Records[i] = r
			return
		}
		ok, err := t.save(ctx, r)
		if err != nil {
			t.errs = append(t.errs, fmt.Errorf("recording what was sent of %q: %w", r.Key, err))
			t.shadow.keep(r, err)
			t.in.Records[i] = r
			return
		}
		if ok {
			t.shadow.written(r.Key)
			r.Version++
			t.in.Records[i] = r
			return
		}
		records, err := t.reload(ctx)
		if err != nil {
			t.errs = append(t.errs, fmt.Errorf("reading the incident %q again: %w", r.Key, err))
			return
		}
		t.in.Records = records
	}
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
