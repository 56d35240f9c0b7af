package alert

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/topology"
)

// The bounds of an email's lists.
const (
	maxListed = 25
	maxOthers = 5
)

// email is the whole message in plain text, for someone who has just been woken: how clients are affected, what happened,
// what to type; then the certificates side by side, who changed them, and the rest.
func (m *message) email() string {
	w := &emailWriter{wide: labelWidth}
	for i, paragraph := range m.opening(1000) {
		if i > 0 {
			w.WriteString("\n")
		}
		for _, clause := range paragraph {
			if strings.HasPrefix(clause, "- ") {
				w.hanging("", "  ", clause)
			} else {
				w.prose("", clause)
			}
		}
	}
	if m.Storm != nil {
		m.storm(w)
	} else {
		m.single(w)
	}
	w.heading("More")
	w.line("Runbook", m.runbook())
	if m.code() != testCode {
		w.line("Explain", "certdrift explain "+string(m.code()))
	}
	w.line("Dashboard", m.DashboardURL)
	w.line("Sent by", m.Stack)
	if m.Storm == nil {
		if m.Stack != "" && !m.over() && m.code() != testCode {
			w.line("Acknowledge", "no reminders for 4 hours:")
			w.command("certdrift incidents ack " + topology.Shell(finding.Clean(m.Record.Key, maxValue)) + " --until 4h --table " + topology.Shell(m.Stack+"-state") + " --by YOU")
		}
		w.exact("Incident", finding.Clean(m.Record.Key, maxValue))
	}
	return cutLines(strings.TrimLeft(w.String(), "\n"), EmailLimit)
}

// over reports whether the notice is about what has ended.
func (m *message) over() bool { return m.Event == incident.Recovered && !m.Downgraded }

// single writes one incident.
func (m *message) single(w *emailWriter) {
	r := m.Record
	w.WriteString("\n")
	w.line("Began", stamp(r.First))
	if m.over() {
		w.line("Ended", stamp(m.At))
	}
	w.line("Listener", finding.Clean(m.first.Listener, maxValue))
	w.line("Address", finding.Clean(m.first.Address, maxValue))
	if r.AffectsCount == 1 && len(r.Affects) == 1 {
		w.line("Affected", finding.Clean(r.Affects[0], maxValue))
	}
	w.line("Codes", joinCodes(r.Codes))
	if a := r.Acknowledged; a != nil {
		w.line("Acknowledged", "by "+finding.Clean(a.By, 100)+" at "+stamp(a.At))
	}
	if !m.over() {
		m.remedy(w)
	}
	m.comparison(w)
	m.changeAuthor(w)
	m.affected(w)
	m.others(w)
	if !m.over() {
		m.evidence(w)
	}
}

// remedy is what to do: prose, and each command alone on its line.
func (m *message) remedy(w *emailWriter) {
	command := undo(m.first)
	if m.first.Remedy == "" && command == "" {
		return
	}
	w.heading("What to do")
	for _, line := range strings.Split(strings.TrimSpace(m.first.Remedy), "\n") {
		for _, p := range pieces(line) {
			if p.command {
				w.command(p.text)
			} else {
				w.prose(emailIndent, shortenIDs(finding.Clean(p.text, 2000)))
			}
		}
	}
	if command != "" && !strings.Contains(m.first.Remedy, command) {
		w.command(command)
	}
	w.tidy()
}

// tidy removes the empty lines that commands left at the end and between them.
func (w *emailWriter) tidy() {
	text := strings.TrimRight(w.String(), "\n") + "\n"
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	w.Reset()
	w.WriteString(text)
}

func (m *message) affected(w *emailWriter) {
	r := m.Record
	if r.AffectsCount == 0 || r.AffectsCount == 1 && len(r.Affects) == 1 {
		return
	}
	w.heading(fmt.Sprintf("Affected (%d)", r.AffectsCount))
	names := make([]string, 0, maxListed)
	for _, key := range r.Affects[:min(len(r.Affects), maxListed)] {
		names = append(names, finding.Clean(key, maxValue))
	}
	text := strings.Join(names, ", ")
	if left := r.AffectsCount - len(names); left > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	w.prose(emailIndent, text)
}

// others lists the findings beyond the leading one.
func (m *message) others(w *emailWriter) {
	if len(m.Findings) < 2 {
		return
	}
	w.heading("Also found")
	for i, f := range m.Findings[1:] {
		if i == maxOthers {
			fmt.Fprintf(w, "  and %d more\n", len(m.Findings)-1-i)
			return
		}
		w.hanging(fmt.Sprintf("  %-8s ", f.Severity), "           ", string(f.Code)+": "+shortenIDs(finding.Clean(f.Summary, 500)))
	}
}

// evidence is what the email has not said yet. Account, region and ARN are always included, for pasting into the console.
func (m *message) evidence(w *emailWriter) {
	said := strings.Join(strings.Fields(w.String()), " ")
	var names, values []string
	w.wide = labelWidth
	all := m.first.AllEvidence()
	for _, name := range rest(all) {
		value := render(all[name])
		if !keep(name) && (isSaid(value, said) || m.placeSaid(name, said)) {
			continue
		}
		names, values = append(names, label(name)), append(values, value)
		said += " " + value
		w.wide = max(w.wide, min(utf8.RuneCountInString(label(name)), 2*labelWidth))
	}
	if len(names) > 0 {
		w.heading("Evidence")
	}
	for i, name := range names {
		w.line(name, values[i])
	}
	w.wide = labelWidth
}

// isSaid reports whether a text already contains a value. Short ones ("443") occur anywhere by chance.
func isSaid(value, said string) bool {
	return len(value) >= 8 && (strings.Contains(said, value) || strings.Contains(said, shortenIDs(value)))
}

// placeSaid reports whether file and line have been named already, as FILE:LINE.
func (m *message) placeSaid(name, said string) bool {
	at := m.first.Subject.Source
	return at.File != "" && (name == "line" || name == "column") && strings.Contains(said, fmt.Sprintf("%s:%d", clean(at.File), at.Line))
}

func keep(name string) bool { return name == "account" || name == "region" || name == "arn" }

// label is the name of a piece of evidence for people.
func label(name string) string { return strings.ReplaceAll(finding.Clean(name, 40), "_", " ") }

// storm lists many incidents, a line each.
func (m *message) storm(w *emailWriter) {
	w.heading(fmt.Sprintf("Incidents (%d), combined in one message", len(m.Storm)))
	for i, n := range m.Storm {
		if i == maxListed {
			fmt.Fprintf(w, "  and %d more (run certdrift incidents list to see all)\n", len(m.Storm)-i)
			return
		}
		one := newMessage(n, m.Options)
		w.hanging(fmt.Sprintf("  %-8s ", n.Severity), "           ",
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
