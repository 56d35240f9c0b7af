//go:build soak

package boot

import "time"

// speed is how much faster than the world's the clock of `make soak` runs, so that minutes hold hours of rounds.
const speed = 30

var soaking = time.Now()

func now() time.Time { return soaking.Add(time.Since(soaking) * speed) }
