package alert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// The bounds of an email's lists.
const (
	maxListed = 25
	maxOthers = 5
)

// email is the whole message in plain text, for someone who has just been woken. The first line says how bad it is, where, and what
// clients see; the second is the URL. Then the cause, what to type, who changed it, and the certificates side by side. Below a rule are
// the details.
func (m *message) email() string {
	w := &emailWriter{wide: labelWidth}
	m.opener(w)
	for _, section := range []func(*emailWriter){m.cause, m.remedies, m.changeAuthor, m.comparison, m.next} {
		section(w)
	}
	w.WriteString("\n" + strings.Repeat("-", emailWidth) + "\n")
	for _, section := range []func(*emailWriter){m.facts, m.affected, m.certificates, m.changeDetails, m.others, m.evidence, m.checks, m.more} {
		section(w)
	}
	return m.cutLines(w.String())
}

// listCommand is the command that lists all open incidents.
func (m *message) listCommand() string {
	if m.Stack == "" {
		return "certdrift incidents list"
	}
	return "certdrift incidents list --table " + m.table()
}

// table is the stack's state table, as a word of a command.
func (m *message) table() string { return topology.Shell(m.Stack + "-state") }

// over reports whether the notice is about what has ended.
func (m *message) over() bool { return m.Event == incident.Recovered && !m.Downgraded }

// opener is the first line, unbroken, the URLs, and since when.
func (m *message) opener(w *emailWriter) {
	w.WriteString(m.firstLine() + "\n")
	for _, url := range m.URLs {
		w.WriteString(clean(url) + "\n")
	}
	if left := m.Record.AffectsCount - len(m.URLs); left > 0 && len(m.URLs) > 0 {
		w.WriteString(fmt.Sprintf("and %d more, listed below\n", left))
	}
	w.WriteString("\n")
	w.prose("", strings.Join(slices.Concat(m.began(), m.notes()), " "))
}

// firstLine is severity and state, environment, endpoint, and how clients are affected, or else what is wrong.
func (m *message) firstLine() string {
	if m.code() == testCode {
		return "TEST, no action needed" + m.shownEnvironment(": alert path of ")
	}
	text := m.headline() + m.shownEnvironment(" ") + " " + m.place() + ": "
	if effect, cause := m.impact(); effect != "" {
		return text + lower(effect) + because(cause)
	}
	return text + m.what()
}

// began is since when, as a sentence; nothing where it does not matter.
func (m *message) began() []string {
	first := stamp(m.Record.First)
	switch {
	case first == "" || m.code() == testCode:
		return nil
	case m.over():
		return []string{"From " + first + " to " + stamp(m.At) + "."}
	}
	return []string{"Since " + first + "."}
}

// cause is what happened, for each incident of a combined message.
func (m *message) cause(w *emailWriter) {
	if m.Storm != nil {
		m.causes(w)
		return
	}
	if m.first.Summary == "" {
		return
	}
	heading := "Cause"
	if m.code() == testCode {
		heading = "About this message"
	}
	w.heading(heading)
	clauses := m.clauses(1000)
	if m.over() {
		clauses[0] = "Was: " + clauses[0]
	}
	for _, clause := range clauses {
		indent := emailIndent
		if strings.HasPrefix(clause, "- ") {
			indent += "  "
		}
		w.hanging(emailIndent, indent, m.brief(clause))
	}
}

// brief leaves out of a text what the certificates of the comparison are for, and until when: it stands there, side by side.
func (m *message) brief(text string) string {
	if len(m.sides()) == 0 {
		return text
	}
	return prose.Brief(text)
}

// causes lists what is combined, a number each, for what to do to refer to.
func (m *message) causes(w *emailWriter) {
	heading := "Cause"
	if m.over() {
		heading = "What it was"
	}
	w.heading(fmt.Sprintf("%s: %d incidents, combined in one message", heading, len(m.Storm)))
	limit := maxValue
	if len(m.Storm) <= maxOthers {
		limit = 1000
	}
	for i, one := range m.members() {
		if i == maxListed {
			w.left(len(m.Storm)-i, m.listCommand())
			return
		}
		text := one.place() + ": "
		if m.OneCause() && one.first.Summary != "" {
			text += finding.Clean(m.brief(inLine.Replace(strings.Join(one.clauses(1000), "; "))), limit)
		} else {
			text += fmt.Sprintf("%s (%s, %s)", phrase(one.code()), one.code(), one.Severity)
		}
		number := fmt.Sprintf("%d. ", i+1)
		w.hanging(emailIndent+number, emailIndent+strings.Repeat(" ", len(number)), text)
	}
}

