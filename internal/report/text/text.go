// Package text writes a report for people in a terminal: the verdict, then each problem with its cause, the three truths side by side
// and what to do, then what is healthy in a line. It is ordered by what someone needs who reads it once, at night, and its lines are no
// wider than the terminal.
//
// It stands apart from package report since it draws tables with a library that no Lambda needs (archtest holds that none links it).
package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// The widths of text, in characters: where nobody says how wide the terminal is, and below which nothing would be readable.
const (
	defaultWidth = 80
	minWidth     = 40
)

// Options are how the text looks.
type Options struct {
	// Style is how words are marked; nil for not at all.
	Style report.Style
	// Width is how many characters fit a line; 0 where that is not known.
	Width int
	// Verbose adds the evidence of every finding, and lists what is counted otherwise.
	Verbose bool
}

// Write writes the report. A plan is its rows instead.
func Write(w io.Writer, r report.Report, o Options) error {
	if o.Style == nil {
		o.Style = report.Plain
	}
	t := text{w: bufio.NewWriter(w), style: o.Style, width: max(cmp.Or(o.Width, defaultWidth), minWidth), verbose: o.Verbose, terminal: o.Width > 0}
	if r.Plan != nil {
		t.plan(r)
		return t.w.Flush()
	}
	problems := incident.Problems(r.Findings)
	verdict := strings.ToUpper(string(r.Verdict))
	switch {
	case len(problems) > 0 && problems[0].Severity() == finding.Critical:
		verdict += ", " + prose.Count(len(problems), "problem")
	case len(problems) > 0:
		verdict += ", " + prose.Count(len(problems), "warning")
	}
	t.paragraph(roleOf(r.Verdict), 0, 0, verdict+": "+report.Sentence(r))
	t.blank()
	rows := map[string]comparison.Row{}
	for _, row := range comparison.Rows(r) {
		rows[comparison.Name(row.Endpoint)] = row
	}
	for _, p := range problems {
		t.problem(p, rows)
	}
	t.infos(r)
	t.endpoints(r)
	t.notes(r)
	t.listeners(r)
	t.last(roleOf(r.Verdict), r)
	return t.w.Flush()
}

func roleOf(v report.Verdict) report.Role {
	switch v {
	case report.Fail:
		return report.RoleCritical
	case report.Incomplete:
		return report.RoleWarning
	}
	return report.RoleGood
}

func severityRole(s finding.Severity) report.Role {
	switch s {
	case finding.Critical:
		return report.RoleCritical
	case finding.Warning:
		return report.RoleWarning
	}
	return report.RoleInfo
}

// text writes lines.
type text struct {
	w       *bufio.Writer
	style   report.Style
	width   int
	verbose bool
	// terminal: the width is one that was asked for.
	terminal bool
}

// last writes the counting line. Only a terminal has it folded: elsewhere it stays the last line.
func (t text) last(role report.Role, r report.Report) {
	if !t.terminal {
		t.width = 1 << 20
	}
	t.paragraph(role, 0, 0, report.CountingLine(r))
}

func (t text) blank() { fmt.Fprintln(t.w) }

// The bounds of what is listed, unless all is asked for.
const (
	shownInfos     = 10
	shownEndpoints = 10
	shownNotes     = 5
)

// some writes the first of n things, and counts the others.
func (t text) some(n, shown int, noun string, write func(int)) {
	if t.verbose {
		shown = n
	}
	for i := range min(n, shown) {
		write(i)
	}
	if more := n - shown; more > 0 {
		t.marked(report.RoleFaint, "·", "and "+prose.Count(more, "more "+noun)+" (--verbose lists all)")
	}
	if n > 0 {
		t.blank()
	}
}

// named writes a paragraph behind a mark and the name of what it is about.
func (t text) named(role report.Role, mark, name, words string) {
	lines := foldLine(name+" "+words, t.width-3, 0)
	if rest, found := strings.CutPrefix(lines[0], name+" "); found {
		lines[0] = name + "  " + rest
	}
	t.listed(role, mark, lines)
}

// marked writes a paragraph behind a mark.
func (t text) marked(role report.Role, mark, words string) {
	t.listed(role, mark, foldLine(words, t.width-2, 0))
}

func (t text) listed(role report.Role, mark string, lines []string) {
	for i, line := range lines {
		if i == 0 {
			fmt.Fprintln(t.w, t.style(role, mark)+" "+line)
		} else {
			fmt.Fprintln(t.w, "  "+line)
		}
	}
}

// infos are the findings that are no problem.
func (t text) infos(r report.Report) {
	var all []finding.Finding
	for _, f := range r.Findings {
		if f.Severity < finding.Warning {
			all = append(all, f)
		}
	}
	t.some(len(all), shownInfos, "finding", func(i int) {
		t.marked(report.RoleInfo, "i", string(all[i].Code)+" "+report.Where(all[i])+": "+report.Line(prose.ShortenIDs(all[i].Summary)))
		if t.verbose {
			t.evidence(all[i])
			if all[i].Remedy != "" {
				t.remedies([]string{all[i].Remedy}, prose.ShortenIDs)
			}
		}
	})
}

// endpoints counts the healthy ones in a line, and lists those that were not checked. The others have their problems above.
func (t text) endpoints(r report.Report) {
	var healthy, unknown []report.Endpoint
	for _, e := range r.Endpoints {
		switch e.State {
		case report.OK:
			healthy = append(healthy, e)
		case report.Unknown:
			unknown = append(unknown, e)
		}
	}
	switch {
	case len(healthy) == 0:
	case len(healthy) == 1 || t.verbose:
		t.some(len(healthy), len(healthy), "endpoint", func(i int) {
			t.named(report.RoleGood, "✓", comparison.Name(healthy[i]), report.Health(r, healthy[i]))
		})
	default:
		t.marked(report.RoleGood, "✓", fmt.Sprintf("%d of %s ok%s", len(healthy), prose.Count(len(r.Endpoints), "endpoint"), firstToExpire(r, healthy)))
		t.blank()
	}
	t.some(len(unknown), shownEndpoints, "endpoint", func(i int) {
		t.named(report.RoleWarning, "?", comparison.Name(unknown[i]), report.Health(r, unknown[i]))
	})
}

// firstToExpire says which of some endpoints' certificates expires first.
func firstToExpire(r report.Report, all []report.Endpoint) string {
	var first report.Endpoint
	var end time.Time
	for _, e := range all {
		if at, ok := report.Earliest(e); ok && (end.IsZero() || at.Before(end)) {
			first, end = e, at
		}
	}
	if end.IsZero() {
		return ""
	}
	return fmt.Sprintf("; the next certificate to expire: %s, %s (%s)", comparison.Name(first), report.LeftText(end.Sub(r.At)), prose.Day(end))
}

func (t text) notes(r report.Report) {
	notes := r.Notes()
	t.some(len(notes), shownNotes, "note", func(i int) {
		t.named(report.RoleFaint, "·", notes[i].Endpoint, notes[i].Text)
	})
}

// listeners counts the healthy ones; a table of hundreds would bury what matters.
func (t text) listeners(r report.Report) {
	healthy, total := 0, len(r.Listeners)
	for _, l := range r.Listeners {
		if l.State == report.OK {
			healthy++
		}
	}
	if total > 0 {
		t.marked(report.RoleFaint, "·", fmt.Sprintf("%d of %s ok", healthy, prose.Count(total, "listener")))
		t.blank()
	}
}
