package widget

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// maxOthers bounds what stands above the table.
const maxOthers = 10

// others writes the problems that no row of the table shows: alerts that are not delivered, what could not be read,
// undeclared listeners.
func (d *drawing) others() {
	shown := 0
	for _, f := range d.Report.Findings {
		if !d.beside(f.Environment, f.Endpoint, f.Affects) || f.Severity < finding.Warning {
			continue
		}
		if shown++; shown == 1 {
			d.WriteString(`<ul>`)
		}
		if shown <= maxOthers {
			d.write(`<li><span class="`, text(f.Severity.String()), `">`, text(f.Severity.String()), `</span> `, text(string(f.Code)+": "+f.Summary), d.since(f), `</li>`)
		}
	}
	if more := shown - maxOthers; more > 0 {
		d.write(`<li>`, text(fmt.Sprintf("and %d more", more)), `</li>`)
	}
	if shown > 0 {
		d.WriteString(`</ul>`)
	}
	d.unseen()
}

// unseen writes the open incidents beside the endpoints that the widget's own round has no finding for: only a sender
// notices that a topic rejects messages.
func (d *drawing) unseen() {
	shown := 0
	for _, r := range d.Incidents {
		if !r.Open() || !d.beside(r.Environment, "", r.Affects) || d.has(r) || len(r.Findings) == 0 {
			continue
		}
		if shown++; shown > maxOthers {
			continue
		}
		d.write(`<p><span class="`, text(r.Severity.String()), `">`, text(r.Severity.String()), `</span> `,
			text(fmt.Sprintf("%s: %s (incident since %s)", r.Code, r.Findings[0].Summary, r.First.UTC().Format("2006-01-02 15:04"))), `</p>`)
	}
	if more := shown - maxOthers; more > 0 {
		d.write(`<p>`, text(fmt.Sprintf("and %d more incidents", more)), `</p>`)
	}
}

// beside reports whether something is of no endpoint, and of the environment asked for.
func (d *drawing) beside(environment, endpoint string, affects []string) bool {
	return endpoint == "" && len(affects) == 0 && (d.Query.Environment == "" || environment == "" || environment == d.Query.Environment)
}

// has reports whether some finding of the round is the incident's.
func (d *drawing) has(r incident.Record) bool {
	for _, f := range d.Report.Findings {
		if f.Code == r.Code && f.Environment == r.Environment {
			return true
		}
	}
	return false
}

// since is when the incident of a finding began; empty where there is none.
func (d *drawing) since(f finding.Finding) safe {
	for _, r := range d.Incidents {
		if r.Open() && r.Environment == f.Environment && r.Cause == f.Cause && f.Cause != "" {
			return text(" (incident since " + r.First.UTC().Format("2006-01-02 15:04") + ")")
		}
	}
	return ""
}
