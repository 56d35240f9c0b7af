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

// An alarm on a series that nothing writes never fires, and a widget on it stays empty.

func written(name string, dims []string) bool {
	return slices.ContainsFunc(metric.Definitions(), func(d metric.Definition) bool {
		want := slices.Clone(d.Dimensions)
		slices.Sort(want)
		slices.Sort(dims)
		return d.Name == name && slices.Equal(want, dims)
	})
}

// insights is a Metrics Insights query. In an alarm CloudWatch takes GROUP BY only together with ORDER BY.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
var insights = regexp.MustCompile(`^SELECT MAX\((\w+)\) FROM SCHEMA\("\$\{Namespace\}", ([^)]+)\) WHERE [^()]+ GROUP BY \w+ ORDER BY MAX\(\) DESC\s*$`)

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
					if stat := within(query, "MetricStat", "Metric"); within(stat, "Namespace") == "Namespace" {
						watched++
						if name := fmt.Sprint(within(stat, "MetricName")); !written(name, []string{metric.Function}) {
							t.Errorf("%s watches %s, which nobody writes", where, name)
						}
					}
					if expression := fmt.Sprint(within(query, "Expression")); !strings.HasPrefix(expression, "SELECT") {
						continue // sums of AWS's own metrics
					}
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
	if watched != 7 {
		t.Errorf("%d alarms on certdrift's own metrics found, want the two heartbeats, whether there has been any, the critical findings, and what was due and checked", watched)
	}
}

// TestEveryFailureHasAnAlarm: the template's rules, functions and topics have alarms on the AWS metrics about them. An alarm on a
// rule with another name never fires.
func TestEveryFailureHasAnAlarm(t *testing.T) {
	root := readTemplate(t, "template.yaml")
	want := []string{"Errors VerifyFunctionName", "Throttles VerifyFunctionName", "Errors WidgetFunctionName", "Throttles WidgetFunctionName",
		"Errors ProbeFunctionName", "Throttles ProbeFunctionName", "Errors InspectFunctionName", "Throttles InspectFunctionName",
		"NumberOfNotificationsFailed TopicName", "NumberOfNotificationsFailed ChatTopicName"}
	for name := range root.rules() {
		name = strings.Replace(name, "AWS::StackName", "Prefix", 1)
		want = append(want, "FailedInvocations "+name, "InvocationsFailedToBeSentToDlq "+name)
	}
	var got []string
	for id, r := range readTemplate(t, filepath.Join("infra", "alarms.yaml")).of("AWS::CloudWatch::Alarm") {
		metrics := []any{r.Properties}
		for _, m := range asList(r.Properties["Metrics"]) {
			metrics = append(metrics, within(m, "MetricStat", "Metric"))
		}
		for _, m := range metrics {
			for _, d := range asList(within(m, "Dimensions")) {
				got = append(got, fmt.Sprint(within(m, "MetricName"), " ", within(d, "Value")))
			}
		}
		if r.Properties["TreatMissingData"] == nil {
			t.Errorf("%s leaves missing data to chance", id)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("no alarm on %s", w)
		}
	}
	if len(want) != 20 {
		t.Errorf("%d failures, want those of 4 functions, 5 rules and 2 topics: %v", len(want), want)
	}
}

// subscribed is the topic with the subscriptions of infra/alerts.yaml for the given resources and AlertEnvironments.
func subscribed(t *testing.T, environments []string, subscriptions ...string) observation.Topic {
	t.Helper()
	refs := map[string]any{"Environments": environments, "TeamEnvironments": []string{"staging"}, "AWS::NoValue": nil, "HasEnvironments": len(environments) > 0}
	topic := observation.Topic{ARN: "arn:aws:sns:us-west-2:111122223333:certdrift-alerts", Read: true}
	all := readTemplate(t, filepath.Join("infra", "alerts.yaml")).of("AWS::SNS::Subscription")
	if len(all) != 3 {
		t.Fatalf("%d subscriptions found", len(all))
	}
	for _, id := range subscriptions {
		s := observation.Subscription{ARN: topic.ARN + ":" + id, Protocol: fmt.Sprint(all[id].Properties["Protocol"])}
		if policy := filled(all[id].Properties["FilterPolicy"], refs); policy != nil {
			filter, err := json.Marshal(policy)
			check(t, err)
			s.FilterPolicy = string(filter)
		}
		topic.Subscriptions = append(topic.Subscriptions, s)
	}
	return topic
}

