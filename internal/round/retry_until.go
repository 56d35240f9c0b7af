package round

import (
	"context"
	"time"
)

// Steady repeats a round until two in a row are good, or the time is over: one good answer may be luck, while a load
// balancer's nodes catch up one by one.
type Steady struct {
	Now func() time.Time
	// Pause waits, or returns when the context ends.
	Pause func(ctx context.Context, d time.Duration)
	// For is how long to go on; with 0 a bad round ends it at once. Every is the pause between rounds; the last one is as short as the
	// time that is left, so that a bad round is always followed by another when the time is over.
	For, Every time.Duration
}

// Enough is how many good rounds in a row are believed.
const Enough = 2

// leastRound is what a round gets even where the time is nearly over.
const leastRound = time.Minute

// Until runs rounds. again is called after each with its number, and how long it is until the next one, or 0 if none follows. A first good
// round is confirmed by another even if the time is up meanwhile. Until returns the last round, and whether it was confirmed.
func Until[T any](ctx context.Context, s Steady, once func(context.Context) (T, error), good func(T) bool, again func(n int, last T, next time.Duration)) (last T, steady bool, err error) {
	end := s.Now().Add(s.For)
	inARow := 0
	for n := 1; ; n++ {
		last, err = bounded(ctx, max(end.Sub(s.Now()), leastRound), once)
		if err != nil {
			return last, false, err
		}
		inARow++
		if !good(last) {
			inARow = 0
		}
		next := s.Every
		switch {
		case ctx.Err() != nil || inARow >= Enough:
			next = 0
		case inARow == 0:
			next = max(0, min(next, end.Sub(s.Now())))
		}
		again(n, last, next)
		if next == 0 {
			return last, inARow >= Enough, nil
		}
		if s.Pause(ctx, next); ctx.Err() != nil {
			return last, false, nil //nolint:nilerr // the end of the wait is no failure
		}
	}
}

func bounded[T any](ctx context.Context, d time.Duration, once func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return once(ctx)
}
