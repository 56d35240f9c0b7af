package report

import (
	"time"

	"certdrift/internal/finding"
)

// What follows is for writers outside this package (package html): the same words as every other format has.

// Fact is one entry of a finding's evidence, ready to show but for the format's own escaping.
type Fact struct{ Name, Value string }

// Facts are a finding's evidence sorted by name; what is empty is left out.
func Facts(e finding.Evidence) []Fact {
	var out []Fact
	for _, f := range facts(e) {
		out = append(out, Fact{f.name, f.value})
	}
	return out
}

// Where names what a finding is about: ENVIRONMENT/ENDPOINT, its address, its listener.
func Where(f finding.Finding) string { return where(f) }

// Lines are a text of certdrift's own in its lines, each cleaned.
func Lines(text string) []string { return lines(text) }

// LeftText is the time left in the unit that matters: "12 days left", "expired".
func LeftText(left time.Duration) string { return leftText(left) }

// AgoText is the time since an end in the unit that matters: "3 days ago".
func AgoText(since time.Duration) string { return agoText(since) }

// Findings are those that concern the endpoint, worst first.
func (e Endpoint) Findings() []finding.Finding { return e.findings }

// Findings are those that concern the listener, worst first.
func (l Listener) Findings() []finding.Finding { return l.findings }
