package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"

	"github.com/google/go-cmp/cmp"
)

// TestHealthyEndpointsShareALine: every endpoint is in one of the lines, and what is not healthy, or was not seen, always has its own.
func TestHealthyEndpointsShareALine(t *testing.T) {
	var endpoints []observation.Endpoint
	for i := range 200 {
		endpoints = append(endpoints, observation.Endpoint{
			Target: target.Endpoint{Environment: "production", Name: fmt.Sprint("e", i)}, Probed: i != 7,
			Addresses: []observation.Address{{Phases: observation.Phases{Total: time.Duration(i) * time.Millisecond}}},
		})
	}
	endpoints = append(endpoints, observation.Endpoint{Target: target.Endpoint{Environment: "staging", Name: "e3"}, Probed: true})
	found := []finding.Finding{
		{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "e3"},
		{Code: finding.DriftAttached, Severity: finding.Critical, Environment: "production", Endpoint: "e20", Affects: []string{"production/e20", "production/e21"}},
		{Code: finding.ListenerCertExpiring, Severity: finding.Warning, Environment: "production", Affects: []string{"production/e22"}},
		{Code: finding.HTTPSlow, Severity: finding.Warning, Environment: "production", Endpoint: "e5"},
		{Code: finding.AddressInconsistent, Severity: finding.Info, Environment: "production", Endpoint: "e9"},
	}
	for _, healthy := range []bool{false, true} {
		var b bytes.Buffer
		New(Parts{Log: slog.New(slog.NewJSONHandler(&b, nil)), LogHealthy: healthy}).logEndpoints(t.Context(), endpoints, found)
		severities, summaries := map[string]string{}, map[string]string{}
		for line := range bytes.Lines(b.Bytes()) {
			var values map[string]any
			if err := json.Unmarshal(line, &values); err != nil {
				t.Fatal(err)
			}
			switch environment := values["environment"].(string); values["msg"] {
			case "endpoint":
				severities[environment+"/"+values["endpoint"].(string)] = values["severity"].(string)
			case "healthy endpoints":
				summaries[environment] = strings.TrimSpace(fmt.Sprintln(values["healthy"], values["p50_ms"], values["p99_ms"], values["max_ms"], values["slowest"]))
			}
		}
		if diff := cmp.Diff(map[string]string{"production": "194 102 197 199 e199", "staging": "1 0 0 0 e3"}, summaries); diff != "" {
			t.Errorf("healthy ones in lines of their own %v: summaries (-want +got)\n%s", healthy, diff)
		}
		if healthy {
			if len(severities) != len(endpoints) {
				t.Errorf("%d of %d endpoints have a line", len(severities), len(endpoints))
			}
			continue
		}
		if diff := cmp.Diff(map[string]string{
			"production/e3": "critical", "production/e5": "warning", "production/e7": "none", "production/e20": "critical", "production/e21": "critical", "production/e22": "warning",
		}, severities); diff != "" {
			t.Errorf("lines (-want +got)\n%s", diff)
		}
	}
}
