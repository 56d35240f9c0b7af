// Package catalogue documents every finding code: what it means, how to check it without certdrift, what to do, and the
// standard it is based on. `certdrift explain`, docs/findings.md, SARIF and the runbook are generated from it. It is pure
// data: the rules that produce the findings are in package judge, one for each entry.
package catalogue

import (
	"slices"

	"certdrift/internal/finding"
)

// Entry documents one finding code.
type Entry struct {
	Code finding.Code
	// Severity describes which severities the finding can have, and when.
	Severity string
	Title    string // one line: what is wrong
	// Meaning says what clients see and why it matters, in a short paragraph.
	Meaning string
	// Check is how to verify it without certdrift: commands with HOST, PORT and so on as placeholders.
	Check string
	// Remedy is what to do, a short paragraph or steps.
	Remedy string
	// Source is the standard or page that the rule is based on, or states that the rule is certdrift's own.
	Source string
}

// Entries returns all entries in the order of the catalogue, class by class.
func Entries() []Entry {
	return slices.Concat(reach(), tls(), certificate(), http(), addresses(), listener(), drift(), self())
}
