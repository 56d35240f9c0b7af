package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// marked returns the code blocks of a page by the comment above each.
func marked(t *testing.T, file string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)<!-- ([^\n]+) -->\n```\\w+\n(.*?)```").FindAllStringSubmatch(read(t, file), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// TestTheStopwatchCounts: the table has as many commands and edits as the blocks below it, and what it says of the stack is what
// first-deploy.md does.
func TestTheStopwatchCounts(t *testing.T) {
	blocks, guide := marked(t, "stopwatch.md"), read(t, "first-deploy.md")
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| (\d+) \| (\d+) \| [\d.]+ \|$`).FindAllStringSubmatch(read(t, "stopwatch.md"), -1)
	if len(rows) != 4 || len(blocks) != 4 {
		t.Fatalf("%d rows, %d blocks", len(rows), len(blocks))
	}
	for _, row := range rows {
		commands, edits := 0, 0
		for line := range strings.Lines(blocks[row[1]]) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "# edit "):
				edits++
			default:
				commands++
			}
			if start, _, _ := strings.Cut(line, " …"); strings.HasPrefix(row[1], "a deployed stack") && !strings.Contains(guide, "$ "+start) {
				t.Errorf("first-deploy.md does not run %q", line)
			}
		}
		if got := fmt.Sprint(commands, " ", edits); got != row[2]+" "+row[3] {
			t.Errorf("%q takes %s commands and edits, the table says %s %s", row[1], got, row[2], row[3])
		}
	}
}

// TestPrometheusSnippets: they are YAML; the collector's pipeline names parts that exist; the metrics and rules name what certdrift writes.
// e2e runs the ones for Prometheus.
func TestPrometheusSnippets(t *testing.T) {
	blocks := marked(t, "prometheus.md")
	parsed := map[string]map[string]any{}
	for name, text := range blocks {
		if name == "crontab" {
			continue
		}
		var v map[string]any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		parsed[name] = v
	}
	if len(parsed) != 5 {
		t.Fatalf("%d snippets", len(parsed))
	}
	collector := parsed["otelcol.yaml"]
	pipeline := collector["service"].(map[string]any)["pipelines"].(map[string]any)["metrics"].(map[string]any)
	for _, kind := range []string{"receivers", "processors", "exporters"} {
		for _, name := range pipeline[kind].([]any) {
			if _, ok := collector[kind].(map[string]any)[name.(string)]; !ok {
				t.Errorf("the pipeline names %v, which is not among the %s", name, kind)
			}
		}
	}
	written := read(t, "metrics.md")
	for _, m := range regexp.MustCompile(`\{name: (\w+),`).FindAllStringSubmatch(blocks["yace.yml"], -1) {
		if !strings.Contains(written, "`"+m[1]+"`") {
			t.Errorf("docs/metrics.md has no metric %s", m[1])
		}
	}
	exposed := read(t, "../internal/report/testdata/prometheus.prom")
	names := metricName.FindAllString(blocks["certdrift.rules.yml"], -1)
	for _, name := range slices.Compact(names) {
		if !strings.Contains(exposed, "# TYPE "+name+" ") {
			t.Errorf("the rules use %s, which is not written", name)
		}
	}
	if len(names) < 3 {
		t.Errorf("only %v in the rules", names)
	}
}

// TestTheInstallationNamesFilesThatExist: its samples use the module and the construct by the paths that the release gives them.
func TestTheInstallationNamesFilesThatExist(t *testing.T) {
	page := read(t, "install.md")
	for _, path := range []string{"deploy/terraform", "deploy/cdk"} {
		if !strings.Contains(page, "./stack/"+path) || !strings.Contains(read(t, "../Makefile"), path+" ") {
			t.Errorf("%s is not in the page, or not in the release", path)
		}
	}
	types := read(t, "../deploy/cdk/index.d.ts")
	_, sample, _ := strings.Cut(page, "new Certdrift(new App()")
	sample, _, _ = strings.Cut(sample, "```")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+):`).FindAllStringSubmatch(sample, -1) {
		if !regexp.MustCompile(`readonly ` + m[1] + `\??:`).MatchString(types) {
			t.Errorf("the construct has no property %s", m[1])
		}
	}
	variables := read(t, "../deploy/terraform/variables.tf")
	_, sample, _ = strings.Cut(page, "```hcl\n")
	sample, _, _ = strings.Cut(sample, "```")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+) +=`).FindAllStringSubmatch(sample, -1) {
		if m[1] != "source" && !strings.Contains(variables, `variable "`+m[1]+`" {`) {
			t.Errorf("the module has no variable %s", m[1])
		}
	}
}
