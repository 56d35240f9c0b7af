package docs_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	grafanaprometheus "github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// classic is the format that every Grafana imports; its successor needs Grafana 13.
type classic = dashboard.Dashboard //nolint:staticcheck // see above

// readDashboard reads the Grafana dashboard with Grafana's own types, which reject unknown and missing keys, of panels and queries too.
func readDashboard(t *testing.T) classic {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	text := []byte(read(t, "../deploy/grafana/certdrift.json"))
	// A list of no errors is an error that says nothing, and ends the strict reading of a panel early.
	if err := (&classic{}).UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		t.Fatal(err)
	}
	var d classic
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	return d
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
	d := readDashboard(t)
	ids, taken, used := map[uint32]bool{}, map[[2]uint32]string{}, map[string]bool{}
	for _, p := range d.Panels {
		panel := p.Panel
		if panel == nil {
			t.Fatal("a row: the test reads panels only")
		}
		title := *panel.Title
		if panel.Id == nil || ids[*panel.Id] {
			t.Fatalf("%s has no identifier of its own", title)
		}
		ids[*panel.Id] = true
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := taken[[2]uint32{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s is over %q, or beyond the right edge", title, other)
				}
				taken[[2]uint32{x, y}] = title
			}
		}
		if panel.FieldConfig == nil || panel.FieldConfig.Defaults.Unit == nil || panel.Description == nil || len(panel.Targets) == 0 {
			t.Errorf("%s has no unit, no description, or no query", title)
		}
		for _, target := range panel.Targets {
			query, ok := target.(*grafanaprometheus.Dataquery)
			if !ok {
				t.Fatalf("%s asks %T", title, target)
			}
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
