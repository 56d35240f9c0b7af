package round_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"certdrift/internal/round"
)

// TestNoAllClearOfTwoFaults takes facts away in two ways at a time, and then in one of them after the other: what cannot be seen for two
// reasons is not clean once one of them is over.
func TestNoAllClearOfTwoFaults(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 7))
	all := slices.Concat(probeBlackouts(), awsBlackouts())
	for i := range 8 {
		a, b := all[random.IntN(len(all))], all[random.IntN(len(all))]
		first, second := a.phases[random.IntN(len(a.phases))], b.phases[random.IntN(len(b.phases))]
		if i%round.Raced > 0 {
			continue
		}
		pair := blackout{name: first.name + " and " + second.name, aws: a.aws && b.aws}
		both := func(w *world) { first.begin(w); second.begin(w) }
		t.Run(pair.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, slices.Concat(served(t), attached(), drifting()))
				p.open()
				for _, now := range []phase{{pair.name, both}, {pair.name + " (the first alone)", first.begin}, {pair.name + " (the second alone)", second.begin}, {pair.name, both}} {
					if first.name == notAsked || second.name == notAsked {
						now.name = notAsked
					}
					p.dark(pair, now)
				}
				p.light()
				p.fix()
			})
		})
	}
}