// inLine makes one line of joined clauses.
var inLine = strings.NewReplacer("; - ", "; ", ".; ", ". ")

// members are the incidents of a combined message.
func (m *message) members() []*message {
	out := make([]*message, 0, len(m.Storm))
	for _, n := range m.Storm {
		out = append(out, newMessage(n, m.Options))
	}
	return out
}

// remedies are what to do. In a combined message each stands once, with the numbers of the incidents that it is for.
func (m *message) remedies(w *emailWriter) {
	if m.over() {
		return
	}
	if m.Storm == nil {
		if m.hasRemedy() {
			w.heading("What to do")
			m.remedy(w)
		}
		return
	}
	byRemedy := map[string][]int{}
	var distinct []*message
	for i, one := range m.members() {
		key := one.first.Remedy + "\x00" + undo(one.first)
		if byRemedy[key] == nil && one.hasRemedy() {
			distinct = append(distinct, one)
		}
		byRemedy[key] = append(byRemedy[key], i+1)
	}
	if len(distinct) == 0 {
		return
	}
	w.heading("What to do")
	most := maxListed
	if m.mixed {
		most = maxOthers
	}
	for i, one := range distinct {
		if i == most {
			w.WriteString("\n")
			w.left(len(distinct)-i, "certdrift check")
			return
		}
		if numbers := byRemedy[one.first.Remedy+"\x00"+undo(one.first)]; len(numbers) < len(m.Storm) {
			if i > 0 {
				w.WriteString("\n")
			}
			place := ""
			if len(numbers) == 1 {
				place = " (" + one.place() + ")"
			}
			w.prose(emailIndent, "For "+ranges(numbers)+place+":")
		}
		one.remedy(w)
	}
}

// ranges writes ascending numbers: "1, 3-5".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += "-" + strconv.Itoa(numbers[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ", ")
}

// next are the console's page and the command that acknowledges the incident.
func (m *message) next(w *emailWriter) {
	if m.over() || m.code() == testCode {
		return
	}
	pages := m.consolePages()
	if len(pages) == 0 && m.Stack == "" {
		return
	}
	w.heading("Next")
	for i, page := range pages {
		w.exact([]string{"Console", ""}[min(i, 1)], page)
	}
	if m.Stack == "" {
		return
	}
	w.line("Acknowledge", "no reminders for 4 hours:")
	var keys, end string
	for _, n := range m.Each()[:min(len(m.Each()), maxListed)] {
		keys += " " + topology.Shell(finding.Clean(n.Record.Key, maxValue))
		if strings.HasPrefix(n.Record.Key, "-") { // certdrift's own problems: the key is no flag
			end = " --"
		}
	}
	w.command("certdrift incidents ack --until 4h --table " + m.table() + end + keys)
	if left := len(m.Each()) - maxListed; left > 0 {
		w.left(left, m.listCommand())
	}
	w.tidy()
}

// consolePages are the listeners' pages in the AWS console, each once.
func (m *message) consolePages() (pages []string) {
	for _, n := range m.Each() {
		one := newMessage(n, m.Options)
		l := one.first.Subject.Listener
		balancer, _, _ := strings.Cut(one.first.Listener, ":")
		page := clean(arn.ListenerPage(l.Region, l.ARN, balancer))
		if page != "" && !slices.Contains(pages, page) && len(pages) < maxOthers {
			pages = append(pages, page)
		}
	}
	return pages
}

