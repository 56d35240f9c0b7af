// Package docs_test checks the documents: links resolve, commands and their flags exist, samples parse, and the alert shown is a real
// one.
package docs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/catalogue"
	"certdrift/internal/cli"
	"certdrift/internal/cost"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/target"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", p, err)
		}
		out = append(out, files...)
	}
	return out
}

// notInAnchor matches what GitHub leaves out of a heading's id.
var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are the ids that GitHub gives a document's headings.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	code := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
		}
		title := strings.TrimLeft(line, "#")
		if code || title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		id := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		out[strings.ReplaceAll(id, " ", "-")] = true
	}
	return out
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	known := map[string]map[string]bool{} // by file
	anchorsIn := func(file string) map[string]bool {
		if known[file] == nil {
			known[file] = anchors(read(t, file))
		}
		return known[file]
	}
	for _, file := range glob(t, "../README.md", "*.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			to := file
			if path != "" {
				to = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links %s: %v", file, m[1], err)
			} else if anchor != "" && !anchorsIn(to)[anchor] {
				t.Errorf("%s links %s, which has no such heading", file, m[1])
			}
		}
	}
}

// The runbook has the section that each alert, test alert and alarm links to, or names where there is no URL, and it names every alarm.
func TestTheRunbookAnswersEveryAlertAndAlarm(t *testing.T) {
	runbook := read(t, "runbook.md")
	ids := anchors(runbook)
	now := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	notices := []incident.Notice{alert.TestAlert("production", finding.Warning, now)}
	for _, e := range catalogue.Entries() {
		f := finding.Finding{Code: e.Code, Severity: finding.Critical, Endpoint: "api", Summary: e.Title}
		notices = append(notices, incident.Notice{
			Event: incident.Opened, Severity: f.Severity, At: now, Findings: []finding.Finding{f}, Record: incident.Record{Code: f.Code, First: now},
		})
	}
	link := regexp.MustCompile(`runbook\.md#(\S+)`)
	for _, n := range notices {
		m := link.FindStringSubmatch(alert.Compose(n, alert.Options{RunbookURL: "https://wiki.example.org/runbook.md"}).Email)
		if m == nil || !ids[m[1]] {
			t.Errorf("the alert of %s links %q, which has no section", n.Findings[0].Code, m)
		}
	}
	names, sections := 0, 0
	for _, file := range glob(t, "../infra/*.yaml", "../template.yaml") {
		text := read(t, file)
		for _, m := range regexp.MustCompile(`(?:\$\{Runbook\}|Section of docs/runbook\.md: )([\w-]+) - run: \S`).FindAllStringSubmatch(text, -1) {
			sections++
			if !ids[m[1]] {
				t.Errorf("%s names the section %s, which the runbook does not have", file, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`AlarmName: !Sub "?\$\{[\w:]+\}-([\w-]+)`).FindAllStringSubmatch(text, -1) {
			names++
			if !strings.Contains(runbook, "`STACK-"+m[1]+"`") {
				t.Errorf("the alarm %s of %s is not in the runbook", m[1], file)
			}
		}
	}
	if names == 0 || sections != names {
		t.Errorf("%d alarms, and %d descriptions with a section and a command", names, sections)
	}
}

func app(stdout, stderr *bytes.Buffer) *cli.App {
	return &cli.App{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" }, Now: time.Now,
		Parts: cli.Product(),
	}
}

// commandLines returns the commands in a document: lines of samples and code blocks, and commands between backticks.
func commandLines(file, text string) []string {
	var out []string
	text = strings.ReplaceAll(text, "\\\n", " ")
	if strings.HasSuffix(file, ".md") {
		for _, m := range regexp.MustCompile("`(certdrift [^`\n]+)`").FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
	}
	code := !strings.HasSuffix(file, ".md")
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if strings.HasPrefix(line, "# ") {
			continue
		}
		line = strings.TrimPrefix(strings.TrimPrefix(line, "- "), "run: ")
		for _, part := range regexp.MustCompile(`\s*(?:\||&&|;|>>?| # )\s+`).Split(line, -1) {
			part = strings.Replace(strings.TrimPrefix(strings.TrimPrefix(part, "$ "), "./"), "$(CERTDRIFT)", "certdrift", 1)
			part = strings.TrimPrefix(part, "go run ./cmd/")
			if code && strings.HasPrefix(part, "certdrift ") {
				out = append(out, part)
			}
		}
	}
	return out
}

// Every certdrift command in a document exists and accepts the flags and arguments shown.
func TestCommandsExist(t *testing.T) {
	seen := 0
	for _, file := range glob(t, "../README.md", "*.md", "ci/*") {
		lines := commandLines(file, read(t, file))
		if strings.HasSuffix(file, "kubernetes-job.yaml") {
			lines = append(lines, jobCommand(t, read(t, file)))
		}
		for _, line := range lines {
			seen++
			accepted(t, file, line)
		}
	}
	if seen < 30 {
		t.Errorf("only %d commands found: the test no longer reads the documents right", seen)
	}
}

// accepted fails unless a command exists and accepts the flags and arguments.
func accepted(t *testing.T, where, line string) {
	t.Helper()
	wait := strings.NewReplacer("$(WAIT)", "5m", "…", "")
	args := regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(wait.Replace(strings.TrimSpace(line)), -1)[1:]
	for i := range args {
		args[i] = strings.Trim(args[i], `'"`)
	}
	root := app(&bytes.Buffer{}, &bytes.Buffer{}).Root()
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		t.Errorf("%s: %q is no command: %v", where, line, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s: %q: %v", where, line, err)
	}
}

// jobCommand is what the Job of the Kubernetes sample runs.
func jobCommand(t *testing.T, text string) string {
	t.Helper()
	for _, document := range documents(t, text) {
		var job struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &job); err != nil {
			t.Fatal(err)
		}
		if job.Kind == "Job" && len(job.Spec.Template.Spec.Containers) == 1 {
			return "certdrift " + strings.Join(job.Spec.Template.Spec.Containers[0].Args, " ")
		}
	}
	t.Fatal("no Job with one container")
	return ""
}

