package alert

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// The bounds of a mail's lists.
const (
	maxListed = 25
	maxOthers = 5
)

// email is the whole story in plain text, for somebody who has just been woken: what clients suffer, what happened, what
// to type; then the truths side by side, who changed them, and the rest. The subject has said where and what already.
func (s *story) email() string {
	l := &letter{wide: labelWidth}
	for i, paragraph := range s.opening(1000) {
		if i > 0 {
			l.WriteString("\n")
		}
		for _, clause := range paragraph {
			if strings.HasPrefix(clause, "- ") {
				l.hang("", "  ", clause)
			} else {
				l.prose("", clause)
			}
		}
	}
	if s.Storm != nil {
		s.storm(l)
	} else {
		s.single(l)
	}
	l.heading("More")
	l.line("Runbook", s.runbook())
	if s.code() != trialCode {
		l.line("Explain", "certdrift explain "+string(s.code()))
	}
	l.line("Dashboard", s.DashboardURL)
	l.line("Sent by", s.Stack)
	if s.Storm == nil {
		l.exact("Incident", finding.Clean(s.Record.Key, maxValue))
	}
	return cutLines(strings.TrimLeft(l.String(), "\n"), EmailLimit)
}

// over reports whether the notice is about what has ended.
func (s *story) over() bool { return s.Event == incident.Recovered && !s.Eased }

// single tells of one incident.
func (s *story) single(l *letter) {
	r := s.Record
	l.WriteString("\n")
	l.line("Began", stamp(r.First))
	if s.over() {
		l.line("Ended", stamp(s.At))
	}
	l.line("Listener", finding.Clean(s.first.Listener, maxValue))
	l.line("Address", finding.Clean(s.first.Address, maxValue))
	if r.AffectsCount == 1 && len(r.Affects) == 1 {
		l.line("Affected", finding.Clean(r.Affects[0], maxValue))
	}
	l.line("Codes", joinCodes(r.Codes))
	if a := r.Acknowledged; a != nil {
		l.line("Taken on by", finding.Clean(a.By, 100)+" at "+stamp(a.At))
	}
	if !s.over() {
		s.remedy(l)
	}
	s.sides(l)
	s.whoChanged(l)
	s.affected(l)
	s.others(l)
	if !s.over() {
		s.evidence(l)
	}
}

// remedy is what to do: prose, and each command alone on its line.
func (s *story) remedy(l *letter) {
	command := undo(s.first)
	if s.first.Remedy == "" && command == "" {
		return
	}
	l.heading("What to do")
	for _, line := range strings.Split(strings.TrimSpace(s.first.Remedy), "\n") {
		for _, p := range pieces(line) {
			if p.command {
				l.command(p.text)
			} else {
				l.prose(mailIndent, shortenIDs(finding.Clean(p.text, 2000)))
			}
		}
	}
	if command != "" && !strings.Contains(s.first.Remedy, command) {
		l.command(command)
	}
	l.tidy()
}

// tidy takes away the empty lines that a command left at the end and between commands.
func (l *letter) tidy() {
	text := strings.TrimRight(l.String(), "\n") + "\n"
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	l.Reset()
	l.WriteString(text)
}

func (s *story) affected(l *letter) {
	r := s.Record
	if r.AffectsCount == 0 || r.AffectsCount == 1 && len(r.Affects) == 1 {
		return
	}
	l.heading(fmt.Sprintf("Affected (%d)", r.AffectsCount))
	names := make([]string, 0, maxListed)
	for _, key := range r.Affects[:min(len(r.Affects), maxListed)] {
		names = append(names, finding.Clean(key, maxValue))
	}
	text := strings.Join(names, ", ")
	if left := r.AffectsCount - len(names); left > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	l.prose(mailIndent, text)
}

// others lists what the incident holds beyond what leads it.
func (s *story) others(l *letter) {
	if len(s.Findings) < 2 {
		return
	}
	l.heading("Also found")
	for i, f := range s.Findings[1:] {
		if i == maxOthers {
			fmt.Fprintf(l, "  and %d more\n", len(s.Findings)-1-i)
			return
		}
		l.hang(fmt.Sprintf("  %-8s ", f.Severity), "           ", string(f.Code)+": "+shortenIDs(finding.Clean(f.Summary, 500)))
	}
}

// evidence is what the mail has not said yet. Account, region and ARN stand in any case: what one pastes into the console.
func (s *story) evidence(l *letter) {
	said := strings.Join(strings.Fields(l.String()), " ")
	var names, values []string
	l.wide = labelWidth
	for _, name := range rest(s.first) {
		value := when(s.first.Evidence[name])
		if !keep(name) && (isSaid(value, said) || s.placeSaid(name, said)) {
			continue
		}
		names, values = append(names, label(name)), append(values, value)
		said += " " + value
		l.wide = max(l.wide, min(utf8.RuneCountInString(label(name)), 2*labelWidth))
	}
	if len(names) > 0 {
		l.heading("Evidence")
	}
	for i, name := range names {
		l.line(name, values[i])
	}
	l.wide = labelWidth
}

// isSaid reports whether a value stands in a text already. Short ones ("443") stand everywhere by chance.
func isSaid(value, said string) bool {
	return len(value) >= 8 && (strings.Contains(said, value) || strings.Contains(said, shortenIDs(value)))
}

// placeSaid reports whether file and line have been named already, as FILE:LINE.
func (s *story) placeSaid(name, said string) bool {
	file := render(s.first.Evidence["file"])
	return file != "" && (name == "line" || name == "column") && strings.Contains(said, file+":"+render(s.first.Evidence["line"]))
}

func keep(name string) bool { return name == "account" || name == "region" || name == "arn" }

// label is a name of the evidence for people.
func label(name string) string { return strings.ReplaceAll(finding.Clean(name, 40), "_", " ") }

// storm lists many incidents, a line each.
func (s *story) storm(l *letter) {
	l.heading(fmt.Sprintf("Incidents (%d), one message for all of them", len(s.Storm)))
	for i, n := range s.Storm {
		if i == maxListed {
			fmt.Fprintf(l, "  and %d more: certdrift incidents list shows them\n", len(s.Storm)-i)
			return
		}
		one := newStory(n, s.Options)
		l.hang(fmt.Sprintf("  %-8s ", n.Severity), "           ",
			fmt.Sprintf("%s: %s (%s)", one.place(), phrase(one.code()), one.code()))
	}
}

func joinCodes(codes []finding.Code) string {
	words := make([]string, 0, len(codes))
	for _, c := range codes {
		words = append(words, finding.Clean(string(c), 40))
	}
	return strings.Join(words, ", ")
}
