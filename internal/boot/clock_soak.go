//go:build soak

package boot

import (
	"os"
	"strconv"
	"time"
)

// speed is how much faster than the world's the clock of `make soak` runs, so that minutes hold hours of rounds.
const speed = 30

// epoch is when the clock began to run faster, the same for all functions and after each start: CERTDRIFT_SOAK_EPOCH, a Unix time
// in seconds.
var epoch = func() time.Time {
	seconds, _ := strconv.ParseInt(os.Getenv("CERTDRIFT_SOAK_EPOCH"), 10, 64) // 0, and dates far off, without one
	return time.Unix(seconds, 0)
}()

func now() time.Time { return epoch.Add(time.Since(epoch) * speed) }