func documents(t *testing.T, text string) []string {
	t.Helper()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Docs {
		if d.Body != nil {
			out = append(out, d.Body.String())
		}
	}
	return out
}

// The samples are YAML, gate by certdrift's exit status, and the configuration in the Job's ConfigMap is a valid one.
func TestSamplesAreWhole(t *testing.T) {
	for _, file := range glob(t, "ci/*.y*ml") {
		text := read(t, file)
		for _, d := range documents(t, text) {
			var v map[string]any
			if err := yaml.Unmarshal([]byte(d), &v); err != nil || len(v) == 0 {
				t.Errorf("%s: %v in %q", file, err, d)
			}
			if data, ok := v["data"].(map[string]any); ok {
				validate(t, file, data["certdrift.yaml"].(string))
			}
		}
		for _, no := range []string{"|| true", "continue-on-error: true", "allow_failure: true"} {
			if strings.Contains(text, no) {
				t.Errorf("%s: %q makes the gate open", file, no)
			}
		}
	}
}

// Production waits for what verify says of staging, in every sample of a pipeline.
func TestPipelinesStopBeforeProduction(t *testing.T) {
	var github struct {
		Jobs map[string]struct {
			Needs string
			Steps []struct{ If, Run string }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "ci/github-actions.yml")), &github); err != nil {
		t.Fatal(err)
	}
	for job, needs := range map[string]string{"production": "staging", "staging": "plan", "plan": "build"} {
		if got := github.Jobs[job].Needs; got != needs {
			t.Errorf("github-actions.yml: %s needs %q, not %q", job, got, needs)
		}
	}
	var gitlab struct {
		Stages              []string
		Staging, Production struct{ Script []string }
	}
	if err := yaml.Unmarshal([]byte(read(t, "ci/gitlab-ci.yml")), &gitlab); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(gitlab.Stages, " "); got != "build plan staging production" {
		t.Errorf("gitlab-ci.yml: the stages are %s", got)
	}
	runs := map[string]string{"gitlab staging": strings.Join(gitlab.Staging.Script, "\n"), "gitlab production": strings.Join(gitlab.Production.Script, "\n")}
	for _, job := range []string{"staging", "production"} {
		for _, step := range github.Jobs[job].Steps {
			runs["github "+job] += step.Run + "\n"
		}
	}
	for name, text := range runs {
		environment := name[strings.IndexByte(name, ' ')+1:]
		apply, verify := strings.Index(text, "kubectl apply"), strings.Index(text, "verify -c certdrift.yaml --environment "+environment)
		if apply < 0 || verify < apply {
			t.Errorf("%s: verify does not follow the deployment:\n%s", name, text)
		}
		if plan := strings.Index(text, "plan -c certdrift.yaml -f k8s/production/"); environment == "production" && (plan < 0 || plan > apply) {
			t.Errorf("%s: no second plan before the deployment:\n%s", name, text)
		}
	}
	gate := -1 // what only informs must neither come before the gate nor be left out where the gate is shut
	for i, step := range github.Jobs["plan"].Steps {
		switch informs := strings.Contains(step.Run, "--fail-on never"); {
		case strings.Contains(step.Run, "certdrift plan") && !informs:
			gate = i
		case informs && (gate < 0 || step.If != "${{ !cancelled() }}"):
			t.Errorf("github-actions.yml: %q stops the job before the gate, or is not run after it (if: %q)", step.Run, step.If)
		}
	}
	makefile := read(t, "ci/Makefile.snippet")
	for _, line := range []string{
		"staging: plan\n\t", "deploy: plan staging production\n",
		"production: staging\n\t$(CERTDRIFT) plan -c certdrift.yaml -f k8s/production/\n\tkubectl apply",
	} {
		if !strings.Contains(makefile, "\n"+line) {
			t.Errorf("Makefile.snippet lacks %q", line)
		}
	}
}

