package report

import (
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// What follows is for writers outside this package (package html): the same words as every other format has.

// Fact is one entry of a finding's evidence, ready to show but for the format's own escaping.
type Fact struct{ Name, Value string }

// Facts are a finding's evidence, typed facts included, sorted by name; what is empty is left out.
func Facts(f finding.Finding) []Fact {
	var out []Fact
	for _, f := range facts(f) {
		out = append(out, Fact{f.name, f.value})
	}
	return out
}

// Where names what a finding is about: ENVIRONMENT/ENDPOINT, its address, its listener.
func Where(f finding.Finding) string { return where(f) }

// Lines are the lines of certdrift's own text, each cleaned.
func Lines(text string) []string { return lines(text) }

// LeftText is the time left in its largest unit: "12 days left", "expired".
func LeftText(left time.Duration) string { return leftText(left) }

// AgoText is the time since an end in its largest unit: "3 days ago".
func AgoText(since time.Duration) string { return agoText(since) }

// Compared is how the endpoint's declared, attached and served certificates compare, as the findings have it.
func (e Endpoint) Compared() topology.Comparison { return e.compared }

// Findings are those that concern the endpoint, worst first.
func (e Endpoint) Findings() []finding.Finding { return e.findings }

// Findings are those that concern the listener, worst first.
func (l Listener) Findings() []finding.Finding { return l.findings }

// Second reports whether the server has a second certificate for the endpoint's name.
func (o *Other) Second() bool { return o != nil && !o.Absent && !o.Fallback && len(o.Chain) > 0 }

// Line is certdrift's own text as one clean line.
func Line(text string) string { return line1(text) }

// Health is a healthy endpoint in a line: what it answered, how long its certificate lives, how fast it was.
func Health(r Report, e Endpoint) string { return health(r, e) }

// Earliest is when the first leaf of an endpoint's addresses ends; ok is false without one.
func Earliest(e Endpoint) (end time.Time, ok bool) { return earliest(e) }

// IsCommand reports whether a line of a remedy is to be typed: it begins with a program's name, and is no sentence about certdrift.
func IsCommand(line string) bool {
	first, rest, _ := strings.Cut(line, " ")
	second, _, _ := strings.Cut(rest, " ")
	if first == "certdrift" {
		return slices.Contains([]string{"alert", "check", "explain", "incidents", "init", "judge", "plan", "validate", "verify"}, second)
	}
	return second != "" && slices.Contains([]string{"aws", "kubectl", "openssl", "curl", "dig", "terraform", "nc", "helm"}, first)
}
