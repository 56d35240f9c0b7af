package probe

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/probe/starttls"
)

// A server that says nothing costs its endpoint a whole timeout, and each inquiry into the cause may cost as long again. So they are made side
// by side while the first connection still waits: late enough that a server that is merely slow meets none, early enough that all are over
// by the end of the first one's time.

// inquiry looks into a silent server over connections of its own.
type inquiry struct {
	// make changes the failure in got if it learns something.
	make func(ctx context.Context, got *answer)
	// bounded is whether it is one of the round's looks, which have a bound of their own.
	bounded bool
}

// silence is a wait for a server's first answer, with the inquiries to make if none comes.
type silence struct {
	*endpointProbe
	phase  observation.Phase
	origin *origin
	at     netip.AddrPort
	allow  netguard.Permit
	conn   *countingConn
	heard  int64 // bytes that were received before the wait
	ends   time.Time
	timer  *time.Timer

	mu       sync.Mutex // guards what follows
	over     bool
	cancel   context.CancelFunc // nil if no inquiry was begun
	asking   sync.WaitGroup
	learned  []*answer // by the inquiries; nil for one that was not made
	panicked any
}

// askAfter is after how much of a timeout a server that is still silent is looked into: as late as leaves the time that inquiries may take,
// and not within the first third.
func askAfter(timeout time.Duration) time.Duration {
	return max(timeout/3, timeout-diagnoseTimeout-time.Second)
}

// await begins a wait in a phase: for what precedes TLS, or for the answer to a ClientHello. It returns nil for a phase that a kind does not have.
func (v *endpointProbe) await(ctx context.Context, phase observation.Phase, o *origin, at netip.AddrPort, allow netguard.Permit, conn *countingConn) *silence {
	if phase == observation.PhaseStartTLS && !o.kind.StartTLS() {
		return nil
	}
	s := &silence{endpointProbe: v, phase: phase, origin: o, at: at, allow: allow, conn: conn, heard: received(conn), ends: time.Now().Add(v.timeout)}
	s.timer = time.AfterFunc(askAfter(v.timeout), func() {
		if s.mayAsk() {
			s.ask(ctx, s.ends)
		}
	})
	return s
}

// failure is as which the wait ends if it is in vain.
func (s *silence) failure() *observation.Failure { return fail(s.phase, errPhase) }

// slow is the key under which is remembered that the server was silent, was looked into, and then answered.
func (s *silence) slow() string { return "slow\x00" + s.key(s.origin, s.at, s.failure()) }

// mayAsk reports whether the server can be asked while the first connection waits. Mail servers delay their greeting to find out, and punish,
// who does not wait for it; MySQL counts who hangs up in the middle of a handshake, as an inquiry does that is no longer needed.
func (s *silence) mayAsk() bool {
	greets := s.phase == observation.PhaseStartTLS && s.conn.first.Load() == 0
	return !greets && starttls.Farewell(s.origin.kind) == nil && received(s.conn) == s.heard &&
		!s.lookedLately(s.key(s.origin, s.at, s.failure())) && !s.lookedLately(s.slow())
}

// plan returns the inquiries in the order in which they count. until is by when they should be over.
func (s *silence) plan(until time.Time) []inquiry {
	asked := *s.origin
	asked.until = until
	o, at, allow := &asked, s.at, s.allow
	foreign := inquiry{func(ctx context.Context, got *answer) { s.askForeign(ctx, o, at, allow, got.Failure) }, false}
	if s.phase == observation.PhaseStartTLS {
		return []inquiry{{func(ctx context.Context, got *answer) { s.seekProxyHeader(ctx, o, at, allow, s.conn, got) }, true}, foreign}
	}
	all := []inquiry{{func(ctx context.Context, got *answer) { s.seekSmallHello(ctx, o, at, allow, s.conn, 0, got) }, true}}
	if s.heard > 0 {
		return all // it speaks the protocol that was expected
	}
	all = append(all, inquiry{func(ctx context.Context, got *answer) { s.seekPlainHTTP(ctx, o, at, allow, 0, got.Failure) }, false})
	if len(usualOpeners(o, s.failure())) > 0 {
		all = append(all, foreign)
	}
	return all
}

// ask begins all inquiries, once.
func (s *silence) ask(ctx context.Context, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil || s.over {
		return
	}
	ctx, s.cancel = context.WithCancel(ctx)
	inquiries := s.plan(until)
	s.learned = make([]*answer, len(inquiries))
	for i, q := range inquiries {
		if q.bounded && s.looks.full() {
			continue // none may ever be free: in an outage, a goroutine that waits would be what costs most
		}
		s.asking.Go(func() { s.learned[i] = s.inPlace(ctx, q) })
	}
}

// inPlace makes an inquiry in a place of its own; it returns nil if there is none by when the first connection gives up its own.
func (s *silence) inPlace(ctx context.Context, q inquiry) *answer {
	defer func() {
		if p := recover(); p != nil { // for the goroutine that waits, and survives it
			s.mu.Lock()
			defer s.mu.Unlock()
			s.panicked = p
		}
	}()
	if q.bounded {
		return s.inquire(ctx, q)
	}
	wait, cancel := context.WithTimeout(ctx, max(moment, time.Until(s.ends)))
	defer cancel()
	done, ok := s.another(wait)
	if !ok {
		return nil
	}
	defer done()
	return s.inquire(ctx, q)
}

func (s *silence) inquire(ctx context.Context, q inquiry) *answer {
	got := &answer{Address: observation.Address{Failure: s.failure()}}
	q.make(ctx, got)
	return got
}

// end ends the wait with a failure, or none. It reports whether the server stayed silent until the timeout.
func (s *silence) end(f *observation.Failure) (silent bool) {
	if s == nil {
		return false
	}
	s.timer.Stop()
	if f != nil && f.Kind == observation.TimedOut && *f == *s.failure() && received(s.conn) == s.heard {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.cancel != nil {
		s.cancel()
		s.remember(s.slow())
	}
	return false
}

// close waits for inquiries that are no longer needed.
func (s *silence) close() {
	if s == nil {
		return
	}
	s.timer.Stop()
	s.mu.Lock()
	s.over = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.asking.Wait()
}

// explain adds to the failure of a silent server what the inquiries learned. After one that saw a certificate, or another failure, none counts.
func (s *silence) explain(ctx context.Context, got *answer) {
	s.ask(ctx, time.Time{})
	s.asking.Wait()
	if s.panicked != nil {
		panic(s.panicked)
	}
	silent := s.failure()
	later := s.plan(time.Time{})
	for i, learned := range s.learned {
		if learned == nil { // there was no place for it: it takes that of the first connection, and has time of its own
			learned = s.inquire(ctx, later[i])
		}
		f := learned.Failure
		if learned.TLS != nil || f.ProxyHeader != nil || f.Kind != silent.Kind {
			got.Failure, got.TLS, got.peers, got.staple = f, learned.TLS, learned.peers, learned.staple
			got.version, got.suite, got.group = learned.version, learned.suite, learned.group
			return
		}
		if f.Detail != silent.Detail {
			got.Failure.Detail = f.Detail
		}
		if got.Failure.Speaks == "" {
			got.Failure.Speaks = f.Speaks
		}
	}
}
