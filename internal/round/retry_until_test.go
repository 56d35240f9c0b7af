package round

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestUntil goes through rounds that are good (+) or bad (-), the last one repeated.
func TestUntil(t *testing.T) {
	for _, c := range []struct {
		name, rounds string
		wait         time.Duration
		want         int // rounds
		steady       bool
		took         time.Duration
	}{
		{"good from the beginning", "+", 5 * time.Minute, 2, true, 10 * time.Second},
		{"repaired midway", "---+", 5 * time.Minute, 5, true, 40 * time.Second},
		{"good once is not enough", "+-+-++", 5 * time.Minute, 6, true, 50 * time.Second},
		{"never good", "-", time.Minute, 7, false, time.Minute},
		{"the last pause is as short as the time that is left", "-", 25 * time.Second, 4, false, 25 * time.Second},
		{"a wait that is shorter than a pause", "-+", 5 * time.Second, 3, true, 15 * time.Second},
		{"no wait, bad", "-+", 0, 1, false, 0},
		{"no wait, good", "+", 0, 2, true, 10 * time.Second},
		{"no wait, good once", "+-+", 0, 2, false, 10 * time.Second},
		{"good just before the end is confirmed", "-----+", time.Minute, 7, true, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				once := func(context.Context) (bool, error) {
					n++
					return c.rounds[min(n, len(c.rounds))-1] == '+', nil
				}
				began, reported := time.Now(), 0
				_, steady, err := Until(t.Context(), steadily(c.wait), once, func(ok bool) bool { return ok }, func(i int, _ bool, next time.Duration) {
					reported++
					if i != reported || (next > 0) == (i == c.want) {
						t.Errorf("round %d is reported as %d, the next in %s", reported, i, next)
					}
				})
				if n != c.want || reported != n || steady != c.steady || err != nil || time.Since(began) != c.took {
					t.Errorf("%d rounds, steady %v, %v, after %s; want %d, %v, after %s", n, steady, err, time.Since(began), c.want, c.steady, c.took)
				}
			})
		})
	}
}

func steadily(wait time.Duration) Steady {
	return Steady{Now: time.Now, For: wait, Every: 10 * time.Second, Pause: func(ctx context.Context, d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}}
}

func TestUntilEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		n := 0
		bad := func(context.Context) (bool, error) { n++; return false, nil }
		ok := func(ok bool) bool { return ok }
		quiet := func(int, bool, time.Duration) {}
		if _, steady, err := Until(ctx, steadily(time.Hour), bad, ok, quiet); steady || err != nil || n != 3 {
			t.Errorf("with a context of 25 s: %d rounds, steady %v, %v", n, steady, err)
		}
		broken := errors.New("broken")
		if _, _, err := Until(t.Context(), steadily(time.Hour), func(context.Context) (bool, error) { return false, broken }, ok, quiet); !errors.Is(err, broken) {
			t.Errorf("a round that failed: %v", err)
		}
		hung := func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, nil }
		began := time.Now()
		_, _, _ = Until(t.Context(), steadily(10*time.Second), hung, ok, quiet)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("a round that hangs is given up after %s, want a minute", took)
		}
	})
}
