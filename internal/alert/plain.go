package alert

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// plain is the notice in short texts that can be inserted anywhere unescaped: one line each, never empty, without quotes,
// backslashes and markup. EventBridge's input transformers make the messages of PagerDuty, Opsgenie, Slack and Teams from it
// (infra/tools.yaml), and they do not escape what they insert.
type plain struct {
	// Key names the alert that this notice leaves open, Keys those that its incident may have: one for each severity, because an
	// alert that somebody has acknowledged as a warning pages nobody when it becomes critical.
	Key  string `json:"key"`
	Keys keys   `json:"keys"`

	Title       string `json:"title"`
	Text        string `json:"text"`
	Environment string `json:"environment"`
	Place       string `json:"place"`
	Do          string `json:"do"`
	Help        string `json:"help"`
	// Severity and Priority are those of what is open: critical is P1, a warning P3, anything else P5.
	Severity string `json:"severity"`
	Priority string `json:"priority"`
}

type keys struct {
	Critical string `json:"critical"`
	Warning  string `json:"warning"`
}

// plainLimit is the number of characters of a text: a section of a Slack message takes 3,000, a summary of PagerDuty's 1,024.
const plainLimit = 700

func (m *message) plain() plain {
	thread, open := m.thread(), m.Severity
	if m.Downgraded {
		open = m.Remaining
	}
	p := plain{
		Key: thread + "-warning", Keys: keys{thread + "-critical", thread + "-warning"},
		Title: unmarked(m.subject()), Text: unmarked(m.lead()), Environment: unmarked(m.environment()), Place: unmarked(strings.Join(append([]string{m.place()}, m.URLs[:min(1, len(m.URLs))]...), ": ")),
		Do: m.do(), Help: m.help(), Severity: open.String(), Priority: "P5",
	}
	switch open {
	case finding.Critical:
		p.Key, p.Priority = p.Keys.Critical, "P1"
	case finding.Warning:
		p.Priority = "P3"
	}
	return p
}

// do is what to type, or else what to do, in a line. A command is whole and as it is, or not there.
func (m *message) do() string {
	if m.over() || m.code() == testCode && m.Storm == nil {
		return "No action needed."
	}
	var commands []string
	for line := range strings.Lines(m.undoAll()) {
		if line = cleanCommand(line); line != "" {
			commands = append(commands, line)
		}
	}
	line := strings.Join(commands, "; ")
	switch {
	case line != "" && unmarked(line) == line:
		return line
	case line != "":
		return "See the email for the commands, or run certdrift check."
	case m.Storm != nil:
		return unmarked(m.listCommand())
	}
	if remedy := unmarked(m.first.Remedy); remedy != "" {
		return remedy
	}
	return "certdrift explain " + string(m.code())
}

// undoAll are the commands that undo all of the message's incidents, a line each, none twice.
func (m *message) undoAll() string {
	var all []string
	for _, n := range m.Each() {
		for line := range strings.Lines(undo(newMessage(n, m.Options).first)) {
			if line = strings.TrimSpace(line); line != "" && !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return strings.Join(all, "\n")
}

// help is where to read on.
func (m *message) help() string {
	switch link := m.runbook(); {
	case link != "":
		return unmarked("Runbook: " + link)
	case m.code() == testCode:
		return "Sent by certdrift alert --test"
	}
	return "certdrift explain " + string(m.code())
}

// unmarked is a text on one line, without anything that JSON, a chat application or a card would interpret. Each character is
// replaced by one, so that limits hold.
func unmarked(text string) string {
	text = finding.Clean(strings.Join(strings.Fields(text), " "), plainLimit)
	return strings.NewReplacer(
		`"`, "'", "`", "'", `\`, "/", "<", "‹", ">", "›", "[", "(", "]", ")", "*", "∗", "@", "＠",
	).Replace(text)
}
