//go:build !race

package round

const Raced = 1
