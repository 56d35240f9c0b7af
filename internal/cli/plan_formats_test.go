package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	stdhtml "html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/html"
	"certdrift/internal/report/text"
	"certdrift/internal/target"
)

// TestPlanFormatsAgree writes random plans in every format: each shows the same rows with the same state and the same certificate for
// each name, and the counting line, the tiles and the exit status say what the rows say.
func TestPlanFormatsAgree(t *testing.T) {
	w := newStage(t)
	seen := map[plan.State]int{}
	every := func() bool {
		return !slices.ContainsFunc([]plan.State{plan.Refused, plan.NotDecided, plan.Changes, plan.Unchanged}, func(s plan.State) bool { return seen[s] == 0 })
	}
	for try := 0; try < 10 && !every(); try++ { // a hundred plans may happen to have no row of a state
		rapid.Check(t, func(t *rapid.T) { w.formatsAgree(t, seen) })
	}
	if !every() {
		t.Errorf("not every state was seen: %v", seen)
	}
}

// formatsAgree writes one random plan, and counts its rows by state.
func (w *estates) formatsAgree(t *rapid.T, seen map[plan.State]int) {
	now := w.account(t)
	_, states := w.changeTerraform(t, now)
	round := w.round(now, w.endpoints(t))
	for _, state := range states {
		round.Manifests = append(round.Manifests, manifest.Load([]string{"-"}, manifest.Options{Plain: true, Stdin: strings.NewReader(state)}).Declared...)
	}
	if rapid.Bool().Draw(t, "hides") {
		w.hide(t, &round)
	}
	for i := range max(0, rapid.IntRange(-4, 2).Draw(t, "not read")) {
		round.PassedOver = append(round.PassedOver, observation.PassedOver{Position: target.Position{File: "values.yaml", Line: i + 1}, Object: "a document without a kind", Why: "why"})
	}
	failOn := rapid.SampledFrom([]finding.Severity{finding.Critical, finding.Warning, finding.None}).Draw(t, "fail on")
	rows, conclusion := judge.Preview(w.input(round))
	p := planned{report.BuildPlan(report.Input{Round: round, Conclusion: conclusion, FailOn: failOn}, rows), tallied(rows)}
	p.compared(t)
	p.agree(t)
	for _, row := range rows {
		seen[row.State]++
	}
}

// TestPlanFormatsAgreeOnEveryState does so with rows of every state.
func TestPlanFormatsAgreeOnEveryState(t *testing.T) {
	yes, no := true, false
	end := time.Date(2027, 1, 29, 0, 0, 0, 0, time.UTC)
	verdicts := map[plan.State]plan.Verdict{plan.Refused: plan.Refuse, plan.NotDecided: plan.Undecided, plan.WithWarning: plan.Warn}
	for _, failOn := range []finding.Severity{finding.Critical, finding.Warning, finding.None} {
		for n := range plan.States() { // all states from the n-th on, so that the worst differs
			var rows []plan.Row
			conclusion := finding.Conclusion{Complete: true}
			for i, s := range plan.States()[n:] {
				row := plan.Row{
					State: s, Object: fmt.Sprintf("Service a/s%d", i), Source: target.Position{File: "a.yaml", Line: i + 1}, Port: 443, Listener: fmt.Sprintf("lb%d:443", i), Verdict: cmp.Or(verdicts[s], plan.Pass),
					Would:  []plan.Certificate{{ARN: acmPrefix + "c", Names: []string{"a.example.org"}, NotAfter: &end}},
					Names:  []plan.Name{{Name: "a.example.org", Covered: &yes, ARN: acmPrefix + "c"}, {Name: "b.example.org", Covered: &no, ARN: acmPrefix + "c", Problem: "does not cover the name"}},
					Remedy: "Fix it:\naws acm describe-certificate --region us-west-2 --certificate-arn " + acmPrefix + "c",
				}
				rows = append(rows, row)
				f := finding.Finding{Code: finding.DriftManifest, Subject: finding.Subject{Source: finding.Source{Object: row.Object, Line: i + 1}}}
				switch row.Verdict {
				case plan.Refuse:
					f.Severity = finding.Critical
				case plan.Warn:
					f.Severity = finding.Warning
				case plan.Undecided:
					f.Code, f.Severity, f.Cause, conclusion.Complete = finding.ObserveIncomplete, finding.Warning, plan.UndecidedCause, false
				default:
					continue
				}
				conclusion.Findings = append(conclusion.Findings, f)
			}
			planned{report.BuildPlan(report.Input{Conclusion: conclusion, FailOn: failOn}, rows), tallied(rows)}.agree(t)
		}
	}
}

