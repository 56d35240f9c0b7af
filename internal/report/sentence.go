package report

import (
	"fmt"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// Sentence is what the verdict means.
func Sentence(r Report) string {
	switch {
	case r.Verdict == Fail && r.FailOn == finding.Warning:
		return "Something is broken or will break."
	case r.Verdict == Fail && ownProblem(r.Findings):
		return "certdrift itself needs fixing: no endpoint is known to be broken, but problems may go unnoticed."
	case r.Verdict == Fail:
		return "Clients are failing now or will soon, or the attached certificate is not the declared one."
	case r.Verdict == Incomplete && finding.Worst(r.Findings) >= finding.Warning:
		return "Nothing is known to be broken, but some checks could not be run."
	case r.Verdict == Incomplete:
		return "No problems found, but some checks could not be run."
	case len(r.Findings) == 0:
		return clean(r)
	case r.FailOn == finding.None:
		return "Report only: --fail-on never."
	}
	return "No findings at or above --fail-on; see below for the others."
}

// ownProblem reports whether everything critical is certdrift's own: its configuration, or its alerts.
func ownProblem(fs []finding.Finding) bool {
	return !slices.ContainsFunc(fs, func(f finding.Finding) bool {
		return f.Severity == finding.Critical && f.Code != finding.ConfigInvalid && f.Code != finding.AlertPathBroken
	})
}

// clean is the sentence for a round without findings. It claims no more than was compared.
func clean(r Report) string {
	declared := 0
	for _, e := range r.Endpoints {
		if len(e.compared.Declared) > 0 {
			declared++
		}
	}
	switch {
	case len(r.Endpoints) == 0:
		return "No problems found. No endpoint was checked."
	case declared == 0:
		return "No problems found. No certificate is declared, so none was compared with a declaration."
	case declared < len(r.Endpoints):
		return fmt.Sprintf("No problems found. %d of %s serve the declared certificate; the others declare none.", declared, prose.Count(len(r.Endpoints), "endpoint"))
	}
	return "Every endpoint serves the declared certificate."
}
