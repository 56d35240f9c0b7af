package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
)

// headline is the state in capitals: the severity while it lasts, so that a reminder does not look like a new problem, nor a test like one.
func (m *message) headline() string {
	switch {
	case m.Storm == nil && m.code() == testCode:
		return "TEST"
	case m.Event == incident.Reminder:
		return "STILL " + strings.ToUpper(m.Severity.String())
	case m.Event == incident.Recovered:
		switch {
		case m.Downgraded:
			return "DOWNGRADED"
		case m.Removed:
			return "CLOSED"
		}
		return "RESOLVED"
	}
	return strings.ToUpper(m.Severity.String())
}

// what is the problem in a few words; for a mixed message, how many of each.
func (m *message) what() string {
	if m.mixed {
		return strings.Join(m.census(), ", ")
	}
	return phrase(m.code())
}

// census counts a storm's incidents by code, the most frequent first.
func (m *message) census() []string {
	counts := map[finding.Code]int{}
	var codes []finding.Code
	for _, n := range m.Storm {
		if counts[n.Record.Code] == 0 {
			codes = append(codes, n.Record.Code)
		}
		counts[n.Record.Code]++
	}
	slices.SortStableFunc(codes, func(a, b finding.Code) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	words := make([]string, 0, len(codes))
	for _, c := range codes {
		words = append(words, fmt.Sprintf("%d x %s", counts[c], phrase(c)))
	}
	return words
}

// who is the one name to show of those affected, and how many more there are.
func (m *message) who() (name string, more int) {
	if m.mixed {
		return strconv.Itoa(len(m.Storm)) + " incidents", 0
	}
	name = m.first.Endpoint
	if name == "" && m.Storm != nil {
		name, _ = newMessage(m.Storm[0], m.Options).who()
	} else if name == "" {
		name = m.leadingEndpoint()
	}
	if name == "" {
		return finding.Clean(m.first.Listener, finding.QuoteLimit), len(m.Each()) - 1
	}
	return finding.Clean(name, finding.QuoteLimit), max(0, m.Record.AffectsCount-1)
}

// leadingEndpoint is the first one affected, one of the incident's own environment if there is one.
func (m *message) leadingEndpoint() string {
	for _, key := range m.Record.Affects {
		if name, own := strings.CutPrefix(key, m.Record.Environment+"/"); own {
			return name
		}
	}
	if len(m.Record.Affects) > 0 {
		return m.Record.Affects[0]
	}
	return ""
}

// maxNamed is up to how many endpoints are all named in a line.
const maxNamed = 3

// names are those of all affected endpoints, the leading one first; nil where they are too many for a line.
func (m *message) names() []string {
	name, more := m.who()
	if m.mixed || more == 0 || more >= maxNamed || len(m.Record.Affects) != m.Record.AffectsCount {
		return nil
	}
	names := []string{name}
	for _, key := range m.Record.Affects {
		if key = finding.Clean(strings.TrimPrefix(key, m.Record.Environment+"/"), finding.QuoteLimit); key != name {
			names = append(names, key)
		}
	}
	return names
}

// place is who is affected in words: "api", "api, ui", "api and 39 more", "certdrift itself".
func (m *message) place() string {
	if names := m.names(); names != nil {
		return strings.Join(names, ", ")
	}
	return m.shortPlace()
}

// shortPlace is place with one name at most.
func (m *message) shortPlace() string {
	name, more := m.who()
	switch {
	case name == "":
		return "certdrift itself"
	case more > 0:
		return fmt.Sprintf("%s and %d more", name, more)
	}
	return name
}

// opening is how clients are affected and what is particular about the notice; then what happened. A paragraph each, of
// clauses that go on lines of their own; the summary is cut at limit characters.
func (m *message) opening(limit int) [][]string {
	notes := m.notes()
	if effect, cause := m.impact(); effect != "" {
		notes = append([]string{effect + because(cause) + "."}, notes...)
	}
	var out [][]string
	if len(notes) > 0 {
		out = append(out, []string{strings.Join(notes, " ")})
	}
	if m.Storm != nil || m.first.Summary == "" {
		return append(out, []string{m.place() + ": " + m.what() + "."})
	}
	clauses := m.clauses(limit)
	if m.over() {
		clauses[0] = "Was: " + clauses[0]
	}
	return append(out, clauses)
}

// because is why, to follow how clients are affected.
func because(cause finding.Code) string {
	if cause == finding.DriftManifest {
		return ""
	}
	return ": " + reason(cause)
}

// clauses are the parts of the leading summary: its first sentence split at the semicolons, then the rest. Who changed it
// has a section of its own; full ARNs follow below.
func (m *message) clauses(limit int) []string {
	first, more, _ := strings.Cut(prose.ShortenIDs(finding.Clean(m.first.Summary, limit)), ". ")
	var out []string
	for _, c := range strings.Split(first, "; ") {
		if by := m.first.Attribution.Change; by != nil && strings.HasPrefix(c, action(by)+" by ") && len(out) > 0 {
			continue
		}
		if len(out) > 0 {
			c = "- " + c
		}
		out = append(out, c)
	}
	if more != "" {
		out[len(out)-1] += "."
		out = append(out, more)
	}
	return out
}

// lead is the opening as one short text.
func (m *message) lead() string {
	lines := cleanAll(m.URLs[:min(len(m.URLs), 1)])
	for _, paragraph := range m.opening(500) {
		lines = append(lines, paragraph...)
	}
	return strings.Join(lines, "\n")
}

// worse reports whether an earlier notice was less severe.
func (m *message) worse() bool { return m.Before != finding.None && m.Before < m.Severity }

// notes are what is particular about the notice.
func (m *message) notes() []string {
	var notes []string
	switch {
	case m.Downgraded:
		notes = append(notes, fmt.Sprintf("No longer %s; a %s remains, so the incident stays open.", m.Before, m.Remaining))
	case m.Removed:
		notes = append(notes, "Removed from the configuration or the account, so the incident is closed. It was not verified as fixed.")
	case m.Event == incident.Recovered:
		notes = append(notes, "Resolved after "+prose.Span(m.At.Sub(m.Record.First))+". Rechecked: no problems.")
	case m.Event == incident.Reminder:
		notes = append(notes, "Ongoing for "+prose.Span(m.At.Sub(m.Record.First))+".")
	case m.Before == m.Severity:
		notes = append(notes, "This was predicted by an earlier alert.")
	case m.Before != finding.None:
		notes = append(notes, fmt.Sprintf("Escalated from %s to %s.", m.Before, m.Severity))
	}
	switch {
	case m.Undelivered && m.Event == incident.Opened:
		notes = append(notes, fmt.Sprintf("It was %s before; that alert could not be delivered.", m.Record.Owed))
	case m.Undelivered:
		notes = append(notes, "The alert about it could not be delivered while it lasted.")
	}
	if m.Repetition {
		notes = append(notes, "You may already have received this alert.")
	}
	return notes
}

// subject is assembled from whole pieces, the essential first; a piece that does not fit is left out, not cut.
func (m *message) subject() string {
	fits := func(text string) bool { return len(text) <= SubjectLimit }
	text := fit(m.headline(), []string{m.shownEnvironment(" ")}, ascii, fits)
	text += m.placeWithin(text, ": ", []string{m.place(), m.shortPlace(), finding.Clean(m.first.Listener, finding.QuoteLimit)}, ascii, fits)
	pieces := []string{": " + m.what()}
	if m.mixed {
		pieces = m.censusPieces()
	}
	if m.Event == incident.Reminder {
		pieces = append(pieces, ", for "+prose.Span(m.At.Sub(m.Record.First)))
	}
	if m.worse() {
		pieces = append(pieces, ", was "+m.Before.String())
	}
	if !m.mixed && m.code() != testCode {
		pieces = append(pieces, " ("+string(m.code())+")")
	}
	if m.Stack != "" {
		pieces = append(pieces, " ["+m.Stack+"]")
	}
	return fit(text, pieces, ascii, fits)
}

// placeWithin is who is affected: the first of some wordings that can be written and leaves room for a few words to follow;
// else their number, or nothing.
func (m *message) placeWithin(text, separator string, places []string, clean func(string) string, fits func(string) bool) string {
	const room = "                                        "
	for _, p := range append(places, prose.Count(max(1, m.Record.AffectsCount), "endpoint")) {
		if written := clean(separator + p); p != "" && written != "" && fits(text+written+room) {
			return written
		}
	}
	return ""
}

// censusPieces are the words of a storm's census, each to be taken or left.
func (m *message) censusPieces() []string {
	pieces := m.census()
	for i := range pieces {
		pieces[i] = []string{": ", ", "}[min(i, 1)] + pieces[i]
	}
	return pieces
}

// fit adds each piece that leaves the text within its bound, and skips the others whole.
func fit(text string, pieces []string, clean func(string) string, fits func(string) bool) string {
	for _, p := range pieces {
		if longer := text + clean(p); fits(longer) {
			text = longer
		}
	}
	return text
}

// fitOne adds the first of several wordings that leaves the text within its bound, or none.
func fitOne(text string, choices []string, clean func(string) string, fits func(string) bool) string {
	for _, c := range choices {
		if longer := text + clean(c); fits(longer) {
			return longer
		}
	}
	return text
}
