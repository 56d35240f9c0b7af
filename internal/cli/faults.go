package cli

import (
	"fmt"

	"certdrift/internal/observation"
)

// printDiagnostics writes each diagnostic to standard error as compilers do, with its hint below, and their number.
func (a *App) printDiagnostics(faults []observation.Diagnostic) {
	for _, f := range faults {
		fmt.Fprintf(a.Stderr, "%s: %s\n", a.typed.Message(positionOf(f)), clean(a.typed.Message(f.Message)))
		if f.Hint != "" {
			fmt.Fprintf(a.Stderr, "  hint: %s\n", clean(a.typed.Message(f.Hint)))
		}
	}
	if len(faults) > 1 {
		fmt.Fprintf(a.Stderr, "certdrift: %d errors\n", len(faults))
	}
}

// positionOf returns FILE:LINE:COL, or what is known of it.
func positionOf(f observation.Diagnostic) string {
	if f.File == "" {
		return "certdrift"
	}
	place := clean(f.File)
	if f.Line > 0 {
		place += fmt.Sprintf(":%d", f.Line)
		if f.Column > 0 {
			place += fmt.Sprintf(":%d", f.Column)
		}
	}
	return place
}
