package alert

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// The bounds of a mail's lists.
const (
	maxListed = 25
	maxOthers = 5
)

// letter is a mail in the making: sections with a heading, labels aligned.
type letter struct{ strings.Builder }

func (l *letter) heading(text string) { l.WriteString("\n" + strings.ToUpper(text) + "\n") }

func (l *letter) line(label, value string) {
	if value != "" {
		fmt.Fprintf(l, "  %-12s %s\n", label, value)
	}
}

// email is the whole story in plain text.
func (s *story) email() string {
	l := &letter{}
	fmt.Fprintf(l, "%s%s: %s\n\n%s\n", s.headline(), s.shownEnvironment(" in "), s.what(), s.lead())
	if s.Storm != nil {
		s.storm(l)
	} else {
		s.single(l)
	}
	l.heading("More")
	l.line("Runbook", s.runbook())
	l.line("Explain", "certdrift explain "+string(s.code()))
	l.line("Dashboard", s.DashboardURL)
	l.line("Installation", s.Stack)
	return cutLines(l.String(), EmailLimit)
}

// single tells of one incident.
func (s *story) single(l *letter) {
	r := s.Record
	l.WriteString("\n")
	l.line("Began", stamp(r.First))
	if s.Event == incident.Recovered && !s.Eased {
		l.line("Ended", stamp(s.At))
	}
	l.line("Code", joinCodes(r.Codes))
	l.line("Cause", finding.Clean(r.Cause, maxValue))
	l.line("Incident", finding.Clean(r.Key, maxValue))
	l.line("Listener", finding.Clean(s.first.Listener, maxValue))
	l.line("Address", finding.Clean(s.first.Address, maxValue))
	if a := r.Acknowledged; a != nil {
		l.line("Taken on by", finding.Clean(a.By, 100)+" at "+stamp(a.At))
	}
	s.sides(l)
	if s.Event != incident.Recovered || s.Eased {
		s.remedy(l)
	}
	s.affected(l)
	s.others(l)
}

// sides shows the truths under one another, who changed them, and the rest of the evidence.
func (s *story) sides(l *letter) {
	if sides := truths(s.first); len(sides) > 0 {
		title := "Declared, attached, served"
		if s.Event == incident.Recovered && !s.Eased {
			title += ", when it was last seen wrong"
		}
		l.heading(title)
		for _, t := range sides {
			mark := ""
			if t.differs {
				mark = "   <-- differs"
			}
			l.line(t.name, t.value+mark)
		}
	}
	wrote := false
	for _, name := range whoKeys() {
		value := change(s.first.Evidence[name])
		if value == "" {
			continue
		}
		if !wrote {
			l.heading("Who changed it")
			wrote = true
		}
		l.line(strings.ReplaceAll(name, "_", " "), value)
	}
	if names := rest(s.first); len(names) > 0 {
		l.heading("Evidence")
		for _, name := range names {
			l.line(strings.ReplaceAll(finding.Clean(name, 40), "_", " "), render(s.first.Evidence[name]))
		}
	}
}

func (s *story) remedy(l *letter) {
	command := undo(s.first)
	if s.first.Remedy == "" && command == "" {
		return
	}
	l.heading("What to do")
	for _, line := range strings.Split(strings.TrimSpace(s.first.Remedy), "\n") {
		l.WriteString("  " + finding.Clean(line, 2000) + "\n")
	}
	if command != "" && !strings.Contains(s.first.Remedy, command) {
		l.WriteString("\n    " + command + "\n")
	}
}

func (s *story) affected(l *letter) {
	r := s.Record
	if r.AffectsCount == 0 {
		return
	}
	l.heading(fmt.Sprintf("Affected (%d)", r.AffectsCount))
	shown := r.Affects[:min(len(r.Affects), maxListed)]
	for _, key := range shown {
		l.WriteString("  " + finding.Clean(key, maxValue) + "\n")
	}
	if left := r.AffectsCount - len(shown); left > 0 {
		fmt.Fprintf(l, "  and %d more\n", left)
	}
}

// others lists what else the incident holds, a line a finding.
func (s *story) others(l *letter) {
	if len(s.Findings) < 2 {
		return
	}
	l.heading("Findings")
	for i, f := range s.Findings {
		if i == maxOthers {
			fmt.Fprintf(l, "  and %d more\n", len(s.Findings)-i)
			return
		}
		fmt.Fprintf(l, "  %-8s %s: %s\n", f.Severity, f.Code, finding.Clean(f.Summary, 500))
	}
}

// storm lists many incidents, a line each.
func (s *story) storm(l *letter) {
	l.heading(fmt.Sprintf("Incidents (%d), one message for all of them", len(s.Storm)))
	for i, n := range s.Storm {
		if i == maxListed {
			fmt.Fprintf(l, "  and %d more: certdrift incidents lists them\n", len(s.Storm)-i)
			return
		}
		one := newStory(n, s.Options)
		fmt.Fprintf(l, "  %-8s %s: %s (%s)\n", n.Severity, one.place(), phrase(one.code()), one.code())
	}
}

func joinCodes(codes []finding.Code) string {
	words := make([]string, 0, len(codes))
	for _, c := range codes {
		words = append(words, finding.Clean(string(c), 40))
	}
	return strings.Join(words, ", ")
}

// cutLines keeps whole lines up to a limit in bytes.
func cutLines(text string, limit int) string {
	const end = "[cut: certdrift incidents shows the rest]\n"
	if len(text) <= limit {
		return text
	}
	text = text[:limit-len(end)]
	return text[:strings.LastIndexByte(text, '\n')+1] + end
}
