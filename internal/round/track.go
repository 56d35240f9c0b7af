package round

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
)

// tracking is one round's way through the incidents: load, advance, claim, send, record (see package incident).
type tracking struct {
	*Publisher
	store  *guardedStore
	shared *Shared
	// failure is what went wrong with the state before the round began to track; nil for nothing.
	failure *observation.ObserveError

	hung     map[int]bool       // messengers that took all of messageTime
	observed map[string]outcome // what became of this round's last message to each topic

	backlog bool // earlier rounds have left more to write than there was time for

	recording sync.WaitGroup
	unsent    int // text messages that were counted and not sent

	mu        sync.Mutex
	unwritten map[string]error // why what could not be written was not, by key
	errs      []error
}

// begin reads the state, and writes what earlier rounds could not. It reads first: what one round has to write must not
// take the next one's time to read. What went wrong is an ObserveError of the round: it is judged and reported like any other.
func (p *Publisher) begin(ctx context.Context) *tracking {
	t := &tracking{
		Publisher: p, store: &guardedStore{store: p.Store},
		hung: map[int]bool{}, observed: map[string]outcome{}, unwritten: map[string]error{},
	}
	loaded, err := t.store.Load(ctx)
	if err != nil {
		t.store.unread = true
		t.failure = stateError(err, "dynamodb:Scan", "the incidents cannot be read, so alerts may be repeated")
		t.shared = share(t.store, p.fallback.lastState(), &p.fallback)
		return t
	}
	t.shared = share(t.store, p.fallback.over(loaded), &p.fallback)
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	t.flush(ctx)
	return t
}

// flush writes what the store could not take before. What there was no time for is left to the end of the round.
func (t *tracking) flush(ctx context.Context) {
	t.backlog, t.failure = false, nil
	t.shared.Swap(ctx, func(incident.State) incident.State { return t.fallback.all() }, func(_ string, err error) {
		switch {
		case err == nil:
		case ctx.Err() != nil && !t.store.hangs.Load():
			t.backlog = true
		default:
			t.failure = stateError(err, "dynamodb:PutItem", "the incidents cannot be written, so alerts may be repeated")
		}
	})
}

// swap changes the state by Shared.Swap.
func (t *tracking) swap(ctx context.Context, change func(incident.State) incident.State, written func(key string, err error)) {
	t.shared.Swap(ctx, change, func(key string, err error) {
		t.mu.Lock()
		if delete(t.unwritten, key); err != nil && !t.store.unread {
			t.unwritten[key] = err
		}
		t.mu.Unlock()
		written(key, err)
	})
}

// alert tracks findings and sends what is due.
func (t *tracking) alert(ctx context.Context, in incident.Input, path bool) {
	if deadline, ok := ctx.Deadline(); ok {
		in.Ends = in.Now.Add(time.Until(deadline)) // nothing is sent after that
	}
	claiming, cancel := context.WithTimeout(ctx, claimingTime(ctx))
	defer cancel()
	notices := incident.Bundle(in.Policy, t.claim(claiming, in, path))
	sms := t.takeSMS(claiming, in, notices)
	for i, n := range notices {
		t.send(ctx, n, sms[i])
	}
}

func claimingTime(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(claimTime, time.Until(deadline)/2)
	}
	return claimTime
}

// claim steps until every changed record is written by this round or settled by another, and returns the notices that are
// this round's to send. Where that cannot be known in time, alerts that are due are sent all the same: once too often rather than never.
// All-clears wait for a round that can record them.
func (t *tracking) claim(ctx context.Context, in incident.Input, path bool) []incident.Notice {
	var due map[string]incident.Notice
	var ours, held []incident.Notice
	t.swap(ctx, func(s incident.State) incident.State {
		in.Records = s.Incidents
		changed, notices := incident.Advance(in.AboutPath(path))
		due = make(map[string]incident.Notice, len(notices))
		for _, n := range notices {
			due[n.Record.Key] = n
			t.fallback.claim(n)
		}
		return incident.State{Incidents: changed}
	}, func(key string, err error) {
		n, ok := due[key]
		if !ok {
			return
		}
		delete(due, key)
		if err != nil && n.Event == incident.Recovered {
			held = append(held, n)
			return
		}
		n.Repetition = n.Repetition || err != nil
		ours = append(ours, n)
	})
	slices.SortStableFunc(ours, func(a, b incident.Notice) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Record.Key, b.Record.Key))
	})
	for _, n := range held {
		t.recording.Go(func() { t.record(ctx, n, errUnclaimed) })
	}
	return ours
}

