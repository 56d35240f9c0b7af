package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"certdrift/internal/alert"
	"certdrift/internal/alertpath"
	"certdrift/internal/event"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
)

// An alarm on a series that nobody writes waits for ever, and a widget stays empty.

func written(name string, dims []string) bool {
	return slices.ContainsFunc(metric.Definitions(), func(d metric.Definition) bool {
		want := slices.Clone(d.Dimensions)
		slices.Sort(want)
		slices.Sort(dims)
		return d.Name == name && slices.Equal(want, dims)
	})
}

var insights = regexp.MustCompile(`^SELECT MAX\((\w+)\) FROM SCHEMA\("\$\{Namespace\}", ([^)]+)\)`)

func TestAlarmsWatchWhatIsWritten(t *testing.T) {
	var template struct {
		Resources map[string]any `yaml:"Resources"`
	}
	text, err := os.ReadFile(filepath.Join(root, "infra", "alarms.yaml"))
	check(t, err)
	check(t, yaml.Unmarshal(text, &template))
	watched := 0
	var walk func(where string, v any)
	walk = func(where string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if properties, ok := v["Properties"].(map[string]any); ok && v["Type"] == "AWS::CloudWatch::Alarm" {
				if properties["Namespace"] == "Namespace" { // !Ref Namespace
					watched++
					var dims []string
					for _, d := range properties["Dimensions"].([]any) {
						dims = append(dims, fmt.Sprint(d.(map[string]any)["Name"]))
					}
					if name := fmt.Sprint(properties["MetricName"]); !written(name, dims) {
						t.Errorf("%s watches %s%v, which nobody writes", where, name, dims)
					}
				}
				for _, query := range asList(properties["Metrics"]) {
					m := insights.FindStringSubmatch(fmt.Sprint(query.(map[string]any)["Expression"]))
					if watched++; m == nil || !written(m[1], strings.Split(m[2], ", ")) {
						t.Errorf("%s asks for what nobody writes: %v", where, query)
					}
				}
				return
			}
			for k, member := range v {
				walk(where+"/"+k, member)
			}
		case []any:
			for _, member := range v {
				walk(where, member)
			}
		}
	}
	walk("", template.Resources)
	if watched != 3 {
		t.Errorf("%d alarms on certdrift's own metrics found, want the two heartbeats and the critical findings", watched)
	}
}

// The filter policies of the template let alerts through: people by their environments, the telephone what is critical.
func TestFilterPoliciesFitTheAlerts(t *testing.T) {
	var template struct {
		Resources map[string]struct {
			Type       string         `yaml:"Type"`
			Properties map[string]any `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	text, err := os.ReadFile(filepath.Join(root, "infra", "alerts.yaml"))
	check(t, err)
	check(t, yaml.Unmarshal(text, &template))
	topic := observation.Topic{ARN: "arn:aws:sns:us-west-2:111122223333:certdrift-alerts", Read: true}
	for _, r := range template.Resources {
		if r.Type != "AWS::SNS::Subscription" {
			continue
		}
		s := observation.Subscription{ARN: topic.ARN + ":1", Protocol: fmt.Sprint(r.Properties["Protocol"])}
		if policy, ok := r.Properties["FilterPolicy"].(map[string]any); ok {
			if policy["environment"] == "TeamEnvironments" { // !Ref
				policy["environment"] = []string{"staging"}
			}
			filter, err := json.Marshal(policy)
			check(t, err)
			s.FilterPolicy = string(filter)
		}
		topic.Subscriptions = append(topic.Subscriptions, s)
	}
	if len(topic.Subscriptions) != 3 {
		t.Fatalf("%d subscriptions found", len(topic.Subscriptions))
	}
	for _, p := range judge.Alerts([]string{"production", "staging"}).Problems([]observation.Topic{topic}) {
		t.Error(p.Text)
	}
	phone := slices.DeleteFunc(slices.Clone(topic.Subscriptions), func(s observation.Subscription) bool { return s.Protocol != "sms" })
	filter, err := alertpath.ParseFilter(phone[0].FilterPolicy)
	check(t, err)
	now := time.Now()
	for _, c := range []struct {
		severity finding.Severity
		held     bool
		want     bool
	}{{finding.Critical, false, true}, {finding.Critical, true, false}, {finding.Warning, false, false}} {
		m := alert.Compose(alert.Trial("production", c.severity, now), alert.Options{HoldSMS: c.held})
		if got := filter.Passes(m.Attributes); got != c.want {
			t.Errorf("%s, held %v: the telephone gets it: %v", c.severity, c.held, got)
		}
	}
	if !filter.Passes(nil) {
		t.Error("CloudWatch's own alarms do not reach the telephone")
	}
}

func TestDashboardShowsWhatIsWritten(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "infra", "dashboard.yaml"))
	check(t, err)
	searches := regexp.MustCompile(`SEARCH\('\{\$\{Namespace\},([^}]+)\} MetricName=\\"(\w+)\\"`).FindAllStringSubmatch(string(text), -1)
	if len(searches) < 5 {
		t.Fatalf("only %d searches found", len(searches))
	}
	for _, s := range searches {
		if !written(s[2], strings.Split(s[1], ",")) {
			t.Errorf("the dashboard searches %s{%s}, which nobody writes", s[2], s[1])
		}
	}
	for _, s := range regexp.MustCompile(`\["\$\{Namespace\}", "(\w+)", "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		if !written(s[1], []string{s[2]}) {
			t.Errorf("the dashboard shows %s{%s}, which nobody writes", s[1], s[2])
		}
	}
}

// CloudWatch refuses a body that is no JSON only when the stack is made.
func TestDashboardIsJSON(t *testing.T) {
	body := fmt.Sprint(readTemplate(t, filepath.Join("infra", "dashboard.yaml")).Resources["Dashboard"].Properties["DashboardBody"])
	body = regexp.MustCompile(`\$\{[^!}][^}]*\}`).ReplaceAllString(body, "x") // what Fn::Sub fills in
	body = strings.ReplaceAll(body, "${!", "${")
	var made struct{ Widgets []map[string]any }
	if err := json.Unmarshal([]byte(body), &made); err != nil || len(made.Widgets) < 8 {
		t.Errorf("%d widgets, %v", len(made.Widgets), err)
	}
}

// The rules, the forwarder and the code must mean the same calls.
func TestForwarderSendsWhatTheRulesTake(t *testing.T) {
	names := regexp.MustCompile(`(?m)^\s+- ((?:Create|Delete|Modify|Set|Add|Remove|Import|Upload|Update)[A-Za-z]+|ACM Certificate .+)$`)
	var known []string
	for _, source := range []string{"elasticloadbalancing", "acm", "iam"} {
		known = append(known, event.Names(source+".amazonaws.com")...)
	}
	slices.Sort(known)
	list := func(file string) []string {
		text, err := os.ReadFile(filepath.Join(root, file))
		check(t, err)
		var all []string
		for _, m := range names.FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	rules, forwarder := list("template.yaml"), list(filepath.Join("infra", "event-forwarder.yaml"))
	if !slices.Equal(rules, forwarder) || len(rules) < 20 {
		t.Errorf("template.yaml takes\n%v\ninfra/event-forwarder.yaml sends\n%v", rules, forwarder)
	}
	if calls := slices.DeleteFunc(rules, func(name string) bool { return strings.HasPrefix(name, "ACM ") }); !slices.Equal(calls, known) {
		t.Errorf("template.yaml takes\n%v\ninternal/event knows\n%v", calls, known)
	}
}
