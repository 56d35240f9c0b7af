package clients

import "testing"

func TestAllTake(t *testing.T) {
	for _, count := range []int{1, shortestChain, shortestChain + 1, 16, 17} {
		for _, size := range []int{1, StrictestChain, StrictestChain + 1, LargestChain, LargestChain + 1} {
			for _, depth := range []int{0, deepest, deepest + 1, deepSeen + 1, tooDeep} {
				c := Chain{Certificates: count, Bytes: size, Leaf: size / count, Intermediates: depth}
				if got, want := AllTake(c), len(OfChain(c).RefusedBy) == 0; got != want {
					t.Errorf("%+v: got %v, want %v", c, got, want)
				}
			}
		}
	}
}
