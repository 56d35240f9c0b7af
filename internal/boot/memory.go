package boot

import (
	"runtime/debug"
	"strconv"
)

// sparse is how much the heap of a function may grow before garbage is collected, in percent of what is live. A function has its memory
// whether it uses it or not, and a round makes several times as much garbage as it keeps: by Go's default of 100, a tenth of its
// processor time goes into collecting it.
const sparse = 400

// collectLess has a function's garbage collected less often than Go does by default, unless its memory becomes scarce. GOGC and GOMEMLIMIT,
// where they are set, decide instead.
func collectLess(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(sparse)
	}
	if mb, err := strconv.ParseInt(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 64); err == nil && getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(scarce(mb))
	}
}

// scarce returns from how many bytes on the memory of a function with so many MB counts as scarce: the binary itself and what the
// system keeps for its connections are not among those that the limit is about.
func scarce(mb int64) int64 { return (mb << 20) / 4 * 3 }