func validate(t *testing.T, file, config string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "certdrift.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := app(&stdout, &stderr).Run(t.Context(), []string{"validate", "-c", path}); status != 0 {
		t.Errorf("%s: the configuration in it is refused (%d): %s", file, status, stderr.String())
	}
}

// The recipes of docs/architecture.md name files that exist, or new ones in directories that do, and count them right.
func TestRecipesNameFilesThatExist(t *testing.T) {
	_, recipes, ok := strings.Cut(read(t, "architecture.md"), "\n## How to add things\n")
	if !ok {
		t.Fatal("docs/architecture.md has no recipes")
	}
	for _, m := range regexp.MustCompile("`((?:internal|infra|docs|e2e|events|cmd|template)[^`\\s]*)`").FindAllStringSubmatch(recipes, -1) {
		path := m[1]
		if strings.Contains(path, "NEW") {
			path = filepath.Dir(path)
		}
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("a recipe names %s: %v", m[1], err)
		}
	}
	heading := regexp.MustCompile(`### Add an? .* \((\d+) files\)`)
	sections := strings.Split(recipes, "\n### ")[1:]
	for _, section := range sections {
		m := heading.FindStringSubmatch("### " + section)
		if m == nil {
			t.Errorf("a recipe does not say how many files it takes: %.60s", section)
		} else if rows := strings.Count(section, "\n| `"); strconv.Itoa(rows) != m[1] {
			t.Errorf("%q lists %d files", m[0], rows)
		}
	}
	if len(sections) < 4 {
		t.Errorf("only %d recipes", len(sections))
	}
}

