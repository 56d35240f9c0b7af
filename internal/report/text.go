package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"certdrift/internal/finding"
)

// defaultWidth is how wide a plan is where nobody says how wide the terminal is.
const defaultWidth = 80

// WriteText writes the report for people: findings worst first, each with its evidence and remedy, then what is
// healthy in a line each, and one counting line. A plan is its rows instead, in lines of at most width characters (0: 80).
func WriteText(w io.Writer, r Report, style Style, width int) error {
	if style == nil {
		style = Plain
	}
	t := text{w: bufio.NewWriter(w), style: style, width: max(cmp.Or(width, defaultWidth), minWidth)}
	if r.Plan != nil {
		t.plan(r)
		return t.w.Flush()
	}
	for _, f := range r.Findings {
		t.finding(f)
	}
	t.endpoints(r)
	t.notes(r)
	t.listeners(r)
	role := RoleGood
	switch r.Verdict {
	case Fail:
		role = RoleCritical
	case Incomplete:
		role = RoleWarning
	}
	fmt.Fprintln(t.w, style(role, CountingLine(r)))
	return t.w.Flush()
}

type text struct {
	w     *bufio.Writer
	style Style
	width int // of a plan
}

func (t text) finding(f finding.Finding) {
	role := roleOf(f.Severity)
	fmt.Fprintf(t.w, "%s  %s\n", t.style(role, fmt.Sprintf("%-8s %s", strings.ToUpper(f.Severity.String()), f.Code)), t.style(RoleHeading, where(f)))
	fmt.Fprintf(t.w, "  %s\n", line1(f.Summary))
	if len(f.Affects) > 0 {
		fmt.Fprintf(t.w, "    affects %s\n", listText(f.Affects))
	}
	evidence := facts(f)
	width := 0
	for _, e := range evidence {
		width = max(width, len(e.name))
	}
	for _, e := range evidence {
		first, rest, _ := strings.Cut(e.value, "\n")
		fmt.Fprintf(t.w, "    %s  %s\n", t.style(RoleFaint, fmt.Sprintf("%-*s", width, e.name)), first)
		for line := range strings.Lines(rest) {
			fmt.Fprintf(t.w, "    %*s| %s\n", width, "", strings.TrimSuffix(line, "\n"))
		}
	}
	if strings.TrimSpace(f.Remedy) != "" {
		for i, line := range lines(f.Remedy) {
			mark := "  "
			if i == 0 {
				mark = "→ "
			}
			fmt.Fprintf(t.w, "  %s%s\n", t.style(RoleGood, mark), line)
		}
	}
	fmt.Fprintln(t.w)
}

func roleOf(s finding.Severity) Role {
	switch s {
	case finding.Critical:
		return RoleCritical
	case finding.Warning:
		return RoleWarning
	}
	return RoleInfo
}

// endpoints lists those that are healthy, and those that were not checked. The others have their findings above.
func (t text) endpoints(r Report) {
	width := 0
	for _, e := range r.Endpoints {
		if e.State == OK || e.State == Unknown {
			width = max(width, len(join2(e.Environment, e.Name)))
		}
	}
	width = min(width, 50)
	written := false
	for _, e := range r.Endpoints {
		mark, role := "✓", RoleGood
		switch e.State {
		case OK:
		case Unknown:
			mark, role = "?", RoleWarning
		default:
			continue
		}
		written = true
		fmt.Fprintf(t.w, "%s %-*s  %s\n", t.style(role, mark), width, finding.Clean(join2(e.Environment, e.Name), textLimit), health(r, e))
	}
	if written {
		fmt.Fprintln(t.w)
	}
}

func (t text) notes(r Report) {
	notes := r.Notes()
	for _, n := range notes {
		fmt.Fprintf(t.w, "%s %s  %s\n", t.style(RoleFaint, "·"), n.Endpoint, n.Text)
	}
	if len(notes) > 0 {
		fmt.Fprintln(t.w)
	}
}

// health is a healthy endpoint in a line: what it answered, how long its certificate lives, how fast it was.
func health(r Report, e Endpoint) string {
	if e.State == Unknown {
		return "not checked in this round"
	}
	var parts []string
	if len(e.Addresses) != 1 {
		parts = append(parts, fmt.Sprintf("%d addresses", len(e.Addresses)))
	}
	if end, ok := earliest(e); ok {
		parts = append(parts, leftText(end.Sub(r.At))+" ("+end.Format("2006-01-02")+")")
	}
	if len(e.Addresses) > 0 {
		a := e.Addresses[0]
		if a.Protocol != nil {
			parts = append(parts, a.Protocol.Version)
		}
		if a.HTTP != nil {
			parts = append(parts, fmt.Sprintf("%s %d", a.HTTP.Proto, a.HTTP.Status))
		}
		parts = append(parts, fmt.Sprintf("%.0f ms", slowest(e)))
	}
	if e.Listener != "" {
		parts = append(parts, "behind "+e.Listener)
	}
	return strings.Join(parts, " · ")
}

func slowest(e Endpoint) float64 {
	most := 0.0
	for _, a := range e.Addresses {
		most = max(most, a.Phases.Total)
	}
	return most
}

// listeners counts the healthy ones; a table of hundreds would bury what matters.
func (t text) listeners(r Report) {
	healthy, total := 0, len(r.Listeners)
	for _, l := range r.Listeners {
		if l.State == OK {
			healthy++
		}
	}
	if total > 0 {
		fmt.Fprintf(t.w, "%s %d of %s ok\n\n", t.style(RoleFaint, "·"), healthy, Count(total, "listener"))
	}
}
