package cli

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// printFaults writes each fault to standard error as compilers do, with its hint below, and how many there are.
func (a *App) printFaults(faults []observation.Diagnostic) {
	for _, f := range faults {
		fmt.Fprintf(a.Stderr, "%s: %s\n", placeOf(f), finding.Clean(f.Message, 1000))
		if f.Hint != "" {
			fmt.Fprintf(a.Stderr, "  hint: %s\n", finding.Clean(f.Hint, 1000))
		}
	}
	if len(faults) > 1 {
		fmt.Fprintf(a.Stderr, "certdrift: %d faults\n", len(faults))
	}
}

// placeOf is FILE:LINE:COL, as far as it is known.
func placeOf(f observation.Diagnostic) string {
	if f.File == "" {
		return "certdrift"
	}
	place := finding.Clean(f.File, 1000)
	if f.Line > 0 {
		place += fmt.Sprintf(":%d", f.Line)
		if f.Column > 0 {
			place += fmt.Sprintf(":%d", f.Column)
		}
	}
	return place
}
