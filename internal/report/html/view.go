package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/report"
)

// How many healthy endpoints stand open, and how many beside some that are not; more are folded.
const (
	shownEndpoints      = 40
	shownBesideProblems = 10
)

// view is what the page shows, in its order.
type view struct {
	Style    template.CSS
	Title    string
	Verdict  sign
	Sentence string
	Line     string
	Times    string
	About    []fact
	Tiles    []tile
	Planned  bool
	Plan     planView
	Failing  []endpointRow
	Healthy  []endpointRow
	// Open: the healthy ones are few enough to stand open.
	Open      bool
	Problems  []problemView
	Infos     []findingView
	Notes     []report.Note
	Timeline  timeline
	Chains    []chainView
	Folded    []chainView // those without problems, where there are many
	Latency   latency
	Listeners []listenerView
}

// sign is a state in a word, a mark and a class of the style sheet: no state is shown by color alone.
type sign struct{ Word, Mark, Class string }

// tile is one figure under the verdict.
type tile struct {
	Figure string
	Noun   string
	Class  string
}

// fact is a line of the header: what the report is about.
type fact struct{ Name, Value string }

// problemView is one cause with what follows from it.
type problemView struct {
	findingView
	Also []findingView
}

// findingView is one finding.
type findingView struct {
	ID      string
	Sign    sign
	Code    string
	Where   string
	Summary string
	Affects string
	Facts   []report.Fact
	Remedy  []remedyPart
}

// remedyPart is a line of sentences, or commands to type.
type remedyPart struct {
	Command string // empty for sentences
	Spans   []span
}

// span is a piece of a sentence; what stood in backquotes is code.
type span struct {
	Text string
	Code bool
}

// link leads to a finding on this page.
type link struct {
	Href, Code string
	Sign       sign
}

func viewOf(r report.Report) view {
	ids := map[string]string{}
	v := view{
		Style: template.CSS(styleText), //nolint:gosec // the package's own file: no remote text in it
		Title: title(r), Verdict: verdictSign(r.Verdict), Sentence: report.Sentence(r), Line: report.CountingLine(r), Notes: r.Notes(),
		Times: times(r), About: about(r), Tiles: tiles(r),
	}
	findings := r.Findings
	if v.Planned = r.Plan != nil; v.Planned {
		v.Plan, v.Tiles, findings = planOf(r), planTiles(r), r.PlanFindings()
		v.Verdict, v.Sentence = planVerdict(r)
	}
	number := 0
	add := func(f finding.Finding) findingView {
		number++
		id := fmt.Sprintf("finding-%d", number)
		ids[identity(f)] = id
		return findingOf(id, f)
	}
	for _, p := range incident.Problems(findings) {
		one := problemView{findingView: add(p.Cause())}
		one.Sign, one.Remedy = severitySign(p.Severity()), nil
		for _, remedy := range p.Remedies() {
			one.Remedy = append(one.Remedy, remedyOf(report.Lines(remedy))...)
		}
		for _, f := range p.Consequences() {
			one.Also = append(one.Also, add(f))
		}
		v.Problems = append(v.Problems, one)
	}
	for _, f := range findings {
		if f.Severity < finding.Warning {
			v.Infos = append(v.Infos, add(f))
		}
	}
	page := builder{Report: r, ids: ids}
	for _, row := range page.rows() {
		if row.healthy() {
			v.Healthy = append(v.Healthy, row)
		} else {
			v.Failing = append(v.Failing, row)
		}
	}
	v.Open = len(v.Healthy) <= shownEndpoints
	if len(v.Failing) > 0 {
		v.Open = len(v.Healthy) <= shownBesideProblems
	}
	v.Timeline, v.Latency, v.Listeners = page.timeline(), page.latency(), page.listeners()
	v.Chains, v.Folded = page.chains()
	return v
}

// builder makes the parts of a view.
type builder struct {
	report.Report
	// ids are the page's ids of findings, by identity.
	ids map[string]string
}

// identity distinguishes findings; two alike share one link.
func identity(f finding.Finding) string {
	return strings.Join([]string{string(f.Code), f.Environment, f.Endpoint, f.Listener, f.Address, f.Summary}, "\x00")
}

func (b builder) links(fs []finding.Finding) []link {
	var out []link
	for _, f := range fs {
		one := link{Href: "#" + b.ids[identity(f)], Code: string(f.Code), Sign: severitySign(f.Severity)}
		if !slices.ContainsFunc(out, func(l link) bool { return l.Code == one.Code }) { // the worst comes first
			out = append(out, one)
		}
	}
	return out
}

func verdictSign(v report.Verdict) sign {
	switch v {
	case report.Pass:
		return sign{"Pass", "✓", "ok"}
	case report.Fail:
		return sign{"Fail", "✗", "critical"}
	}
	return sign{"Incomplete", "?", "warning"}
}

