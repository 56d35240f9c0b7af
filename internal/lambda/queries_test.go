package lambda

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/goccy/go-yaml"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// logged are the fields of the lines that a round writes for an endpoint and for a change, and of an error's, in Lambda's
// form.
func logged(t *testing.T) map[string]bool {
	t.Helper()
	var b bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
	e := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: "api"}, Addresses: []observation.Address{{Phases: observation.Phases{Total: time.Second}}}}
	healthy := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: "ui"}, Probed: true}
	New(Parts{Log: logger}).logEndpoints(t.Context(), []observation.Endpoint{e, healthy}, []finding.Finding{{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api"}})
	New(Parts{Log: logger}).logChange(t.Context(), "1", []finding.ChangeStatus{{Change: observation.Change{EventID: "1"}, Agreement: finding.Agrees}})
	logger.Error("it broke", "error", "why")
	fields := map[string]bool{"@timestamp": true} // Logs Insights' own
	for line := range bytes.Lines(b.Bytes()) {
		var values map[string]any
		if err := json.Unmarshal(line, &values); err != nil {
			t.Fatal(err)
		}
		if values["message"] == "endpoint" && (values["severity"] != "critical" || values["total_ms"] != 1000.0) {
			t.Errorf("the line says %s", line)
		}
		for name := range values {
			fields[name] = true
		}
	}
	return fields
}

// The words of Logs Insights' language that the queries use.
var insightsWords = strings.Fields("fields filter stats sort limit as by and or in desc asc count count_distinct pct max sum strcontains SOURCE")

var (
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	named  = regexp.MustCompile(`@?[a-zA-Z_]\w*`)
	alias  = regexp.MustCompile(`\bas (\w+)`)
)

// TestSavedQueriesAskForWhatIsLogged holds the queries of infra/dashboard.yaml to the fields of the lines: one that is not
// there is no error to Logs Insights, only an empty answer.
func TestSavedQueriesAskForWhatIsLogged(t *testing.T) {
	text, err := os.ReadFile("../../infra/dashboard.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string         `yaml:"Type"`
			Properties map[string]any `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for name, r := range template.Resources {
		if r.Type == "AWS::Logs::QueryDefinition" {
			queries[name], _ = r.Properties["QueryString"].(string)
		}
	}
	shown := regexp.MustCompile(`"query": "([^"]+)"`).FindSubmatch(text)
	if len(queries) < 6 || shown == nil {
		t.Fatalf("%d saved queries, and %q on the dashboard", len(queries), shown)
	}
	queries["the dashboard's"] = string(shown[1])
	fields := logged(t)
	for name, query := range queries {
		query = quoted.ReplaceAllString(query, "")
		known := slices.Clone(insightsWords)
		for _, m := range alias.FindAllStringSubmatch(query, -1) {
			known = append(known, m[1])
		}
		for _, word := range named.FindAllString(query, -1) {
			if !slices.Contains(known, word) && !fields[word] {
				t.Errorf("%s asks for %s, which no line carries", name, word)
			}
		}
	}
}