func TestTheReadmeNamesMakeTargetsThatExist(t *testing.T) {
	makefile := read(t, "../Makefile")
	found := regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`).FindAllStringSubmatch(read(t, "../README.md"), -1)
	if len(found) < 2 {
		t.Fatalf("only %d targets found", len(found))
	}
	for _, m := range found {
		if !strings.Contains("\n"+makefile, "\n"+m[1]+":") {
			t.Errorf("the README names make %s, and the Makefile has none", m[1])
		}
	}
}

// The alert in the README is one that the demo sends: each of its lines, but for times, digests and ports.
func TestTheReadmeShowsARealAlert(t *testing.T) {
	_, shown, ok := strings.Cut(read(t, "../README.md"), "<!-- alert -->\n")
	shown, _, also := strings.Cut(shown, "<!-- /alert -->")
	if !ok || !also {
		t.Fatal("the README marks no alert")
	}
	var stdout, stderr bytes.Buffer
	if status := app(&stdout, &stderr).Run(t.Context(), []string{"demo"}); status != 0 {
		t.Fatalf("the demo ends with %d: %s", status, stderr.String())
	}
	changing := regexp.MustCompile(`\b(\d{4}-\d\d-\d\d|\d\d:\d\d( UTC)?|[0-9a-f]{64}|127\.0\.0\.1:\d+|\d+ (minutes|hours|days))\b`)
	lines := map[string]bool{}
	for _, line := range strings.Split(stdout.String(), "\n") {
		lines[changing.ReplaceAllString(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "│")), "#")] = true
	}
	shownLines := 0
	for _, line := range strings.Split(shown, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "[…") {
			continue
		}
		shownLines++
		if !lines[changing.ReplaceAllString(line, "#")] {
			t.Errorf("the demo sends no such line: %q", line)
		}
	}
	if shownLines < 10 {
		t.Errorf("the README shows only %d lines of an alert", shownLines)
	}
}

// The sum in docs/cost.md begins with what `certdrift cost` counts for the example, counts the alarms that the template makes,
// and is the sum of its lines.
func TestTheCostAddsUp(t *testing.T) {
	page := read(t, "cost.md")
	var stdout, stderr bytes.Buffer
	if status := app(&stdout, &stderr).Run(t.Context(), []string{"cost", "-c", "../certdrift.example.yaml"}); status != 0 {
		t.Fatalf("cost ends with %d: %s", status, stderr.String())
	}
	series := regexp.MustCompile(`(\d+) metrics\n`).FindStringSubmatch(stdout.String())
	price := regexp.MustCompile(`([\d.]+) USD per month`).FindStringSubmatch(stdout.String())
	if series == nil || price == nil {
		t.Fatalf("cost says nothing that the test understands:\n%s", stdout.String())
	}
	if !strings.Contains(page, "| metrics | "+series[1]+" series × 0.30 ([metrics.md](metrics.md)) | "+price[1]+" |") {
		t.Errorf("certdrift cost counts %s series and %s USD, docs/cost.md otherwise", series[1], price[1])
	}
	alarms := read(t, "../infra/alarms.yaml")
	queries := strings.Count(alarms, "Expression: !Sub >-\n            SELECT ")
	// AWS bills an alarm by the metrics that it names; what only Chat, text messages and tools add is not in the sum.
	plain := 0
	for _, alarm := range strings.Split(alarms, "\n    Type: AWS::CloudWatch::") {
		if !strings.Contains(alarm, "\n    Condition: Has") {
			plain += strings.Count(alarm, "MetricName:")
		}
	}
	if plain+3 != cost.AlarmMetrics {
		t.Errorf("certdrift cost counts %d metrics of alarms, not %d", cost.AlarmMetrics, plain+3)
	}
	if want := fmt.Sprintf("| alarms | %d × 0.10, one composite", plain); queries != 1 || !strings.Contains(page, want) {
		t.Errorf("%d plain alarms and %d queries, docs/cost.md otherwise", plain, queries)
	}
	sum := 0.0
	for _, m := range regexp.MustCompile(`(?m)^\| .* \| (\d+\.\d\d)(?: to [\d.]+)? \|$`).FindAllStringSubmatch(page, -1) {
		usd, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += usd
	}
	if want := fmt.Sprintf("**about %.0f**", sum); !strings.Contains(page, want) {
		t.Errorf("the lines sum up to %.2f, docs/cost.md does not say %s", sum, want)
	}
}

// TestEveryKindIsDocumented holds the table of endpoints.md against that of package target.
func TestEveryKindIsDocumented(t *testing.T) {
	var documented, known []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ([0-9]+|none) \\|").FindAllStringSubmatch(read(t, "endpoints.md"), -1) {
		documented = append(documented, row[1]+" "+row[2])
	}
	for _, scheme := range target.Schemes() {
		port := "none"
		if n := target.Kind(scheme).DefaultPort(); n > 0 {
			port = strconv.Itoa(n)
		}
		known = append(known, scheme+" "+port)
	}
	if got, want := strings.Join(documented, "\n"), strings.Join(known, "\n"); got != want {
		t.Errorf("endpoints.md has\n%s\nand the kinds are\n%s", got, want)
	}
}

// TestNoLinkLeadsNowhere: without the runbook's URL, or with a path instead of one, no alert has a link to it, and what it has instead
// are commands.
func TestNoLinkLeadsNowhere(t *testing.T) {
	now := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	commands := 0
	for _, url := range []string{"", "docs/runbook.md"} {
		for _, e := range catalogue.Entries() {
			f := finding.Finding{Code: e.Code, Severity: finding.Critical, Endpoint: "api", Summary: e.Title}
			n := incident.Notice{
				Event: incident.Opened, Severity: f.Severity, At: now, Findings: []finding.Finding{f}, Record: incident.Record{Code: f.Code, First: now},
			}
			n.URLs, n.Record.Environment = []string{"https://api.example.org/"}, "production"
			m := alert.Compose(n, alert.Options{RunbookURL: url, Stack: "certdrift"})
			for _, command := range regexp.MustCompile(`(?m)(?:^    |Explain +)(certdrift [a-z].*)$`).FindAllStringSubmatch(m.Email, -1) {
				commands++
				accepted(t, "the alert of "+string(e.Code), command[1])
			}
			for form, text := range map[string]string{"email": m.Email, "chat": m.Chat, "document": m.JSON, "default": m.Default, "SMS": m.SMS} {
				if strings.Contains(text, "runbook") || strings.Contains(text, "Runbook") {
					t.Errorf("RunbookUrl %q: the %s of %s links the runbook:\n%s", url, form, e.Code, text)
				}
			}
			if explain := "certdrift explain " + string(e.Code); !strings.Contains(m.Email, explain) || !strings.Contains(m.JSON, explain) || !strings.Contains(m.Chat, explain) {
				t.Errorf("RunbookUrl %q: the alert of %s has no command instead", url, e.Code)
			}
		}
	}
	if commands < 3*len(catalogue.Entries()) {
		t.Errorf("only %d commands in the alerts", commands)
	}
}
