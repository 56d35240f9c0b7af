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

// lead is one or two sentences: what happened, and to whom.
func (s *story) lead() string {
	text := s.place() + ": " + s.what()
	if s.Storm == nil && s.first.Summary != "" {
		text += "\n" + finding.Clean(s.first.Summary, 500)
	}
	if note := s.note(); note != "" {
		text += "\n" + note
	}
	return text
}

// note says what is particular about the notice.
func (s *story) note() string {
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
	case s.Before != finding.None:
		notes = append(notes, fmt.Sprintf("It got worse: it was %s before.", s.Before))
	}
	if s.Repetition {
		notes = append(notes, "This may be a repetition: certdrift could not be sure what it has sent already.")
	}
	return strings.Join(notes, "\n")
}

// subject is put together from whole pieces, the essential first; what does not fit is left out, not cut.
func (s *story) subject() string {
	fits := func(text string) bool { return len(text) <= SubjectLimit }
	text := fit(s.headline(), []string{s.shownEnvironment(" ")}, ascii, fits)
	text += s.placeWithin(text, ": ", s.place(), ascii, fits)
	pieces := []string{": " + s.what()}
	if s.Storm != nil {
		pieces = s.censusPieces()
	}
	if s.Event == incident.Reminder {
		pieces = append(pieces, ", for "+span(s.At.Sub(s.Record.First)))
	}
	if s.Before != finding.None && !s.Eased {
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

// placeWithin is who suffers, where there is room for it and for a few words to follow; else their number, or nothing.
func (s *story) placeWithin(text, separator, place string, clean func(string) string, fits func(string) bool) string {
	const room = "                                        "
	for _, p := range []string{place, fmt.Sprintf("%d endpoint(s)", max(1, s.Record.AffectsCount))} {
		if p = clean(separator + p); fits(text + p + room) {
			return p
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

// ascii replaces what a subject may not hold; one question mark per character.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, text)
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
