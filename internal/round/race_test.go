//go:build race

package round

// Raced is how many times less of the largest tests runs under the race detector, where everything takes five times as long. All
// of them runs without it, in `make test`.
const Raced = 5
