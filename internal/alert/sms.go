package alert

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
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

// sms is one segment: severity, where, who is affected and how, what was done and by whom, since when, and what to do, in this order. A
// piece that does not fit is left out whole: a truncated name is another name.
func (m *message) sms() string {
	text := fit(m.headline(), []string{m.shownEnvironment(" ")}, oneLine, SMSFits)
	places := []string{m.place()}
	if name, more := m.who(); more > 0 {
		places = []string{strings.Join(m.names(), ", "), fmt.Sprintf("%s +%d", name, more)}
	}
	text += m.placeWithin(text, " ", places, oneLine, SMSFits)
	if m.mixed {
		text = fit(text, m.censusPieces(), oneLine, SMSFits)
	} else {
		for _, choices := range m.smsWhat() {
			text = fitOne(text, choices, oneLine, SMSFits)
		}
	}
	pieces := []string{m.smsWhen()}
	if m.Repetition {
		pieces = append(pieces, " (possible duplicate)")
	}
	return fit(text, append(pieces, m.smsDo(), ". Details in email."), oneLine, SMSFits)
}

// smsDo is what to do, as a sentence: the first one of the remedy, if all incidents of the message have the same. Commands are in the email.
func (m *message) smsDo() string {
	if m.Event == incident.Recovered || m.code() == testCode {
		return ""
	}
	action := ""
	for i, n := range m.Each() {
		one := firstSentence(newMessage(n, m.Options).first.Remedy)
		if i > 0 && one != action {
			return ""
		}
		action = one
	}
	return after(". ", action)
}

// maxAction bounds what a text message says to do, in characters: a longer sentence is for the email.
const maxAction = 120

// firstSentence is how a remedy begins, without what follows a colon (a command, or an ARN) or stands in parentheses; empty if that is too long.
func firstSentence(remedy string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(remedy), "\n")
	if isCommand(line) {
		return ""
	}
	text, _ := sentence(strings.TrimSuffix(line, "."))
	text, _, _ = strings.Cut(withoutParentheses(text)+" ", ": ")
	text = strings.TrimRight(strings.TrimSpace(text), ":,;")
	if utf8.RuneCountInString(text) > maxAction {
		return ""
	}
	return finding.Clean(text, maxAction)
}

// withoutParentheses leaves out what stands in parentheses, nested ones included.
func withoutParentheses(text string) string {
	var b strings.Builder
	depth := 0
	for _, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth = max(0, depth-1)
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// smsWhat is how clients are affected, and what was done by whom: for each the wordings to choose from, the fullest first.
func (m *message) smsWhat() [][]string {
	effect, cause := m.impact()
	what, by := phrase(m.code()), ""
	if name := m.smsAuthor(); name != "" && m.Event != incident.Recovered {
		by = m.smsAction() + name
	}
	if effect == "" {
		return [][]string{{": " + what + by, ": " + what}}
	}
	impact := []string{": " + lower(effect) + because(cause), ": " + phrase(cause)}
	if cause == m.code() {
		return [][]string{impact, {by}}
	}
	if strings.HasPrefix(by, ", ") { // it says what was done by itself, and who did it is news
		return [][]string{impact, {"; " + what + by, by, "; " + what}}
	}
	return [][]string{impact, {"; " + what + by, "; " + what}}
}

// smsAction is what the author did, up to the name. The phrase of most codes says it already.
func (m *message) smsAction() string {
	switch did := action(m.first.Attribution.Change); {
	case m.code() == finding.DriftManifest:
		return ", undoing a change by "
	case did == "changed", did == "deleted":
		return " by "
	default:
		return ", " + did + " by "
	}
}

// smsAuthor is who made the change, and that it is unconfirmed where it is: both, or neither.
func (m *message) smsAuthor() string {
	by := m.first.Attribution.Change
	name := authorName(by)
	if name != "" && !by.Confirmed {
		name += " (unconfirmed)"
	}
	return name
}

func (m *message) smsWhen() string {
	switch {
	case m.Downgraded:
		return ", now " + m.Remaining.String()
	case m.Removed:
		return ", no longer configured"
	case m.Event == incident.Recovered:
		return ", after " + prose.Span(m.At.Sub(m.Record.First))
	case m.Event == incident.Reminder:
		return ", ongoing for " + prose.Span(m.At.Sub(m.Record.First))
	case m.Before == m.Severity:
		return ", as predicted" // it began when it was predicted, not when it happened
	}
	since := ", since " + m.Record.First.UTC().Format("15:04 UTC")
	if m.At.Sub(m.Record.First) >= 12*time.Hour {
		since = ", since " + m.Record.First.UTC().Format("Jan 2")
	}
	if m.worse() {
		return ", was " + m.Before.String() + since
	}
	return since
}

// oneLine replaces line breaks.
func oneLine(text string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(text) }