func severitySign(s finding.Severity) sign {
	switch s {
	case finding.Critical:
		return sign{"critical", "✗", "critical"}
	case finding.Warning:
		return sign{"warning", "!", "warning"}
	}
	return sign{"info", "i", "info"}
}

func stateSign(s report.State) sign {
	switch s {
	case report.OK:
		return sign{"ok", "✓", "ok"}
	case report.Warning:
		return sign{"warning", "!", "warning"}
	case report.Critical:
		return sign{"critical", "✗", "critical"}
	}
	return sign{"not checked", "?", "unknown"}
}

func times(r report.Report) string {
	text := "Checked " + prose.Second(r.Started)
	if took := r.Finished.Sub(r.Started); took > 0 {
		text += ", in " + took.Round(time.Millisecond).String()
	}
	if !r.At.Equal(r.Finished) {
		text += ", evaluated as of " + prose.Second(r.At)
	}
	return text
}

func tiles(r report.Report) []tile {
	by := map[finding.Severity]int{}
	for _, f := range r.Findings {
		by[f.Severity]++
	}
	healthy := 0
	for _, e := range r.Endpoints {
		if e.State == report.OK {
			healthy++
		}
	}
	class := func(n int, class string) string {
		if n == 0 {
			return "none"
		}
		return class
	}
	return []tile{
		{fmt.Sprint(by[finding.Critical]), "critical", class(by[finding.Critical], "critical")},
		{fmt.Sprint(by[finding.Warning]), plural(by[finding.Warning], "warning"), class(by[finding.Warning], "warning")},
		{fmt.Sprint(by[finding.Info]), "info", class(by[finding.Info], "info")},
		{fmt.Sprintf("%d/%d", healthy, len(r.Endpoints)), "endpoints ok", class(healthy, "ok")},
		{fmt.Sprint(len(r.Listeners)), plural(len(r.Listeners), "listener") + " read", "none"},
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// shownAffects is how many endpoints a finding lists.
const shownAffects = 40

func findingOf(id string, f finding.Finding) findingView {
	v := findingView{
		ID: id, Sign: severitySign(f.Severity), Code: string(f.Code), Where: report.Where(f), Summary: f.Summary,
		Affects: users(f.Affects, shownAffects), Facts: report.Facts(f), Remedy: remedyOf(report.Lines(f.Remedy)),
	}
	return v
}

// remedyOf parts commands from sentences: a line that begins with a program's name is something to type.
func remedyOf(lines []string) []remedyPart {
	var parts []remedyPart
	for _, line := range lines {
		switch n := len(parts); {
		case line == "":
		case !isCommand(strings.TrimSpace(line)):
			parts = append(parts, remedyPart{Spans: spans(line)})
		case n > 0 && parts[n-1].Command != "":
			parts[n-1].Command += "\n" + line
		default:
			parts = append(parts, remedyPart{Command: line})
		}
	}
	return parts
}

func spans(line string) []span {
	var out []span
	pieces := strings.Split(line, "`")
	if len(pieces)%2 == 0 { // one without its partner is a character like any other
		return []span{{Text: line}}
	}
	for i, piece := range pieces {
		if piece != "" {
			out = append(out, span{piece, i%2 == 1})
		}
	}
	return out
}

// isCommand reports whether a line is to be typed or copied: a command, an ARN, or lines of the configuration.
func isCommand(line string) bool {
	for _, copied := range []string{"arn:", "- {", "certificate: {", "certificates: ["} {
		if strings.HasPrefix(line, copied) {
			return true
		}
	}
	return report.IsCommand(line)
}

// worse orders states, the worst first.
func worse(a, b report.State) int {
	rank := map[report.State]int{report.Critical: 0, report.Unknown: 1, report.Warning: 2, report.OK: 3}
	return cmp.Compare(rank[a], rank[b])
}

// table is a table of endpoints with its caption. Columns that would be empty are left out.
type table struct {
	Caption            string
	Rows               []endpointRow
	Declared, Attached bool
}

func tableOf(caption string, rows []endpointRow) table {
	t := table{Caption: caption, Rows: rows}
	for _, r := range rows {
		t.Declared, t.Attached = t.Declared || len(r.Row.Declared) > 0, t.Attached || len(r.Row.Attached) > 0
	}
	return t
}

// FailingTable holds what is not ok, HealthyTable the others.
func (v view) FailingTable() table { return tableOf("Endpoints needing attention", v.Failing) }

// HealthyTable is the other half of FailingTable.
func (v view) HealthyTable() table { return tableOf("Healthy endpoints", v.Healthy) }
