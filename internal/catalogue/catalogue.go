// Package catalogue documents every finding code: what it means, how to check it without certdrift, what to do, and the
// standard it rests on. `certdrift explain`, docs/findings.md, SARIF and the runbook are made from it. It is pure data: the
// rules that produce the findings are in package judge, one for each entry.
package catalogue

import (
	"slices"

	"certdrift/internal/finding"
)

// Entry documents one finding code.
type Entry struct {
	Code finding.Code
	// Severity says in words which severities the finding has, and when.
	Severity string
	Title    string // one line: what is wrong
	// Meaning says what clients see and why it matters, in a short paragraph.
	Meaning string
	// Check is how to see it independently of certdrift: commands with HOST, PORT and so on as placeholders.
	Check string
	// Remedy is what to do, a short paragraph or steps.
	Remedy string
	// Source is the standard or page that the rule rests on, or says that the rule is certdrift's own.
	Source string
}

// Entries returns all entries in the order of the catalogue, class by class.
func Entries() []Entry {
	return slices.Concat(reach(), tls(), certificate(), http(), addresses(), listener(), drift(), self())
}
