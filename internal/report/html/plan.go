package html

import (
	"fmt"
	"strings"

	"certdrift/internal/plan"
	"certdrift/internal/report"
)

// planView is what applying manifests would do, a card for each listener.
type planView struct {
	Rows []planRow
}

// planRow is one listener: what applying does to it, whether that may be done and why, and what to do otherwise.
type planRow struct {
	report.PlanRow
	Sign    sign
	Columns []planColumn
	Remedy  []remedyPart
	Facts   []report.Fact
}

// planColumn are the certificates at one point in time.
type planColumn struct {
	Caption      string
	Certificates []report.PlanCertificate
}

func planOf(r report.Report) planView {
	v := planView{}
	for i, row := range report.PlanRows(r) {
		one := planRow{PlanRow: row, Sign: sign{row.Word, row.Mark, planClass(row.State)}, Remedy: remedyOf(row.Remedy), Columns: []planColumn{
			{"Declared now", row.Declared}, {"Attached now", row.Attached}, {"After apply", row.After},
		}}
		for _, f := range r.About(r.Plan[i]) {
			one.Facts = append(one.Facts, report.Facts(f)...)
		}
		v.Rows = append(v.Rows, one)
	}
	return v
}

// planClass is a state's class of the style sheet.
func planClass(s plan.State) string {
	switch s {
	case plan.Refused:
		return "critical"
	case plan.NotDecided, plan.WithWarning:
		return "warning"
	case plan.New, plan.Changes, plan.AsDeclared, plan.CoversItsName:
		return "ok"
	}
	return "none"
}

// planTiles are the figures of a plan, which checks no endpoint: those of its counting line.
func planTiles(r report.Report) []tile {
	count := plan.CountRows(r.Plan)
	tiles := []tile{{fmt.Sprint(count.Listeners), plural(count.Listeners, "listener"), "none"}}
	if count.Others > 0 {
		tiles = append(tiles, tile{fmt.Sprint(count.Others), plural(count.Others, "object") + " not read", "warning"})
	}
	for _, s := range report.PlanStates(r) {
		tiles = append(tiles, tile{fmt.Sprint(s.Count), s.Word, planClass(s.State)})
	}
	return tiles
}

// planVerdict is the page's headline for a plan.
func planVerdict(r report.Report) (sign, string) {
	outcome := report.Outcome(r)
	s := verdictSign(outcome.Verdict)
	s.Word = outcome.Title
	return s, strings.TrimSpace(outcome.Sentence + " " + report.Caveat(r))
}