// filled resolves !Ref and !If in a property; readTemplate leaves them as a name and as a list of three.
func filled(v any, refs map[string]any) any {
	switch v := v.(type) {
	case string:
		if ref, ok := refs[v]; ok {
			return ref
		}
	case []any:
		if choice, ok := filled(v[0], refs).(bool); ok && len(v) == 3 {
			return filled(v[map[bool]int{true: 1, false: 2}[choice]], refs)
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = filled(v[i], refs)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			if value := filled(member, refs); value != nil {
				out[name] = value
			}
		}
		return out
	}
	return v
}

// The template's filter policies let alerts through: by environment for people, only critical ones for phones. An environment whose
// alerts reach nobody is a finding, whatever the parameters are.
func TestFilterPoliciesFitTheAlerts(t *testing.T) {
	production := []string{"production"}
	for name, c := range map[string]struct {
		topic observation.Topic
		want  []string
	}{
		"as deployed":                          {subscribed(t, nil, "EmailSubscription", "SmsSubscription", "TeamSubscription"), nil},
		"production, and a team for the rest":  {subscribed(t, production, "EmailSubscription", "SmsSubscription", "TeamSubscription"), nil},
		"production, and nobody for staging":   {subscribed(t, production, "EmailSubscription", "SmsSubscription"), []string{"environment-unheard critical staging"}},
		"only the telephone, for production":   {subscribed(t, production, "SmsSubscription"), []string{"environment-unheard critical staging"}},
		"an environment that there is no more": {subscribed(t, []string{"old"}, "EmailSubscription", "TeamSubscription"), []string{"environment-unheard critical production"}},
	} {
		var got []string
		for _, p := range judge.Alerts([]string{"production", "staging"}).Problems([]observation.Topic{c.topic}) {
			got = append(got, fmt.Sprintf("%s %s %s", p.Kind, p.Severity, p.Environment))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Who receives what: alerts about an environment according to AlertEnvironments; certdrift's own problems and CloudWatch alarms
// (which have no attributes) always.
func TestWhoIsTold(t *testing.T) {
	now := time.Now()
	attributes := func(environment string, severity finding.Severity, held bool) map[string]string {
		return alert.Compose(alert.TestAlert(environment, severity, now), alert.Options{HoldSMS: held}).Attributes
	}
	for name, c := range map[string]struct {
		message                              map[string]string
		phone, phoneOfOne, email, emailOfOne bool // of all environments, and of production alone
	}{
		"critical":             {attributes("production", finding.Critical, false), true, true, true, true},
		"critical, held":       {attributes("production", finding.Critical, true), false, false, true, true},
		"warning":              {attributes("production", finding.Warning, false), false, false, true, true},
		"staging":              {attributes("staging", finding.Critical, false), true, false, true, false},
		"certdrift's own":      {attributes("", finding.Critical, false), true, true, true, true},
		"an alarm of the same": {nil, true, true, true, true},
	} {
		passes := func(id string, environments ...string) bool {
			filter, err := alertpath.ParseFilter(subscribed(t, environments, id).Subscriptions[0].FilterPolicy)
			check(t, err)
			return filter.Passes(c.message)
		}
		got := []bool{passes("SmsSubscription"), passes("SmsSubscription", "production"), passes("EmailSubscription"), passes("EmailSubscription", "production")}
		if want := []bool{c.phone, c.phoneOfOne, c.email, c.emailOfOne}; !slices.Equal(got, want) {
			t.Errorf("%s: phone, phone of production, email, email of production receive it: %v, want %v", name, got, want)
		}
	}
}

func TestDashboardShowsWhatIsWritten(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "infra", "dashboard.yaml"))
	check(t, err)
	// In quotes: a namespace with a slash or a dash matches nothing without them (CloudWatch guide, search-expression-syntax).
	searches := regexp.MustCompile(`SEARCH\('\{\\"\$\{Namespace\}\\",([^}]+)\} MetricName=\\"(\w+)\\"`).FindAllStringSubmatch(string(text), -1)
	if all := strings.Count(string(text), "SEARCH("); len(searches) < 5 || len(searches) != all {
		t.Fatalf("of %d searches only %d are for certdrift's namespace, in quotes", all, len(searches))
	}
	for _, s := range searches {
		if !written(s[2], strings.Split(s[1], ",")) {
			t.Errorf("the dashboard searches %s{%s}, which nobody writes", s[2], s[1])
		}
	}
	for _, s := range regexp.MustCompile(`\["\$\{Namespace\}", "(\w+)", "(\w+)", "\w+"(?:, "(\w+)", "\w+")?`).FindAllStringSubmatch(string(text), -1) {
		dims := slices.DeleteFunc(s[2:], func(d string) bool { return d == "" })
		if !written(s[1], dims) {
			t.Errorf("the dashboard shows %s%v, which nobody writes", s[1], dims)
		}
	}
}

// TestDashboardThresholdsAreThePolicys: the template cannot know the policy, so no line of a chart is a number in it, but for the end of a
// certificate; both kinds of thresholds are drawn, each among figures of its own unit.
func TestDashboardThresholdsAreThePolicys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "infra", "dashboard.yaml"))
	check(t, err)
	for _, line := range regexp.MustCompile(`"horizontal": \[[^\]]*\]`).FindAllString(string(text), -1) {
		if !strings.HasPrefix(line, `"horizontal": [{"label": "expired", "value": 0,`) || strings.Count(line, "value") != 1 {
			t.Errorf("the template knows a threshold: %s", line)
		}
	}
	for figure, of := range map[string]string{"DaysLeft": metric.OfDays, "LifetimeLeft": metric.OfLifetime} {
		_, chart, found := strings.Cut(string(text), `MetricName=\"`+figure+`\"`)
		chart, _, _ = strings.Cut(chart, `{"type":`)
		for _, severity := range []string{"warning", "critical"} {
			if want := fmt.Sprintf(`"ExpiryThreshold", "Severity", "%s", "Of", "%s"`, severity, of); !found || !strings.Contains(chart, want) {
				t.Errorf("the chart of %s lacks %s", figure, want)
			}
		}
	}
}

