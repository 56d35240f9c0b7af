package report

import "certdrift/internal/finding"

// The exit statuses of the command line. Scripts rely on them.
const (
	StatusClean      = 0 // nothing at or above the asked severity
	StatusFindings   = 1 // findings at or above it
	StatusUsage      = 2 // wrong usage, or a wrong configuration
	StatusIncomplete = 3 // some checks could not be run
)

// ExitStatus is the status that a report ends with. What is found outweighs a wrong configuration, and that an
// incomplete round: each must be fixed before the next can be determined.
func ExitStatus(r Report) int {
	wrong := false
	for _, f := range r.Findings {
		switch {
		case f.Code == finding.ConfigInvalid:
			wrong = wrong || misconfigured(f) || r.fails(f)
		case r.fails(f):
			return StatusFindings
		}
	}
	switch {
	case wrong:
		return StatusUsage
	case !r.Complete:
		return StatusIncomplete
	}
	return StatusClean
}

// misconfigured reports whether a finding says that part of the configuration was not understood, and so not checked.
func misconfigured(f finding.Finding) bool {
	return f.Code == finding.ConfigInvalid && f.Severity == finding.Critical
}

// fails reports whether a finding fails the report.
func (r Report) fails(f finding.Finding) bool {
	return r.FailOn != finding.None && f.Severity >= r.FailOn
}

// ParseFailOn reads --fail-on: critical, warning, or never (finding.None); ok is false for any other word.
func ParseFailOn(word string) (s finding.Severity, ok bool) {
	switch word {
	case "critical":
		return finding.Critical, true
	case "warning":
		return finding.Warning, true
	case "never":
		return finding.None, true
	}
	return finding.None, false
}
