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
	// For is how long to go on; with 0 a bad round ends it at once. Every is the pause between rounds.
	For, Every time.Duration
}

// Enough is how many good rounds in a row are believed.
const Enough = 2

// leastRound is what a round gets even where the time is nearly over.
const leastRound = time.Minute

// Until runs rounds. again is called after each with its number, and whether another one follows. A first good round is
// confirmed by another even if the time is up meanwhile. Until returns the last round, and whether it was confirmed.
func Until[T any](ctx context.Context, s Steady, once func(context.Context) (T, error), good func(T) bool, again func(n int, last T, more bool)) (last T, steady bool, err error) {
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
		more := ctx.Err() == nil && inARow < Enough && (inARow > 0 || s.Now().Add(s.Every).Before(end))
		again(n, last, more)
		if !more {
			return last, inARow >= Enough, nil
		}
		if s.Pause(ctx, s.Every); ctx.Err() != nil {
			return last, false, nil //nolint:nilerr // the end of the wait is no failure
		}
	}
}

func bounded[T any](ctx context.Context, d time.Duration, once func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return once(ctx)
}
