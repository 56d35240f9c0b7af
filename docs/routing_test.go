package docs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/bus"
	"certdrift/internal/finding"
	"certdrift/internal/incident"

	"github.com/google/go-cmp/cmp"
)

// What the README says about routing alerts matches what is sent: the source and detail-type that a rule matches on, the message
// attributes with every value that each takes, the output that names the topic.
func TestTheReadmeRoutesAlerts(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "../README.md"), "\n## Route alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, code, _ := strings.Cut(section, "```json\n")
	code, _, _ = strings.Cut(code, "```")
	var pattern struct {
		Source     []string
		DetailType []string `json:"detail-type"`
		Detail     map[string][]string
	}
	if err := json.NewDecoder(bytes.NewBufferString(code)).Decode(&pattern); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pattern.Source, []string{bus.Source}) || !slices.Equal(pattern.DetailType, []string{bus.DetailType}) {
		t.Errorf("the rule matches %v %v", pattern.Source, pattern.DetailType)
	}
	sent := alerts()
	var detail map[string]any
	if err := json.Unmarshal([]byte(sent[0].JSON), &detail); err != nil {
		t.Fatal(err)
	}
	for field, values := range pattern.Detail {
		if value, ok := detail[field].(string); !ok || !slices.Contains(values, value) {
			t.Errorf("no alert has %s %v", field, values)
		}
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*) \\|$").FindAllStringSubmatch(section, -1) {
		documented[m[1]] = m[2]
	}
	names := slices.Sorted(maps.Keys(sent[0].Attributes))
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("attributes (-sent +documented):\n%s", diff)
	}
	for _, m := range sent {
		for _, name := range []string{"severity", "event", "sms"} {
			if !strings.Contains(documented[name], "`"+m.Attributes[name]+"`") {
				t.Errorf("the README does not document %s %q", name, m.Attributes[name])
			}
		}
	}
	if test := sent[len(sent)-1].Attributes; !strings.Contains(documented["code"], "`"+test["code"]+"`") || !strings.Contains(documented["environment"], "`"+test["environment"]+"`") {
		t.Errorf("the README does not document %v", test)
	}
	if !strings.Contains(read(t, "../template.yaml"), "\n  TopicArn:\n") || !strings.Contains(section, "`TopicArn`") {
		t.Error("the README names no output that the template has")
	}
	if schema := read(t, "alert.schema.json"); !strings.Contains(schema, "source "+bus.Source+", detail-type "+bus.DetailType) {
		t.Error("the schema does not name the event that carries the document")
	}
}

// alerts returns one of each event and severity: first a critical one for production, last a test alert for no environment whose
// text message is held.
func alerts() []alert.Message {
	now := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	var out []alert.Message
	for _, severity := range []finding.Severity{finding.Critical, finding.Warning} {
		for _, event := range []incident.Event{incident.Opened, incident.Reminder, incident.Recovered} {
			n := alert.TestAlert("production", severity, now)
			n.Event = event
			out = append(out, alert.Compose(n, alert.Options{}))
		}
	}
	return append(out, alert.Compose(alert.TestAlert("", finding.Warning, now), alert.Options{HoldSMS: true}))
}