// CloudWatch rejects a dashboard body that is not JSON, but only when the stack is created.
func TestDashboardIsJSON(t *testing.T) {
	body := fmt.Sprint(readTemplate(t, filepath.Join("infra", "dashboard.yaml")).Resources["Dashboard"].Properties["DashboardBody"])
	body = regexp.MustCompile(`\$\{[^!}][^}]*\}`).ReplaceAllString(body, "x") // what Fn::Sub fills in
	body = strings.ReplaceAll(body, "${!", "${")
	var made struct {
		Widgets []struct {
			Type                string
			X, Y, Width, Height int
		}
		Variables []struct{ Type, Property, InputType, Search, PopulateFrom string }
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || len(made.Widgets) < 8 {
		t.Fatalf("%d widgets, %v", len(made.Widgets), err)
	}
	if len(made.Variables) != 1 || made.Variables[0].Property != "Environment" || made.Variables[0].PopulateFrom != "Environment" {
		t.Errorf("the environment cannot be chosen: %+v", made.Variables)
	}
	// A screen shows some fifteen rows: what is wrong stands there, charts below.
	const fold = 15
	for i, w := range made.Widgets {
		if bottom := w.Y + w.Height; (w.Type == "alarm" || w.Type == "custom") && bottom > fold {
			t.Errorf("the %s widget ends in row %d", w.Type, bottom)
		}
		for _, v := range made.Widgets[:i] {
			if w.X < v.X+v.Width && v.X < w.X+w.Width && w.Y < v.Y+v.Height && v.Y < w.Y+w.Height {
				t.Errorf("two widgets overlap at %d, %d", w.X, w.Y)
			}
		}
	}
}

// TestTheDashboardShowsEveryAlarm: the list that infra/alarms.yaml outputs has each of its alarms once, on the same
// condition, and the dashboard's widget shows this list.
func TestTheDashboardShowsEveryAlarm(t *testing.T) {
	alarms := readTemplate(t, filepath.Join("infra", "alarms.yaml"))
	want := []string{}
	for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"} {
		for id, a := range alarms.of(kind) {
			if a.Condition != "" {
				want = append(want, "["+a.Condition+" "+id+".Arn AWS::NoValue]")
			} else {
				want = append(want, id+".Arn")
			}
		}
	}
	join := asList(alarms.Outputs["Arns"]["Value"])
	if len(join) != 2 || join[0] != `","` {
		t.Fatalf("no list of JSON strings: %v", join)
	}
	var got []string
	for _, arn := range asList(join[1]) {
		got = append(got, fmt.Sprint(arn))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) < 15 {
		t.Errorf("the list has\n%v\nand the alarms are\n%v", got, want)
	}
	if passed := within(readTemplate(t, "template.yaml").Resources["Dashboard"].Properties, "Parameters", "AlarmArns"); passed != "Alarms.Outputs.Arns" {
		t.Errorf("the dashboard is given %v", passed)
	}
	body := fmt.Sprint(readTemplate(t, filepath.Join("infra", "dashboard.yaml")).Resources["Dashboard"].Properties["DashboardBody"])
	if !strings.Contains(body, `"alarms": ["${AlarmArns}"]`) {
		t.Error("no widget shows them")
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
