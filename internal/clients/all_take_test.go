package clients

import "testing"

func TestAllTake(t *testing.T) {
	for _, count := range []int{1, shortestChain, shortestChain + 1, 16, 17} {
		for _, size := range []int{1, StrictestChain, StrictestChain + 1, LargestChain, LargestChain + 1} {
			if got, want := AllTake(count, size), len(OfChain(count, size, size/max(count, 1)).RefusedBy) == 0; got != want {
				t.Errorf("%d certificates in %d bytes: got %v, want %v", count, size, got, want)
			}
		}
	}
}
