package metric

import (
	"maps"
	"math"
	"slices"
)

// distribution counts values, rounded just enough to leave at most MaxValues distinct ones: to a millisecond first, then to two
// significant digits, then to powers of larger and larger steps. A round over ten thousand addresses is one datum.
func distribution(values []float64) (distinct, counts []float64) {
	for step := 0; ; step++ {
		seen := map[float64]float64{}
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				seen[rounded(v, step)]++
			}
		}
		if len(seen) > MaxValues {
			continue
		}
		distinct = slices.Sorted(maps.Keys(seen))
		for _, v := range distinct {
			counts = append(counts, seen[v])
		}
		return distinct, counts
	}
}

// rounded rounds v with the precision of a step. From step 1 on, the error is relative: about 2% at first, then growing with the
// square of the step.
func rounded(v float64, step int) float64 {
	if step == 0 {
		return math.Round(v)
	}
	if v <= 0 {
		return 0
	}
	width := math.Log(1.02) * float64(step*step)
	return math.Round(100*math.Exp(width*math.Round(math.Log(v)/width))) / 100
}