// tallied counts rows by their verdicts and states, apart from the product.
func tallied(rows []plan.Row) plan.Count {
	c := plan.Count{ByState: map[plan.State]int{}}
	for _, r := range rows {
		switch {
		case r.NotRead:
			c.Others++
		default:
			c.Listeners++
		}
		state := r.State
		switch r.Verdict {
		case plan.Refuse:
			state = plan.Refused
		case plan.Undecided:
			state = plan.NotDecided
		case plan.Warn:
			state = plan.WithWarning
		}
		c.ByState[state]++
	}
	return c
}

// planned is a plan, and how many of its rows are in each state.
type planned struct {
	report.Report
	count plan.Count
}

func (p planned) agree(t fataler) {
	t.Helper()
	p.status(t)
	p.text(t)
	p.markdown(t)
	lines := strings.Split(strings.TrimSpace(p.written(t, report.WriteGitHub)), "\n")
	p.line(t, lines[len(lines)-1])
	p.html(t)
	p.json(t)
	p.junit(t)
}

// written is the plan in a format.
func (p planned) written(t fataler, write func(io.Writer, report.Report) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, p.Report); err != nil {
		t.Fatalf("%v", err)
	}
	safe := p.count.ByState[plan.Refused]+p.count.ByState[plan.NotDecided] == 0
	if says := strings.Contains(b.String(), "afe to apply"); says && !safe {
		t.Errorf("it is said to be safe:\n%s", b.String())
	}
	return b.String()
}

// compared holds that no row passes that was compared with nothing.
func (p planned) compared(t fataler) {
	t.Helper()
	for _, row := range p.Plan {
		covered := !slices.ContainsFunc(row.Names, func(n plan.Name) bool { return n.Covered == nil || !*n.Covered })
		with := row.AttachedKnown && (row.Action == plan.Keep || row.Unaffected || len(row.Endpoints) > 0) || len(row.Endpoints) > 0 && (len(row.Declared) > 0 || covered)
		if row.Verdict == plan.Pass && !with || row.NotRead && row.State != plan.NotDecided {
			t.Errorf("%s is %s, and was compared with nothing: %+v", row.Object, row.State, row)
		}
	}
}

// status holds the exit status and the outcome against the rows.
func (p planned) status(t fataler) {
	t.Helper()
	of := p.count.ByState
	want, verdict := report.StatusClean, report.Pass
	switch {
	case of[plan.Refused] > 0:
		want, verdict = report.StatusFindings, report.Fail
	case of[plan.NotDecided] > 0:
		want, verdict = report.StatusIncomplete, report.Incomplete
	}
	if p.FailOn == finding.Warning && of[plan.WithWarning]+of[plan.NotDecided] > 0 {
		want = report.StatusFindings
		if verdict == report.Pass {
			verdict = report.Fail
		}
	}
	if p.FailOn == finding.None && want == report.StatusFindings {
		want = report.StatusClean
		if !p.Complete {
			want = report.StatusIncomplete
		}
	}
	if got := report.ExitStatus(p.Report); got != want || report.Outcome(p.Report).Verdict != verdict {
		t.Errorf("exit status %d, want %d; outcome %+v, want %s: %v", got, want, report.Outcome(p.Report), verdict, of)
	}
}

// line holds a counting line against the rows.
func (p planned) line(t fataler, line string) {
	t.Helper()
	_, states, _ := strings.Cut(line, ": ")
	states, _, _ = strings.Cut(states, ".")
	sum := 0
	for _, s := range report.PlanStates(p.Report) {
		if part := fmt.Sprintf("%d %s", s.Count, s.Word); s.Count != p.count.ByState[s.State] || !slices.Contains(strings.Split(states, ", "), part) {
			t.Errorf("%q does not say %q", line, part)
		}
		sum += s.Count
	}
	if sum != len(p.Plan) || p.count.Listeners+p.count.Others != sum || p.count.Listeners > 0 && !strings.HasPrefix(line, prose.Count(p.count.Listeners, "listener")) {
		t.Errorf("%q counts %d of %d rows", line, sum, len(p.Plan))
	}
}