// facts are what identifies a single incident.
func (m *message) facts(w *emailWriter) {
	if m.Storm != nil {
		return
	}
	r := m.Record
	w.WriteString("\n")
	w.line("Listener", finding.Clean(m.first.Listener, maxValue))
	w.line("Address", finding.Clean(m.first.Address, maxValue))
	if r.AffectsCount == 1 && len(r.Affects) == 1 {
		w.line("Affected", finding.Clean(r.Affects[0], maxValue))
	}
	w.line("Codes", joinCodes(r.Codes))
	if a := r.Acknowledged; a != nil {
		w.line("Acknowledged", "by "+finding.Clean(a.By, 100)+" at "+stamp(a.At))
	}
}

// more are the links, and the incident's key.
func (m *message) more(w *emailWriter) {
	w.heading("More")
	w.line("Runbook", m.runbook())
	if m.code() != testCode {
		w.line("Explain", "certdrift explain "+string(m.code()))
	}
	w.line("Dashboard", m.DashboardURL)
	w.line("Sent by", m.Stack)
	if m.Storm == nil {
		w.exact("Incident", finding.Clean(m.Record.Key, maxValue))
	}
}

// hasRemedy reports whether there is something to do, in words or as a command.
func (m *message) hasRemedy() bool { return m.first.Remedy != "" || undo(m.first) != "" }

// remedy is what to do: prose, and each command alone on its line.
func (m *message) remedy(w *emailWriter) {
	command := undo(m.first)
	for _, line := range strings.Split(strings.TrimSpace(m.first.Remedy), "\n") {
		for _, p := range pieces(line) {
			if p.command {
				w.command(p.text)
			} else {
				w.prose(emailIndent, m.brief(prose.ShortenIDs(finding.Clean(p.text, 2000))))
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
	w.prose(emailIndent, strings.Join(names, ", "))
	if left := r.AffectsCount - len(names); left > 0 {
		w.left(left, m.listCommand()+" --format json")
	}
}

// others lists the findings beyond the leading one: what the same remedy fixes, and what has a remedy of its own.
func (m *message) others(w *emailWriter) {
	if len(m.Findings) < 2 || m.Storm != nil {
		return
	}
	w.heading("Also found")
	remedies := incident.Problem{Findings: m.Findings}.Remedies()
	for i, f := range m.Findings[1:] {
		if i == maxOthers {
			fmt.Fprintf(w, "  and %d more\n", len(m.Findings)-1-i)
			break
		}
		text := string(f.Code) + ": " + prose.ShortenIDs(finding.Clean(f.Summary, 500))
		if f.Code.FixedBy(m.first.Code) && !m.first.DeclarationOutdated() && !m.over() {
			text += ". Fixed by the remedy above"
		}
		w.hanging(fmt.Sprintf("  %-8s ", f.Severity), "           ", text)
		if at := slices.Index(remedies, strings.TrimSpace(f.Remedy)); at > 0 && !m.over() {
			remedies = slices.Delete(remedies, at, at+1)
			w.WriteString("\n")
			newMessage(incident.Notice{Findings: []finding.Finding{f}}, m.Options).remedy(w)
			w.WriteString("\n")
		}
	}
	w.tidy()
}

// evidence is what the email has not said yet. Account, region and ARN are always included, for pasting into the console.
func (m *message) evidence(w *emailWriter) {
	if m.over() || m.Storm != nil {
		return
	}
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
	return len(value) >= 8 && (strings.Contains(said, value) || strings.Contains(said, prose.ShortenIDs(value)))
}

// placeSaid reports whether file and line have been named already, as FILE:LINE.
func (m *message) placeSaid(name, said string) bool {
	at := m.first.Subject.Source
	return at.File != "" && (name == "line" || name == "column") && strings.Contains(said, fmt.Sprintf("%s:%d", clean(at.File), at.Line))
}

func keep(name string) bool { return name == "account" || name == "region" || name == "arn" }

// label is the name of a piece of evidence for people.
func label(name string) string { return strings.ReplaceAll(finding.Clean(name, 40), "_", " ") }

func joinCodes(codes []finding.Code) string {
	words := make([]string, 0, len(codes))
	for _, c := range codes {
		words = append(words, finding.Clean(string(c), 40))
	}
	return strings.Join(words, ", ")
}
