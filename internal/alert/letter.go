package alert

import (
	"strings"
	"unicode/utf8"

	"certdrift/internal/finding"
)

const (
	// mailWidth is where prose is broken, in characters. ARNs, URLs and commands are never broken.
	mailWidth = 92
	// labelWidth is the column of the labels, without the indent before it.
	labelWidth = 11
	// mailIndent stands before all that is below a heading.
	mailIndent = "  "
	// maxCommand bounds a command, in characters. A longer one is left out: a command cut in two is another command.
	maxCommand = 4000
)

// letter is a mail in the making: prose broken at mailWidth, sections with a heading, labels aligned.
type letter struct {
	strings.Builder
	wide int // of the labels
}

func (l *letter) heading(text string) { l.WriteString("\n" + strings.ToUpper(text) + "\n") }

// prose writes a paragraph, each line after an indent.
func (l *letter) prose(indent, text string) { l.hang(indent, indent, text) }

// hang writes a paragraph whose first line begins otherwise than the others.
func (l *letter) hang(first, indent, text string) {
	for i, line := range fold(text, mailWidth-utf8.RuneCountInString(indent)) {
		if i > 0 {
			first = indent
		}
		l.WriteString(strings.TrimRight(first+line, " ") + "\n")
	}
}

// line writes a label and its value; nothing where there is none. What follows the first line hangs below the value.
func (l *letter) line(label, value string) { l.marked("", label, value) }

// marked is line with a mark of one character before the label, or none.
func (l *letter) marked(mark, label, value string) {
	if value != "" {
		l.hang(l.labelled(mark, label), mailIndent+strings.Repeat(" ", l.wide+1), value)
	}
}

// exact is line without breaks.
func (l *letter) exact(label, value string) { l.WriteString(l.labelled("", label) + value + "\n") }

func (l *letter) labelled(mark, label string) string {
	if mark != "" {
		label = mark + " " + label
	}
	return mailIndent + label + strings.Repeat(" ", max(1, l.wide+1-utf8.RuneCountInString(label)))
}

// command writes a command alone on its line, whole, for copying; one of several lines keeps them.
func (l *letter) command(text string) {
	l.WriteString("\n")
	for _, line := range strings.Split(text, "\n") {
		if line = cleanCommand(line); line == "" {
			line = "(the command is too long for a mail: certdrift check shows it)"
		}
		l.WriteString("    " + line + "\n")
	}
	l.WriteString("\n")
}

// cleanCommand makes one line of a command safe to show; empty where it is too long to be shown whole.
func cleanCommand(line string) string {
	if len(line) > maxCommand {
		return ""
	}
	return finding.Clean(strings.TrimSpace(line), maxCommand)
}

// fold breaks a text at spaces. A word that is longer than the width stays whole, and so does what stands between
// backticks: it is meant to be copied.
func fold(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range words(text) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines, line, length = append(lines, line), "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words splits at spaces outside of backticks.
func words(text string) []string {
	var out []string
	open := ""
	for _, w := range strings.Fields(text) {
		if open != "" {
			w = open + " " + w
		}
		if open = ""; strings.Count(w, "`")%2 == 1 {
			open = w
			continue
		}
		out = append(out, w)
	}
	if open != "" {
		out = append(out, strings.Fields(open)...) // a backtick that nothing closes
	}
	return out
}

// programs begin the commands that remedies name.
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

// pieces splits a line of a remedy: a command stands after a colon, or alone, and goes to the end of its sentence or of
// the line.
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

// sentence cuts a text after its first sentence: a full stop, a blank, a capital letter.
func sentence(text string) (first, rest string) {
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '.' && text[i+1] == ' ' && text[i+2] >= 'A' && text[i+2] <= 'Z' {
			return text[:i], text[i+2:]
		}
	}
	return text, ""
}

// cutLines keeps whole lines up to a limit in bytes.
func cutLines(text string, limit int) string {
	const end = "[cut: certdrift incidents list shows the rest]\n"
	if len(text) <= limit {
		return text
	}
	text = text[:limit-len(end)]
	return text[:strings.LastIndexByte(text, '\n')+1] + end
}
