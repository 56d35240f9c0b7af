// Package widget draws the inventory for a CloudWatch dashboard's custom widget: a table of all endpoints with what is
// declared, attached and served. It is pure, and does without html/template, which is not linked into a Lambda: every text
// goes through one escaping function, and the tests parse the result as a browser does.
//
// The dashboard takes HTML without scripts; a <cwdb-action> after an element calls the function again with other
// parameters. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
package widget

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"

	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// Limit bounds the HTML, in bytes; rows beyond it are counted.
const Limit = 400 << 10

// Query is what a reader asks the table for.
type Query struct {
	// Sort is a column's name (see the constants); state where it is another.
	Sort string `json:"sort,omitempty"`
	// Environment leaves the endpoints of one environment; empty for all.
	Environment string `json:"environment,omitempty"`
}

// The columns that the table can be sorted by.
const (
	ByState       = "state"
	ByEnvironment = "environment"
	ByEndpoint    = "endpoint"
	ByDays        = "days"
)

// Input is all that the widget shows.
type Input struct {
	Report report.Report
	// Incidents are the records that the functions keep; nil where they could not be read.
	Incidents []incident.Record
	Query     Query
	// Function is the ARN of the Lambda function that draws; it is called again to sort.
	Function string
	Dark     bool
	// Notes go below the table: what could not be read.
	Notes []string
}

// Documentation is what the widget answers to a describe call, in Markdown.
func Documentation() string {
	return "## certdrift inventory\n\nEvery endpoint of the configuration with the certificate that is declared for it, attached to its listener and served " +
		"by its addresses, probed when the widget is drawn (at most once a minute).\n\n### Parameters\n\n" +
		"| name | meaning |\n| --- | --- |\n| `sort` | `state` (the worst first, the default), `environment`, `endpoint`, `days` |\n" +
		"| `environment` | only the endpoints of this environment |\n\n### Example\n\n```yaml\nsort: days\nenvironment: production\n```\n"
}

// HTML draws the table.
func HTML(in Input) string {
	rows := comparison.Rows(in.Report)
	environments := environmentsOf(rows)
	rows = slices.DeleteFunc(rows, func(r comparison.Row) bool {
		return in.Query.Environment != "" && r.Endpoint.Environment != in.Query.Environment
	})
	slices.SortStableFunc(rows, func(a, b comparison.Row) int { return compare(in.Query.Sort, a, b) })
	d := drawing{Input: in, open: byEndpoint(in.Incidents)}
	d.style()
	d.others()
	d.head(environments, len(rows))
	for i, r := range rows {
		row := d.row(r)
		if d.Len()+len(row) > Limit {
			d.write(`<tr><td colspan="6">`, text(fmt.Sprintf("and %d more: choose an environment", len(rows)-i)), `</td></tr>`)
			break
		}
		d.WriteString(row)
	}
	d.WriteString("</tbody></table>")
	for _, note := range in.Notes {
		d.write(`<p class="note">`, text(note), `</p>`)
	}
	d.write(`<p class="note">`, text(report.CountingLine(in.Report)), " ", text("Probed "+prose.Second(in.Report.Finished)+"."), `</p></div>`)
	return d.String()
}

// drawing writes HTML. What is not the package's own goes through text.
type drawing struct {
	strings.Builder
	Input
	open map[string][]incident.Record
}

// safe is HTML that may be written as it is.
type safe string

// write joins the package's own constants and what text made.
func (d *drawing) write(parts ...safe) {
	for _, p := range parts {
		d.WriteString(string(p))
	}
}

// text makes a text safe within an element and within a quoted attribute.
func text(s string) safe { return safe(html.EscapeString(comparison.Clean(s))) }

// breakable is text that a narrow column breaks behind punctuation, not in the middle of a word.
func breakable(s string) safe { return safe(prose.Breakable(string(text(s)))) }

func compare(by string, a, b comparison.Row) int {
	name := cmp.Or(cmp.Compare(a.Endpoint.Environment, b.Endpoint.Environment), cmp.Compare(a.Endpoint.Name, b.Endpoint.Name))
	switch by {
	case ByEnvironment:
		return name
	case ByEndpoint:
		return cmp.Or(cmp.Compare(a.Endpoint.Name, b.Endpoint.Name), name)
	case ByDays:
		if a.End.IsZero() != b.End.IsZero() { // without a certificate: last
			if a.End.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.End.Compare(b.End), name)
	}
	rank := map[report.State]int{report.Critical: 0, report.Unknown: 1, report.Warning: 2, report.OK: 3}
	return cmp.Or(cmp.Compare(rank[a.Endpoint.State], rank[b.Endpoint.State]), name)
}

func environmentsOf(rows []comparison.Row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Endpoint.Environment)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// byEndpoint are the open incidents by the endpoints (ENVIRONMENT/NAME) that they affect.
func byEndpoint(records []incident.Record) map[string][]incident.Record {
	out := map[string][]incident.Record{}
	for _, r := range records {
		if !r.Open() {
			continue
		}
		for _, key := range r.Affects {
			out[key] = append(out[key], r)
		}
	}
	return out
}

// again is a link that draws the table anew by another query.
func (d *drawing) again(label string, current bool, q Query) {
	parameters, _ := json.Marshal(q) // two strings: it cannot fail
	if current {
		d.write(`<b aria-current="true">`, text(label), `</b>`)
		return
	}
	d.write(`<a class="again">`, text(label), `</a>`)                         // without an address: "#" would lead the console to another page
	if d.Function != "" && comparison.Clean(q.Environment) == q.Environment { // no name with something invisible in it
		d.write(`<cwdb-action action="call" display="widget" endpoint="`, text(d.Function), `">`, safe(html.EscapeString(string(parameters))), `</cwdb-action>`)
	}
}
