package report

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/plan"
	"certdrift/internal/prose"
)

// unfolded is how many rows that are as they should be stand open in Markdown.
const unfolded = 10

// markdownPlan writes a plan for a pull request's comment: what it comes to, a table of its rows, and folded below it what to do.
func markdownPlan(b *strings.Builder, r Report) {
	outcome := Outcome(r)
	mark := map[Verdict]string{Pass: "✅", Fail: "❌", Incomplete: "❔"}[outcome.Verdict]
	fmt.Fprintf(b, "## %s certdrift plan: %s\n\n%s\n", mark, strings.ToLower(outcome.Title), CountingLine(r))
	if len(r.Plan) == 0 {
		b.WriteString("\n" + NoListeners + "\n")
	}
	if caveat := Caveat(r); caveat != "" {
		b.WriteString("\n" + caveat + "\n")
	}
	var open, quiet []PlanRow
	details := map[int]plan.Row{}
	for i, row := range PlanRows(r) {
		switch row.State {
		case plan.Unchanged, plan.AsDeclared, plan.CoversItsName:
			quiet = append(quiet, row)
			continue
		}
		details[len(open)] = r.Plan[i]
		open = append(open, row)
	}
	if len(quiet) <= unfolded {
		open, quiet = append(open, quiet...), nil
	}
	markdownRows(b, open)
	grow(b, markdownDetails, "\nwithout the details of %s\n", len(details), "more listener", func(i int) string {
		return markdownDetail(r, open[i], details[i])
	})
	if len(quiet) > 0 {
		fmt.Fprintf(b, "\n<details><summary>%s as intended</summary>\n", prose.Count(len(quiet), "listener"))
		markdownRows(b, quiet)
		b.WriteString("\n</details>\n")
	}
	markdownFindings(b, r.PlanFindings())
}

func markdownRows(b *strings.Builder, rows []PlanRow) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| | Listener | Declared now | Attached now | After apply | Clients get | Why |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	grow(b, markdownTable, "\nand %s\n", len(rows), "more listener", func(i int) string {
		row := rows[i]
		title := markdown(row.Object)
		if row.Listener != "" {
			title += "<br>→ " + markdown(row.Listener)
		}
		var names []string
		for _, n := range row.Names {
			names = append(names, markdown(n.Mark+" "+n.Name)+"<br>"+markdown(n.Text))
		}
		if row.MoreNames > 0 {
			names = append(names, fmt.Sprintf("and %d more", row.MoreNames))
		}
		cells := []string{
			markdown(row.Mark + " " + row.Word), title, markdownCertificates(row.Declared), markdownCertificates(row.Attached), markdownCertificates(row.After),
			strings.Join(names, "<br>"), markdownLines(append(row.Reasons, unknownNote(row)...)),
		}
		return "| " + strings.Join(cells, " | ") + " |\n"
	})
}

// unknownNote says in a table that there is more to read below.
func unknownNote(row PlanRow) []string {
	if len(row.NotKnown) == 0 {
		return nil
	}
	return []string{"not known: see below"}
}

func markdownCertificates(all []PlanCertificate) string {
	var out []string
	for _, c := range all {
		out = append(out, markdown(strings.TrimSpace(c.Sign+" "+c.Text)))
	}
	return strings.Join(out, "<br>")
}

func markdownLines(texts []string) string {
	var out []string
	for _, t := range texts {
		out = append(out, markdown(t))
	}
	return strings.Join(out, "<br>")
}

// markdownDetail is what to do about a row, what is not known, and the evidence.
func markdownDetail(r Report, row PlanRow, of plan.Row) string {
	var b strings.Builder
	if len(row.Remedy)+len(row.NotKnown) == 0 {
		return ""
	}
	fmt.Fprintf(&b, "\n<details><summary>%s: what to do</summary>\n\n", markdown(row.Mark+" "+row.Title()))
	preformatted(&b, row.Remedy)
	if len(row.Sources) > 0 {
		b.WriteString("Declared in " + markdown(strings.Join(row.Sources, ", ")) + ".\n\n")
	}
	if len(row.NotKnown) > 0 {
		b.WriteString("Unknown:\n\n")
		for _, note := range row.NotKnown {
			b.WriteString("- " + markdown(note) + "\n")
		}
		b.WriteString("\n")
	}
	var evidence []string
	for _, f := range r.About(of) {
		for _, e := range facts(f) {
			evidence = append(evidence, e.name+": "+finding.Clean(strings.ReplaceAll(e.value, "\n", " "), markdownText))
		}
	}
	preformatted(&b, evidence)
	b.WriteString("</details>\n")
	return b.String()
}
