package docs_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// grafanaDashboard has what the test reads of a dashboard. Grafana's own types read all of it in e2e.
type grafanaDashboard struct {
	Panels []struct {
		ID          *uint32
		Type, Title string
		Description string
		GridPos     struct{ X, Y, W, H uint32 }
		FieldConfig struct{ Defaults struct{ Unit string } }
		Targets     []struct{ Expr string }
	}
	Templating struct{ List []struct{ Name string } }
}

// metricName matches a metric in a query, grouping the labels of an aggregation.
var (
	metricName = regexp.MustCompile(`\b(?:certdrift|probe)_\w+`)
	grouping   = regexp.MustCompile(`by \(([^)]*)\)`)
)

// TestTheGrafanaDashboard: its panels have units and do not overlap; its queries use metrics and labels that the report has, and the environment
// that was chosen, wherever a metric has one.
func TestTheGrafanaDashboard(t *testing.T) {
	labels := map[string]string{} // of each metric
	for line := range strings.Lines(read(t, "../internal/report/testdata/prometheus.prom")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), "{")
		if !strings.HasPrefix(line, "#") {
			labels[strings.Fields(name)[0]] = rest
		}
	}
	var d grafanaDashboard
	if err := json.Unmarshal([]byte(read(t, "../deploy/grafana/certdrift.json")), &d); err != nil {
		t.Fatal(err)
	}
	ids, taken, used := map[uint32]bool{}, map[[2]uint32]string{}, map[string]bool{}
	for _, panel := range d.Panels {
		title := panel.Title
		if panel.Type == "row" {
			t.Fatal("a row: the test reads panels only")
		}
		if panel.ID == nil || ids[*panel.ID] {
			t.Fatalf("%s has no identifier of its own", title)
		}
		ids[*panel.ID] = true
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := taken[[2]uint32{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s is over %q, or beyond the right edge", title, other)
				}
				taken[[2]uint32{x, y}] = title
			}
		}
		if panel.FieldConfig.Defaults.Unit == "" || panel.Description == "" || len(panel.Targets) == 0 {
			t.Errorf("%s has no unit, no description, or no query", title)
		}
		for _, query := range panel.Targets {
			for _, name := range metricName.FindAllString(query.Expr, -1) {
				used[name] = true
				has, known := labels[name]
				if !known {
					t.Errorf("%s: the report has no metric %s", title, name)
				}
				if chosen := strings.Contains(query.Expr, name+`{environment=~"$environment"`); chosen != strings.Contains(has, "environment=") {
					t.Errorf("%s: %s is filtered by environment: %t", title, name, chosen)
				}
			}
			for _, by := range grouping.FindAllStringSubmatch(query.Expr, -1) {
				for label := range strings.SplitSeq(by[1], ", ") {
					if !strings.Contains("{"+labels[metricName.FindString(query.Expr)], label+"=") {
						t.Errorf("%s: %s has no label %s", title, metricName.FindString(query.Expr), label)
					}
				}
			}
		}
	}
	if len(ids) < 10 || len(used) < 10 {
		t.Errorf("%d panels with %d metrics: the test no longer reads the dashboard right", len(ids), len(used))
	}
	for name := range labels {
		if strings.HasPrefix(name, "certdrift_") && !used[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
	names := map[string]bool{}
	for _, v := range d.Templating.List {
		names[v.Name] = true
	}
	if !names["environment"] || !names["datasource"] {
		t.Errorf("variables: %v", names)
	}
}
