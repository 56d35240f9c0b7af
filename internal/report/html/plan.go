package html

import (
	"fmt"
	"strings"

	"certdrift/internal/plan"
	"certdrift/internal/report"
)

// planView is what applying manifests would do, a row for each listener.
type planView struct {
	Columns []string
	Rows    []planRow
	Notes   []string
}

// planRow is one listener: whether it may be done and why, and what; the first cell names the object that declares.
type planRow struct {
	Sign    sign
	Reasons []string
	Cells   []string
}

func planOf(r report.Report) planView {
	v := planView{Notes: report.PlanNotes(r)}
	columns := report.PlanColumns()
	verdict := len(columns) - 1 // the page says it in front
	for _, name := range columns[:verdict] {
		v.Columns = append(v.Columns, name[:1]+strings.ToLower(name[1:]))
	}
	for _, row := range r.Plan {
		v.Rows = append(v.Rows, planRow{planSign(row), report.Lines(strings.Join(row.Reasons, "\n")), report.PlanCells(r, row)[:verdict]})
	}
	return v
}

// planSign marks a row as the text does: what is refused, what is not known, what changes.
func planSign(row plan.Row) sign {
	switch row.Verdict {
	case plan.Refuse:
		return sign{"refused", "✗", "critical"}
	case plan.Undecided:
		return sign{"undecided", "?", "warning"}
	case plan.Warn:
		return sign{"warning", "!", "warning"}
	}
	switch row.Action {
	case plan.Create:
		return sign{"new", "+", "ok"}
	case plan.Change:
		return sign{"changes", "~", "ok"}
	case plan.Keep:
		return sign{"unchanged", "=", "none"}
	}
	if len(row.Declared) > 0 {
		return sign{"as declared", "=", "none"}
	}
	return sign{"covers its names", "=", "none"}
}

// planTiles are the figures of a plan, which checks no endpoint.
func planTiles(r report.Report) []tile {
	c := plan.CountRows(r.Plan)
	figure := func(n int, noun, class string) tile {
		if n == 0 {
			class = "none"
		}
		return tile{fmt.Sprint(n), noun, class}
	}
	tiles := []tile{
		figure(c.Refused, "refused", "critical"), figure(c.Create, "to create", "ok"), figure(c.Change, "to change", "ok"), figure(c.Keep, "unchanged", "none"),
	}
	if c.Remove > 0 {
		tiles = append(tiles, figure(c.Remove, "to remove", "critical"))
	}
	if c.Undecided > 0 {
		tiles = append(tiles, figure(c.Undecided, "undecided", "warning"))
	}
	if n := c.Unknown + c.Discover; n > 0 {
		tiles = append(tiles, figure(n, "not compared with AWS", "none"))
	}
	return tiles
}

// planSentence is what the verdict on a plan means.
func planSentence(r report.Report) string {
	switch {
	case r.Verdict == report.Fail:
		return "Do not apply: it would break an endpoint, undo a change, or attach a certificate that is not declared."
	case r.Verdict == report.Incomplete:
		return "Undecided: not everything could be compared, so it is unknown whether applying is safe."
	case len(r.Plan) == 0:
		return "No load balancer's certificate is declared in these manifests."
	}
	return "Safe to apply."
}
