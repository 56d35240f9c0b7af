package boot

import (
	"runtime/debug"
	"testing"
)

// TestCollectLess: a function collects garbage less often within its memory, and an operator's own settings decide instead.
func TestCollectLess(t *testing.T) {
	percent, limit := debug.SetGCPercent(77), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	for name, c := range map[string]struct {
		env     map[string]string
		percent int
		limit   int64
	}{
		"in Lambda":             {map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}, sparse, 192 << 20},
		"elsewhere":             {nil, sparse, 1 << 40},
		"GOGC is set":           {map[string]string{"GOGC": "50", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}, 77, 96 << 20},
		"GOMEMLIMIT is set":     {map[string]string{"GOMEMLIMIT": "1GiB", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}, sparse, 1 << 40},
		"the size is no number": {map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much"}, sparse, 1 << 40},
	} {
		debug.SetGCPercent(77)
		debug.SetMemoryLimit(1 << 40)
		collectLess(func(key string) string { return c.env[key] })
		if got := debug.SetGCPercent(77); got != c.percent {
			t.Errorf("%s: %d %%, want %d", name, got, c.percent)
		}
		if got := debug.SetMemoryLimit(-1); got != c.limit {
			t.Errorf("%s: a limit of %d, want %d", name, got, c.limit)
		}
	}
}
