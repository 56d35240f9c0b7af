package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/sim/account"
)

// teller writes the story for people.
type teller struct {
	out   io.Writer
	style report.Style
	acts  int
}

func newTeller(o Options) *teller {
	style := o.Style
	if style == nil {
		style = report.Plain
	}
	return &teller{out: o.Out, style: style}
}

func (t *teller) line(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// scene announces an act.
func (t *teller) scene(a Act) {
	t.acts++
	t.line("")
	for i, line := range wrap(a.Title, 100) {
		head := "   "
		if i == 0 {
			head = fmt.Sprintf("%d. ", t.acts)
		}
		t.line("%s%s", t.style(report.RoleHeading, head), t.style(report.RoleHeading, line))
	}
	t.line("   %s", t.style(report.RoleFaint, a.At.UTC().Format("Mon 2 Jan 2006 15:04 MST")))
}

// outcome shows what certdrift found and sent.
func (t *teller) outcome(a Act, seen observation.Round) {
	t.line("")
	for _, e := range seen.Endpoints {
		t.endpoint(e, a.Findings)
	}
	if len(a.Deliveries) == 0 {
		t.line("   no message was sent")
		return
	}
	count := map[string]int{}
	for _, d := range a.Deliveries {
		count[d.Protocol]++
	}
	t.line("   sent: %s", counts(count))
	for _, d := range a.Deliveries {
		if d.Protocol == "email" {
			t.line("     - %s", d.Subject)
		}
	}
	shown := map[string]bool{}
	for _, d := range a.Deliveries {
		if !shown[d.Protocol] {
			shown[d.Protocol] = true
			t.message(d, count[d.Protocol])
		}
	}
}

// endpoint is one line: what is served now, and what certdrift says of it.
func (t *teller) endpoint(e observation.Endpoint, all []finding.Finding) {
	key := e.Target.Key()
	var codes []string
	worst := finding.None
	for _, f := range all {
		own := f.Environment == e.Target.Environment && f.Endpoint == e.Target.Name
		if (own || slices.Contains(f.Affects, key)) && f.Severity >= finding.Warning && !slices.Contains(codes, string(f.Code)) {
			codes = append(codes, string(f.Code))
			worst = max(worst, f.Severity)
		}
	}
	state, role := "ok", report.RoleGood
	if worst > finding.None {
		state, role = worst.String(), report.RoleCritical
	}
	if worst == finding.Warning {
		role = report.RoleWarning
	}
	t.line("   %s  %s", t.style(role, fmt.Sprintf("%-8s", state)),
		strings.TrimRight(fmt.Sprintf("%-16s %-38s %s", key, e.Target.Host, strings.Join(codes, ", ")), " "))
}

// message shows a mail or a text message as its reader gets it.
func (t *teller) message(d account.Delivery, of int) {
	t.line("")
	title := d.Protocol + " to " + d.Endpoint
	if of > 1 {
		title += fmt.Sprintf(" (the first of %d)", of)
	}
	t.line("   ┌ %s", t.style(report.RoleFaint, title))
	if d.Protocol == "email" {
		t.line("   │ Subject: %s", t.style(report.RoleHeading, d.Subject))
		t.line("   │")
	}
	for _, line := range strings.Split(strings.TrimRight(d.Text, "\n"), "\n") {
		t.line("   │ %s", line)
	}
	t.line("   └")
}

// ending sums the story up.
func (t *teller) ending(acts []Act) {
	email, sms := 0, 0
	for _, a := range acts {
		for _, d := range a.Deliveries {
			if d.Protocol == "email" {
				email++
			} else {
				sms++
			}
		}
	}
	t.line("")
	t.line("%s", t.style(report.RoleHeading, "In the real incident the first alert was a scraper that failed, hours later. Here: "+
		fmt.Sprintf("%d mails and %d text messages, the first within two minutes of each change.", email, sms)))
}

func counts(byProtocol map[string]int) string {
	var parts []string
	for _, p := range []string{"email", "sms"} {
		if n := byProtocol[p]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, p))
		}
	}
	return strings.Join(parts, ", ")
}

// wrap breaks a text at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