func (p planned) text(t fataler) {
	t.Helper()
	rows := report.PlanRows(p.Report)
	for _, width := range []int{60, 80, 120, 100_000} {
		words := p.written(t, func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Width: width}) })
		for line := range strings.Lines(words) {
			line = strings.TrimRight(line, "\n")
			if utf8.RuneCountInString(line) > width && len(strings.Fields(strings.TrimSuffix(line, ` \`))) > 1 {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
		if width < 100_000 {
			continue
		}
		paragraphs := strings.Split(strings.TrimRight(words, "\n"), "\n\n")
		p.line(t, paragraphs[len(paragraphs)-1])
		for i, row := range rows {
			if want := row.Mark + " " + row.Word + ": " + row.Title() + "\n"; !strings.HasPrefix(paragraphs[i], want) {
				t.Errorf("row %d is\n%s\nwant %q", i, paragraphs[i], want)
			}
			for _, n := range row.Names {
				if want := n.Mark + " " + n.Name + ": " + n.Text; !strings.Contains(paragraphs[i], want) {
					t.Errorf("row %d does not say %q:\n%s", i, want, paragraphs[i])
				}
			}
		}
	}
}

var entity = regexp.MustCompile(`<!-- -->`)

func (p planned) markdown(t fataler) {
	t.Helper()
	text := stdhtml.UnescapeString(entity.ReplaceAllString(p.written(t, report.WriteMarkdown), ""))
	p.line(t, strings.Split(text, "\n")[2])
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| |") && !strings.HasPrefix(line, "| ---") {
			lines = append(lines, line)
		}
	}
	rows := report.PlanRows(p.Report)
	if len(lines) != len(rows) {
		t.Fatalf("%d lines of %d rows:\n%s", len(lines), len(rows), text)
	}
	for i, row := range rows { // of the same states in the same order, with those as intended at the end
		want := []string{"| " + row.Mark + " " + row.Word + " |", row.Object}
		for _, n := range row.Names {
			want = append(want, n.Mark+" "+n.Name+"<br>"+n.Text)
		}
		if !slices.ContainsFunc(lines, func(line string) bool {
			return !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(line, part) })
		}) {
			t.Errorf("no line for row %d: %q\n%s", i, want, text)
		}
	}
}

var (
	tilePattern = regexp.MustCompile(`<li class="[a-z]+"><b>(\d+)</b>([^<]+)</li>`)
	cardPattern = regexp.MustCompile(`(?s)<article class="listener [a-z]+"[^>]*>.*?</article>`)
	badge       = regexp.MustCompile(`<span class="badge [a-z]+"><span class="mark" aria-hidden="true">(.)</span>([^<]+)</span>`)
)

func (p planned) html(t fataler) {
	t.Helper()
	page := p.written(t, html.Write)
	tiles := map[string]string{}
	for _, tile := range tilePattern.FindAllStringSubmatch(page, -1) {
		tiles[tile[2]] = tile[1]
	}
	for _, s := range report.PlanStates(p.Report) {
		if tiles[s.Word] != fmt.Sprint(p.count.ByState[s.State]) {
			t.Errorf("the tiles say %v, the rows %v", tiles, p.count)
		}
	}
	cards := cardPattern.FindAllString(page, -1)
	for i := range cards {
		cards[i] = stdhtml.UnescapeString(cards[i])
	}
	rows := report.PlanRows(p.Report)
	if len(cards) != len(rows) {
		t.Fatalf("%d cards of %d rows", len(cards), len(rows))
	}
	for i, row := range rows {
		if got := badge.FindStringSubmatch(cards[i]); got == nil || got[1] != row.Mark || got[2] != row.Word {
			t.Errorf("card %d says %q, the row %s %s", i, got, row.Mark, row.Word)
		}
		for _, n := range row.Names {
			if want := "<b>" + n.Name + "</b>: " + n.Text; !strings.Contains(cards[i], want) {
				t.Errorf("card %d does not say %q: %s", i, want, cards[i])
			}
		}
	}
}

func (p planned) json(t fataler) {
	t.Helper()
	var doc struct {
		Plan []plan.Row `json:"plan"`
	}
	if err := json.Unmarshal([]byte(p.written(t, report.WriteJSON)), &doc); err != nil || len(doc.Plan) != len(p.Plan) {
		t.Fatalf("%d rows of %d: %v", len(doc.Plan), len(p.Plan), err)
	}
	for i, row := range doc.Plan {
		same := func(a, b plan.Name) bool {
			return a.Name == b.Name && a.ARN == b.ARN && a.Now == b.Now && a.Problem == b.Problem
		}
		if row.State != p.Plan[i].State || !slices.EqualFunc(row.Names, p.Plan[i].Names, same) {
			t.Errorf("row %d: %+v", i, row)
		}
	}
}

func (p planned) junit(t fataler) {
	t.Helper()
	var doc struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(p.written(t, report.WriteJUnit)), &doc); err != nil {
		t.Fatalf("%v", err)
	}
	failures, undecided, cases := 0, 0, 0
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			if s.Name != "plan" {
				continue
			}
			if cases++; c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				undecided++
			}
		}
	}
	want := p.count.ByState[plan.Refused]
	if p.FailOn == finding.Warning {
		want += p.count.ByState[plan.WithWarning]
	}
	if cases != len(p.Plan) || failures != want || undecided != p.count.ByState[plan.NotDecided] {
		t.Errorf("%d cases, %d failures, %d errors: %v", cases, failures, undecided, p.count)
	}
}
