package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// headline is the first word: the severity while it lasts, in capitals.
func (s *story) headline() string {
	if s.Event == incident.Recovered {
		switch {
		case s.Eased:
			return "EASED"
		case s.Removed:
			return "CLOSED"
		}
		return "RECOVERED"
	}
	return strings.ToUpper(s.Severity.String())
}

// what is what is wrong, in a few words; of a storm, how many of which.
func (s *story) what() string {
	if s.Storm != nil {
		return strings.Join(s.census(), ", ")
	}
	return phrase(s.code())
}

// census counts a storm's incidents by code, the most frequent first.
func (s *story) census() []string {
	counts := map[finding.Code]int{}
	var codes []finding.Code
	for _, n := range s.Storm {
		if counts[n.Record.Code] == 0 {
			codes = append(codes, n.Record.Code)
		}
		counts[n.Record.Code]++
	}
	slices.SortFunc(codes, func(a, b finding.Code) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	words := make([]string, 0, len(codes))
	for _, c := range codes {
		words = append(words, fmt.Sprintf("%d x %s", counts[c], phrase(c)))
	}
	return words
}

// who is the one name to show of those that suffer, and how many more there are.
func (s *story) who() (name string, more int) {
	if s.Storm != nil {
		return strconv.Itoa(len(s.Storm)) + " incidents", 0
	}
	name = s.first.Endpoint
	if name == "" {
		name = s.leadingEndpoint()
	}
	if name == "" {
		return finding.Clean(s.first.Listener, finding.QuoteLimit), 0
	}
	return finding.Clean(name, finding.QuoteLimit), max(0, s.Record.AffectsCount-1)
}

// leadingEndpoint is the first that suffers, one of the incident's own environment if there is one.
func (s *story) leadingEndpoint() string {
	for _, key := range s.Record.Affects {
		if name, own := strings.CutPrefix(key, s.Record.Environment+"/"); own {
			return name
		}
	}
	if len(s.Record.Affects) > 0 {
		return s.Record.Affects[0]
	}
	return ""
}

// place is who suffers in words: "api", "api and 39 more", "certdrift itself".
func (s *story) place() string {
	name, more := s.who()
	switch {
	case name == "":
		return "certdrift itself"
	case more > 0:
		return fmt.Sprintf("%s and %d more", name, more)
	}
	return name
}

// opening is what the subject has not said: what clients suffer and what is particular about the notice; then what
// happened. A paragraph each, of clauses that stand on lines of their own; the summary is cut at limit characters.
func (s *story) opening(limit int) [][]string {
	notes := s.notes()
	if effect, reason := s.suffering(); effect != "" && s.Storm == nil {
		if reason != phrase(s.first.Code) {
			effect += ": " + reason
		}
		notes = append([]string{effect + "."}, notes...)
	}
	var out [][]string
	if len(notes) > 0 {
		out = append(out, []string{strings.Join(notes, " ")})
	}
	if s.Storm != nil || s.first.Summary == "" {
		return append(out, []string{s.place() + ": " + s.what() + "."})
	}
	clauses := s.clauses(limit)
	if s.over() {
		clauses[0] = "It was: " + clauses[0]
	}
	return append(out, clauses)
}

// clauses are the parts of the leading summary: its first sentence at the semicolons, then the rest. Who changed it has a
// section of its own; full ARNs stand below.
func (s *story) clauses(limit int) []string {
	first, more, _ := strings.Cut(shortenIDs(finding.Clean(s.first.Summary, limit)), ". ")
	var out []string
	for _, c := range strings.Split(first, "; ") {
		if by := changedBy(s.first); by != nil && strings.HasPrefix(c, deed(by)+" by ") && len(out) > 0 {
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

// shortenIDs cuts the UUIDs of ACM certificates outside of ARNs, for easier reading.
func shortenIDs(text string) string {
	const kind, uuid = "certificate/", len("0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01")
	var b strings.Builder
	for {
		at := strings.Index(text, kind)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		text = text[at:]
		keep := len(kind)
		if len(text) >= keep+uuid && isUUID(text[keep:keep+uuid]) && (b.Len() == 0 || !strings.HasSuffix(b.String(), ":")) {
			b.WriteString(text[:keep+8] + "…")
			keep += uuid
		} else {
			b.WriteString(text[:keep])
		}
		text = text[keep:]
	}
}

func isUUID(text string) bool {
	for i, r := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}

// lead is the opening as one short text.
func (s *story) lead() string {
	var lines []string
	for _, paragraph := range s.opening(500) {
		lines = append(lines, paragraph...)
	}
	return strings.Join(lines, "\n")
}

// worse reports whether people knew of it as something less severe.
func (s *story) worse() bool { return s.Before != finding.None && s.Before < s.Severity }

// notes say what is particular about the notice.
func (s *story) notes() []string {
	var notes []string
	switch {
	case s.Eased:
		notes = append(notes, fmt.Sprintf("What was %s is over; a %s remains, and the incident stays open.", s.Before, s.Remaining))
	case s.Removed:
		notes = append(notes, "It is gone from the configuration or the account: the incident is closed, and nothing proves that it works.")
	case s.Event == incident.Recovered:
		notes = append(notes, "It is over after "+span(s.At.Sub(s.Record.First))+": looked at again, and clean.")
	case s.Event == incident.Reminder:
		notes = append(notes, "It has lasted for "+span(s.At.Sub(s.Record.First))+".")
	case s.Before == s.Severity:
		notes = append(notes, "What you were told would come has come.")
	case s.Before != finding.None:
		notes = append(notes, fmt.Sprintf("It got worse: it was %s before.", s.Before))
	}
	if s.Repetition {
		notes = append(notes, "This may be a repetition: certdrift could not be sure what it has sent already.")
	}
	return notes
}

// subject is put together from whole pieces, the essential first; what does not fit is left out, not cut.
func (s *story) subject() string {
	fits := func(text string) bool { return len(text) <= SubjectLimit }
	text := fit(s.headline(), []string{s.shownEnvironment(" ")}, ascii, fits)
	text += s.placeWithin(text, ": ", []string{s.place(), finding.Clean(s.first.Listener, finding.QuoteLimit)}, ascii, fits)
	pieces := []string{": " + s.what()}
	if s.Storm != nil {
		pieces = s.censusPieces()
	}
	if s.Event == incident.Reminder {
		pieces = append(pieces, ", for "+span(s.At.Sub(s.Record.First)))
	}
	if s.worse() {
		pieces = append(pieces, ", was "+s.Before.String())
	}
	if s.Storm == nil {
		pieces = append(pieces, " ("+string(s.code())+")")
	}
	if s.Stack != "" {
		pieces = append(pieces, " ["+s.Stack+"]")
	}
	return fit(text, pieces, ascii, fits)
}

// placeWithin is who suffers: the first of some wordings that can be written and leaves room for a few words to follow;
// else their number, or nothing.
func (s *story) placeWithin(text, separator string, places []string, clean func(string) string, fits func(string) bool) string {
	const room = "                                        "
	for _, p := range append(places, fmt.Sprintf("%d endpoint(s)", max(1, s.Record.AffectsCount))) {
		if written := clean(separator + p); p != "" && written != "" && fits(text+written+room) {
			return written
		}
	}
	return ""
}

// censusPieces are the words of a storm's census, each to be taken or left.
func (s *story) censusPieces() []string {
	pieces := s.census()
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

// span is a duration for people: its largest unit.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " hours"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	return "a minute"
}

// stamp is a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
