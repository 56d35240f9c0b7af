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

// SMSFits tells whether a text goes out as one segment.
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

// sms is one segment: severity, where, who, what, since when, by whom, in this order. A piece that does not fit is left
// out whole: a name cut in two is another name.
func (s *story) sms() string {
	text := fit(s.headline(), []string{s.shownEnvironment(" ")}, oneLine, SMSFits)
	place := s.place()
	if name, more := s.who(); more > 0 {
		place = fmt.Sprintf("%s +%d", name, more)
	}
	text += s.placeWithin(text, " ", place, oneLine, SMSFits)
	pieces := []string{": " + phrase(s.code())}
	if s.Storm != nil {
		pieces = s.censusPieces()
	}
	pieces = append(pieces, s.smsWhen())
	if by := author(s.first); by != "" && s.Storm == nil && s.Event != incident.Recovered {
		pieces = append(pieces, ", by "+by)
	}
	if s.Repetition {
		pieces = append(pieces, " (maybe a repetition)")
	}
	pieces = append(pieces, ". Details by mail.")
	return fit(text, pieces, oneLine, SMSFits)
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
	case s.Before != finding.None:
		return ", was " + s.Before.String()
	}
	if s.At.Sub(s.Record.First) >= 12*time.Hour {
		return ", since " + s.Record.First.UTC().Format("2 Jan")
	}
	return ", since " + s.Record.First.UTC().Format("15:04 UTC")
}

// oneLine keeps line breaks out.
func oneLine(text string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(text) }
