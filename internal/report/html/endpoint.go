package html

import (
	"slices"

	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// endpointRow is one endpoint with its three truths, as the page shows it.
type endpointRow struct {
	comparison.Row
	Name, URL string
	State     sign
	Left      left
	Findings  []link
}

// rows are all endpoints, the worst first, else in the report's order.
func (b builder) rows() []endpointRow {
	var rows []endpointRow
	for _, r := range comparison.Rows(b.Report) {
		e := r.Endpoint
		row := endpointRow{Row: r, Name: comparison.Name(e), URL: e.URL, State: stateSign(e.State), Findings: b.links(e.Findings())}
		row.Left = left{"–", "unknown"}
		if !r.End.IsZero() {
			row.Left = b.left(r.End, max(lifeSeverity(e.Findings(), false), lifeSeverity(e.Findings(), true)))
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(x, y endpointRow) int { return worse(x.Endpoint.State, y.Endpoint.State) })
	return rows
}

func (r endpointRow) healthy() bool { return r.Endpoint.State == report.OK }
