//go:build !soak

package boot

import "time"

func now() time.Time { return time.Now() }
