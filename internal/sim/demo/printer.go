package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/sim/account"
)

// printer prints the acts.
type printer struct {
	out   io.Writer
	style report.Style
	acts  int
}

func newPrinter(o Options) *printer {
	style := o.Style
	if style == nil {
		style = report.Plain
	}
	return &printer{out: o.Out, style: style}
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

// scene announces an act.
func (p *printer) scene(a Act) {
	p.acts++
	p.line("")
	for i, line := range prose.Wrap(a.Title, 100) {
		head := "   "
		if i == 0 {
			head = fmt.Sprintf("%d. ", p.acts)
		}
		p.line("%s%s", p.style(report.RoleHeading, head), p.style(report.RoleHeading, line))
	}
	p.line("   %s", p.style(report.RoleFaint, a.At.UTC().Format("Mon 2 Jan 2006 15:04 MST")))
}

// outcome shows what certdrift found and sent.
func (p *printer) outcome(a Act, seen observation.Round) {
	p.line("")
	for _, e := range seen.Endpoints {
		p.endpoint(e, a.Findings)
	}
	if len(a.Deliveries) == 0 {
		p.line("   no messages sent")
		return
	}
	count := map[string]int{}
	for _, d := range a.Deliveries {
		count[d.Protocol]++
	}
	p.line("   sent: %s", counts(count))
	for _, d := range a.Deliveries {
		if d.Protocol == "email" {
			p.line("     - %s", d.Subject)
		}
	}
	shown := map[string]bool{}
	for _, d := range a.Deliveries {
		if !shown[d.Protocol] {
			shown[d.Protocol] = true
			p.message(d, count[d.Protocol])
		}
	}
}

// endpoint prints one line: what is served now, and the findings about it.
func (p *printer) endpoint(e observation.Endpoint, all []finding.Finding) {
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
	p.line("   %s  %s", p.style(role, fmt.Sprintf("%-8s", state)),
		strings.TrimRight(fmt.Sprintf("%-16s %-38s %s", key, e.Target.Host, strings.Join(codes, ", ")), " "))
}

// message shows an email or a text message as its recipient gets it.
func (p *printer) message(d account.Delivery, of int) {
	p.line("")
	title := d.Protocol + " to " + d.Endpoint
	if of > 1 {
		title += fmt.Sprintf(" (the first of %d)", of)
	}
	p.line("   ┌ %s", p.style(report.RoleFaint, title))
	if d.Protocol == "email" {
		p.line("   │ Subject: %s", p.style(report.RoleHeading, d.Subject))
		p.line("   │")
	}
	for _, line := range strings.Split(strings.TrimRight(d.Text, "\n"), "\n") {
		p.line("   │ %s", line)
	}
	p.line("   └")
}

// ending prints the summary.
func (p *printer) ending(acts []Act) {
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
	p.line("")
	days := int(acts[len(acts)-1].At.Sub(acts[0].At).Hours() / 24)
	p.line("%s", p.style(report.RoleHeading, "In the real incident, the first alert came hours later from a failing scraper. Here, in "+
		fmt.Sprintf("%d days, reminders included: %d emails and %d text messages, the first within two minutes of each change.", days, email, sms)))
}

func counts(byProtocol map[string]int) string {
	var parts []string
	for _, protocol := range []string{"email", "sms"} {
		if n := byProtocol[protocol]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, protocol))
		}
	}
	return strings.Join(parts, ", ")
}
