package alert

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

const (
	// emailWidth is where prose is wrapped, in characters. ARNs, URLs and commands are never broken.
	emailWidth = 92
	// labelWidth is the column of the labels, without the indent before it.
	labelWidth = 12
	// emailIndent precedes everything below a heading.
	emailIndent = "  "
	// maxCommand bounds a command, in characters. A longer one is left out: a command cut in two is another command.
	maxCommand = 4000
)

// emailWriter builds an email: prose wrapped at emailWidth, sections with a heading, labels aligned.
type emailWriter struct {
	strings.Builder
	wide int // of the labels
}

func (w *emailWriter) heading(text string) { w.WriteString("\n" + strings.ToUpper(text) + "\n") }

// prose writes a paragraph, each line after an indent.
func (w *emailWriter) prose(indent, text string) { w.hanging(indent, indent, text) }

// hanging writes a paragraph whose first line begins differently from the others.
func (w *emailWriter) hanging(first, indent, text string) {
	for i, line := range prose.Wrap(text, emailWidth-utf8.RuneCountInString(indent)) {
		if i > 0 {
			first = indent
		}
		w.WriteString(strings.TrimRight(first+line, " ") + "\n")
	}
}

// line writes a label and its value; nothing where the value is empty. Further lines are aligned with the value.
func (w *emailWriter) line(label, value string) { w.marked("", label, value) }

// marked is line with a mark of one character before the label, or none.
func (w *emailWriter) marked(mark, label, value string) {
	if value != "" {
		w.hanging(w.labelled(mark, label), emailIndent+strings.Repeat(" ", w.wide+1), value)
	}
}

// exact is line without breaks.
func (w *emailWriter) exact(label, value string) { w.WriteString(w.labelled("", label) + value + "\n") }

func (w *emailWriter) labelled(mark, label string) string {
	if mark != "" {
		label = mark + " " + label
	}
	return emailIndent + label + strings.Repeat(" ", max(1, w.wide+1-utf8.RuneCountInString(label)))
}

// command writes a command alone on its line, whole, for copying; one of several lines keeps them.
func (w *emailWriter) command(text string) {
	w.WriteString("\n")
	for _, line := range strings.Split(text, "\n") {
		if line = cleanCommand(line); line == "" {
			line = "(the command is too long for an email; run certdrift check to see it)"
		}
		w.WriteString("    " + line + "\n")
	}
	w.WriteString("\n")
}

// cleanCommand makes one line of a command safe to show; empty where it is too long to show whole.
func cleanCommand(line string) string {
	if len(line) > maxCommand {
		return ""
	}
	return finding.Clean(strings.TrimSpace(line), maxCommand)
}

// programs are what the commands in remedies begin with.
func programs() []string {
	return []string{"aws ", "certdrift ", "kubectl ", "openssl ", "curl ", "dig "}
}

// isCommand reports whether a line of a remedy is a command, not prose.
func isCommand(line string) bool {
	for _, p := range programs() {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

// piece is a part of a remedy: prose, or a command.
type piece struct {
	text    string
	command bool
}

// pieces splits a line of a remedy: a command follows a colon, or stands alone, and ends with its sentence or the
// line.
func pieces(line string) []piece {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil
	}
	if isCommand(line) {
		command, rest := sentence(line)
		return append([]piece{{command, true}}, pieces(rest)...)
	}
	for at := 0; ; {
		next := strings.Index(line[at:], ": ")
		if next < 0 {
			return []piece{{line, false}}
		}
		if at += next + 2; isCommand(line[at:]) {
			return append([]piece{{line[:at-1], false}}, pieces(line[at:])...)
		}
	}
}

// sentence cuts a text after its first sentence: a full stop, a blank, a capital emailWriter.
func sentence(text string) (first, rest string) {
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '.' && text[i+1] == ' ' && text[i+2] >= 'A' && text[i+2] <= 'Z' {
			return text[:i], text[i+2:]
		}
	}
	return text, ""
}

// left says how many of a list are left out, and the command that shows them.
func (w *emailWriter) left(n int, command string) {
	fmt.Fprintf(w, "%sand %d more: %s\n", emailIndent, n, command)
}

// cutLines keeps whole lines up to EmailLimit.
func (m *message) cutLines(text string) string {
	if len(text) <= EmailLimit {
		return text
	}
	end := "[truncated; for the rest: " + m.listCommand() + "]\n"
	text = text[:EmailLimit-len(end)]
	return text[:strings.LastIndexByte(text, '\n')+1] + end
}