// errUnclaimed is why an all-clear is not sent: the table does not know of it. If the process ended, the incident would still count as
// reported, and there would be no alert when the same breaks again.
var errUnclaimed = errors.New("the table did not take the claim")

// record writes that a notice was sent, or that it was not and the next round may try. Where that fails, the claim expires
// and the next round repeats the notice: once too often rather than never.
func (t *tracking) record(ctx context.Context, n incident.Notice, err error) {
	open := map[string]incident.Notice{}
	for _, each := range n.Each() {
		open[each.Record.Key] = each
	}
	t.swap(ctx, func(s incident.State) (wanted incident.State) {
		for _, r := range s.Incidents {
			each, ok := open[r.Key]
			switch {
			case !ok:
			case err == nil:
				wanted.Incidents = append(wanted.Incidents, incident.Sent(r, each, t.Now()))
			default:
				wanted.Incidents = append(wanted.Incidents, incident.Released(r, each, errors.Is(err, context.DeadlineExceeded)))
			}
		}
		return wanted
	}, func(key string, err error) {
		delete(open, key)
		if err == nil {
			t.fallback.dropClaims(key)
		}
	})
}

// addObserved adds to the round what became of its messages.
func (t *tracking) addObserved(q Request, to *observation.Round) {
	var topics []observation.Topic
	if to.AlertPath != nil {
		topics = to.AlertPath.Topics
	}
	topics, failures := addOutcomes(topics, t.observed)
	setTopics(to, q, topics, failures)
}

// finish waits until everything is recorded and returns the state after the round, and what went wrong.
func (t *tracking) finish(ctx context.Context) (incident.State, error) {
	t.returnSMS(ctx)
	t.recording.Wait()
	if t.backlog {
		t.flush(ctx)
	}
	state := t.shared.State()
	t.fallback.setLast(state)
	t.failStalled(state)
	if n := len(t.unwritten); n > 0 {
		first := slices.Min(slices.Collect(maps.Keys(t.unwritten)))
		t.errs = append(t.errs, fmt.Errorf("writing %d items of the state, %q among them: %w", n, first, t.unwritten[first]))
	}
	return state, errors.Join(t.errs...)
}

// failStalled fails the round for critical alerts that another round has claimed and not sent: until the claim runs out, nobody
// sends them.
func (t *tracking) failStalled(state incident.State) {
	var stalled []string
	for _, r := range state.Incidents {
		if r.Stalled(t.Now()) {
			stalled = append(stalled, r.Key)
		}
	}
	if n := len(stalled); n > 0 {
		t.fail("critical alerts that another round claimed and has not recorded as sent: %d, %q among them", n, stalled[0])
	}
}

func (t *tracking) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errs = append(t.errs, fmt.Errorf(format, args...))
}

// input is what tracking a round depends on, but for the records.
func (t *tracking) input(q Request, res Result, now time.Time) incident.Input {
	configured, urls := make([]string, 0, len(q.Config.Endpoints)), make(map[string]string, len(q.Config.Endpoints))
	for _, e := range q.Config.Endpoints {
		configured, urls[e.Key()] = append(configured, e.Key()), e.URL
	}
	return incident.Input{
		Policy: q.Config.Incidents, Findings: append([]finding.Finding(nil), res.Conclusion.Findings...),
		Coverage: incident.Cover(res.Round, configured, len(concerned(q)) > 0, NeedsAWS(q.Config)),
		URLs:     urls, Now: now, By: t.By, StateUnread: t.store.unread,
	}
}
