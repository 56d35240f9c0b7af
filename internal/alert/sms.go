package alert

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// The size of one SMS segment (3GPP TS 23.038): septets of the GSM 7-bit alphabet, or UCS-2 code units.
const (
	gsmSegment = 160
	ucsSegment = 70
)

// The GSM 7-bit default alphabet without control characters, and its extension, whose characters take two septets.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ" +
		"ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "^{}\\[~]|€"
)

// SMSFits reports whether a text goes out as one segment.
func SMSFits(text string) bool {
	septets := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			septets++
		case strings.ContainsRune(gsmExtension, r):
			septets += 2
		default:
			return len(utf16.Encode([]rune(text))) <= ucsSegment
		}
	}
	return septets <= gsmSegment
}

// sms is one segment: severity, where, who suffers, what they suffer, what was done and by whom, since when, in this
// order. A piece that does not fit is left out whole: a name cut in two is another name.
func (s *story) sms() string {
	text := fit(s.headline(), []string{s.shownEnvironment(" ")}, oneLine, SMSFits)
	place := s.place()
	if name, more := s.who(); more > 0 {
		place = fmt.Sprintf("%s +%d", name, more)
	}
	text += s.placeWithin(text, " ", []string{place}, oneLine, SMSFits)
	if s.Storm != nil {
		text = fit(text, s.censusPieces(), oneLine, SMSFits)
	} else {
		for _, choices := range s.smsWhat() {
			text = fitOne(text, choices, oneLine, SMSFits)
		}
	}
	pieces := []string{s.smsWhen()}
	if s.Repetition {
		pieces = append(pieces, " (maybe a repetition)")
	}
	return fit(text, append(pieces, ". Details by mail."), oneLine, SMSFits)
}

// smsWhat is what clients suffer, and what was done by whom: for each the wordings to choose from, the fullest first.
func (s *story) smsWhat() [][]string {
	effect, reason := s.suffering()
	effect = lower(effect)
	what, by := phrase(s.code()), ""
	if name := s.smsAuthor(); name != "" && s.Event != incident.Recovered {
		by = s.smsDeed() + name
	}
	if effect == "" {
		return [][]string{{": " + what + by, ": " + what}}
	}
	if s.code() == finding.DriftManifest {
		return [][]string{{": " + effect}, {by}}
	}
	suffer := []string{": " + effect + ", " + reason, ": " + reason}
	if reason == what {
		return [][]string{suffer, {by}}
	}
	if strings.HasPrefix(by, ", ") { // it says what was done by itself, and who did it is news
		return [][]string{suffer, {"; " + what + by, by, "; " + what}}
	}
	return [][]string{suffer, {"; " + what + by, "; " + what}}
}

// smsDeed is what the author did, up to the name. What is wrong says it of most.
func (s *story) smsDeed() string {
	switch did := deed(changedBy(s.first)); {
	case s.code() == finding.DriftManifest:
		return ", undoing a change by "
	case did == "changed", did == "deleted":
		return " by "
	default:
		return ", " + did + " by "
	}
}

// smsAuthor is who made the change, and that it is a claim where it is one: both, or neither.
func (s *story) smsAuthor() string {
	by := changedBy(s.first)
	name := author(by)
	if name != "" && !confirmed(by) {
		name += " (claimed)"
	}
	return name
}

func (s *story) smsWhen() string {
	switch {
	case s.Eased:
		return ", now " + s.Remaining.String()
	case s.Removed:
		return ", no longer configured"
	case s.Event == incident.Recovered:
		return ", over after " + span(s.At.Sub(s.Record.First))
	case s.Event == incident.Reminder:
		return ", for " + span(s.At.Sub(s.Record.First))
	case s.worse():
		return ", was " + s.Before.String()
	case s.Before == s.Severity:
		return "" // it began when it was foretold, not when it came
	}
	if s.At.Sub(s.Record.First) >= 12*time.Hour {
		return ", since " + s.Record.First.UTC().Format("2 Jan")
	}
	return ", since " + s.Record.First.UTC().Format("15:04 UTC")
}

// oneLine keeps line breaks out.
func oneLine(text string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(text) }
