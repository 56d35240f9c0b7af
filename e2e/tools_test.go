package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"certdrift/internal/alert"
	eventbus "certdrift/internal/awsio/bus"
	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/policy"
)

// These tests send every kind of alert through the rules of infra/tools.yaml, as EventBridge does, and validate what comes out
// against the formats that PagerDuty, Opsgenie, Slack and Teams document.

// request is what an API destination sends: to which destination, with which path and query parameters and body.
type request struct {
	rule, destination string
	path              []string
	query             map[string]any
	body              map[string]any
}

// tools is infra/tools.yaml with every tool set.
type tools struct{ rules map[string]resource }

func readTools(t *testing.T, environments ...any) tools {
	t.Helper()
	tm := infra(t, "tools")
	refs := map[string]any{"AWS::AccountId": account, "HasEnvironments": len(environments) > 0, "Environments": environments, "AWS::NoValue": nil}
	for id, r := range tm.Resources {
		refs[id+".Arn"] = id
		_ = r
	}
	for name := range tm.Conditions {
		if name != "HasEnvironments" {
			refs[name] = !strings.HasSuffix(name, "Secret")
		}
	}
	out := tools{map[string]resource{}}
	for id, r := range tm.of("AWS::Events::Rule") {
		r.Properties, _ = named(filled(r.Properties, refs)).(map[string]any)
		out.rules[id] = r
	}
	return out
}

// named puts the stack's name into every text.
func named(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "${Prefix}", "certdrift")
	case []any:
		for i := range v {
			v[i] = named(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = named(v[key])
		}
	}
	return v
}

// deliver returns all requests that an event causes, by rule and target.
func (all tools) deliver(t *testing.T, event map[string]any) (out []request) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(all.rules)) {
		p := all.rules[id].Properties
		pattern, _ := p["EventPattern"].(map[string]any)
		if !fits(pattern, event) {
			continue
		}
		for _, target := range asList(p["Targets"]) {
			r := request{rule: id, destination: fmt.Sprint(within(target, "Arn"))}
			body := transformed(t, target, event)
			if err := json.Unmarshal([]byte(body), &r.body); err != nil {
				t.Fatalf("%s to %s sends no JSON: %v\n%s", id, r.destination, err, body)
			}
			if len(body) > 64<<10 {
				t.Errorf("%s to %s sends %d bytes; an API destination takes 64 KB", id, r.destination, len(body))
			}
			for _, path := range asList(within(target, "HttpParameters", "PathParameterValues")) {
				value, _ := pick(event, fmt.Sprint(path)).(string)
				r.path = append(r.path, value)
			}
			r.query, _ = within(target, "HttpParameters", "QueryStringParameters").(map[string]any)
			out = append(out, r)
		}
	}
	return out
}

// transformed is the body for a target: the event, a part of it, or a template filled from it.
func transformed(t *testing.T, target any, event map[string]any) string {
	t.Helper()
	if within(target, "InputTransformer") != nil {
		return transform(t, within(target, "InputTransformer"), event)
	}
	var part any = event
	if path, ok := within(target, "InputPath").(string); ok {
		part = pick(event, path)
	}
	text, err := json.Marshal(part)
	check(t, err)
	return string(text)
}

var placeholder = regexp.MustCompile(`<([A-Za-z0-9_-]+)>`)

// transform is EventBridge's input transformer for JSON templates, as documented (eb-transform-target-input) and as recorded from AWS
// by others: a placeholder in a string is replaced by the value's text, unescaped; elsewhere by the value as JSON. What the event lacks is
// empty. A placeholder without a path is refused when the target is created.
func transform(t *testing.T, transformer any, event map[string]any) string {
	t.Helper()
	template, paths := fmt.Sprint(within(transformer, "InputTemplate")), within(transformer, "InputPathsMap")
	if len(template) > 8192 {
		t.Errorf("the template has %d characters, at most 8192 are allowed", len(template))
	}
	var b strings.Builder
	at, inString := 0, false
	for _, m := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		for _, c := range template[at:m[0]] {
			inString = inString != (c == '"') // no template has an escaped quote; see TestTemplates
		}
		b.WriteString(template[at:m[0]])
		path, known := within(paths, template[m[2]:m[3]]).(string)
		if !known {
			t.Fatalf("InputTemplate contains invalid placeholder %s", template[m[2]:m[3]])
		}
		b.WriteString(inserted(pick(event, path), inString))
		at = m[1]
	}
	return b.String() + template[at:]
}

func inserted(value any, inString bool) string {
	text, plain := value.(string)
	switch {
	case inString && plain:
		return text
	case value == nil && inString:
		return ""
	case value == nil:
		return `""`
	}
	data, _ := json.Marshal(value) // it was JSON
	if inString {
		return strings.ReplaceAll(string(data), `"`, "")
	}
	return string(data)
}

// pick follows a JSON path in dot notation.
func pick(event any, path string) any {
	return within(event, strings.Split(strings.TrimPrefix(path, "$."), ".")...)
}

// TestTransform: what was recorded from AWS.
func TestTransform(t *testing.T) {
	event := map[string]any{"detail-type": "order", "detail": map[string]any{
		"id": "0a787ecb-4015", "n": 9.0, "list": []any{"A", "B"}, "payload": map[string]any{"a": "x"},
	}}
	paths := map[string]any{"id": "$.detail.id", "n": "$.detail.n", "list": "$.detail.list", "payload": "$.detail.payload", "none": "$.detail.none", "type": "$.detail-type"}
	for template, want := range map[string]string{
		`{"id": <id>, "n": <n>, "l": <list>, "p": <payload>}`: `{"id": "0a787ecb-4015", "n": 9, "l": ["A","B"], "p": {"a":"x"}}`,
		`{"id": "<id>", "path": "users/<id>/<type>"}`:         `{"id": "0a787ecb-4015", "path": "users/0a787ecb-4015/order"}`,
		`"<payload> of <list>"`:                               `"{a:x} of [A,B]"`,
		`{"bare": <none>, "text": "[<none>]"}`:                `{"bare": "", "text": "[]"}`,
	} {
		if got := transform(t, map[string]any{"InputTemplate": template, "InputPathsMap": paths}, event); got != want {
			t.Errorf("%s gives %s, want %s", template, got, want)
		}
	}
}

// closedSets are the paths whose values are certdrift's or CloudWatch's own words: codes, severities, times, names of this stack's alarms.
var closedSets = []string{
	"$.detail.code", "$.detail.at", "$.detail.began",
	"$.detail.alarmName", "$.detail.state.value", "$.detail.configuration.description", "$.region", "$.time",
}

// TestTemplates: EventBridge does not escape what it inserts. So templates take plain texts only, and always inside of a string; then
// nothing depends on how it writes other values.
func TestTemplates(t *testing.T) {
	seen := 0
	for id, r := range readTools(t).rules {
		for _, target := range asList(r.Properties["Targets"]) {
			transformer := within(target, "InputTransformer")
			template, paths := fmt.Sprint(within(transformer, "InputTemplate")), within(transformer, "InputPathsMap")
			if transformer == nil {
				continue
			}
			seen++
			names, _ := paths.(map[string]any)
			for name, path := range names {
				if text := fmt.Sprint(path); !strings.HasPrefix(text, "$.detail.plain.") && !slices.Contains(closedSets, text) {
					t.Errorf("%s takes %s, which may need escaping", id, text)
				}
				if !strings.Contains(template, "<"+name+">") {
					t.Errorf("%s: <%s> is not used", id, name)
				}
			}
			if strings.Contains(template, `\`) {
				t.Errorf("%s has an escape in its template", id)
			}
			if bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(template, ""); strings.Contains(bare, "<") {
				t.Errorf("%s has a placeholder outside of a string: %s", id, bare)
			}
			if within(target, "DeadLetterConfig", "Arn") != "Undelivered" || within(target, "RetryPolicy", "MaximumEventAgeInSeconds") == nil || within(target, "RoleArn") != "Role" {
				t.Errorf("%s: %v loses what is not delivered", id, within(target, "Id"))
			}
		}
		if n := len(asList(r.Properties["Targets"])); n > 5 {
			t.Errorf("%s has %d targets, a rule may have 5", id, n)
		}
	}
	if seen < 15 {
		t.Errorf("only %d templates found", seen)
	}
}

// vendors validates what each destination gets.
func vendors(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for destination, file := range map[string]string{
		"PagerDuty": "pagerduty", "Opsgenie": "opsgenie-create", "OpsgenieClose": "opsgenie-close", "Slack": "slack", "Teams": "teams",
	} {
		schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "tools", file+".schema.json"))
		check(t, err)
		out[destination] = schema
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "docs", "alert.schema.json"))
	check(t, err)
	out["Webhook"] = schema
	return out
}

// kind is a notice and what it is for a tool that keeps alerts.
type kind struct {
	notice           incident.Notice
	open, closed     []string // severities whose alerts are opened and closed
	hostile, summary bool
}

func kinds() map[string]kind {
	now := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	one := func(severity finding.Severity, name string) incident.Notice {
		f := finding.Finding{
			Code: finding.DriftAttached, Severity: severity, Environment: "production", Endpoint: name, Listener: "a22e1d63:443",
			Summary: "the listener holds another certificate", Remedy: "Reattach the declared certificate.",
			Evidence: finding.Evidence{"undo": "aws elb set-load-balancer-listener-ssl-certificate --load-balancer-name a22e1d63"},
			Affects:  []string{"production/" + name},
		}
		f.Lift()
		return incident.Notice{
			Event: incident.Opened, Severity: severity, At: now, Findings: []finding.Finding{f},
			Record: incident.Record{
				Key: "production " + name, Environment: "production", Cause: "listener:" + name, First: now, Opened: now, Severity: severity,
				Code: f.Code, Codes: []finding.Code{f.Code}, Affects: f.Affects, AffectsCount: 1, Findings: []finding.Finding{f},
			},
		}
	}
	later := func(n incident.Notice, event incident.Event) incident.Notice {
		n.Event, n.At = event, n.At.Add(24*time.Hour)
		return n
	}
	worse := later(one(finding.Critical, "api"), incident.Opened)
	worse.Before = finding.Warning
	less := later(one(finding.Critical, "api"), incident.Recovered)
	less.Downgraded, less.Before, less.Remaining = true, finding.Critical, finding.Warning
	removed := later(one(finding.Warning, "api"), incident.Recovered)
	removed.Removed = true
	var many []incident.Notice
	for i := range 12 {
		many = append(many, one(finding.Critical, fmt.Sprintf("api%02d", i)))
	}
	bundled := func(event incident.Event) incident.Notice {
		var members []incident.Notice
		for _, n := range many {
			if event != n.Event {
				n = later(n, event)
			}
			members = append(members, n)
		}
		return incident.Bundle(policy.Alerting{StormAfter: 10}, members)[0]
	}
	both := []string{"critical", "warning"}
	return map[string]kind{
		"opened": {notice: one(finding.Critical, "api"), open: []string{"critical"}}, "warning": {notice: one(finding.Warning, "api"), open: []string{"warning"}},
		"reminder":  {notice: later(one(finding.Critical, "api"), incident.Reminder), open: []string{"critical"}},
		"escalated": {notice: worse, open: []string{"critical"}}, "downgraded": {notice: less, open: []string{"warning"}, closed: []string{"critical"}},
		"recovered": {notice: later(one(finding.Critical, "api"), incident.Recovered), closed: both}, "removed": {notice: removed, closed: both},
		"test":            {notice: alert.TestAlert("production", finding.Critical, now), open: []string{"critical"}},
		"storm":           {notice: bundled(incident.Opened), open: []string{"critical"}, summary: true},
		"storm-recovered": {notice: bundled(incident.Recovered), closed: both, summary: true},
	}
}

// putEvents are those that the functions put on the bus for a message, as EventBridge passes them on.
func putEvents(t *testing.T, m alert.Message) (out []map[string]any) {
	t.Helper()
	add := func(detailType, document string) {
		var detail map[string]any
		check(t, json.Unmarshal([]byte(document), &detail))
		out = append(out, map[string]any{
			"version": "0", "id": "6a7e8feb", "source": eventbus.Source, "detail-type": detailType, "account": account, "region": region,
			"time": "2026-11-23T02:14:00Z", "resources": []any{}, "detail": detail,
		})
	}
	add(eventbus.DetailType, m.JSON)
	for _, document := range m.Incidents {
		add(eventbus.IncidentDetail, document)
	}
	return out
}

// poisoned is a notice whose texts are hostile, besides what certdrift itself chooses.
func poisoned(n incident.Notice) incident.Notice {
	p := n
	certtest.Poison(&p)
	p.Event, p.At, p.Severity, p.Before, p.Remaining, p.Storm = n.Event, n.At, n.Severity, n.Before, n.Remaining, nil
	p.Removed, p.Downgraded, p.Repetition = n.Removed, n.Downgraded, n.Repetition
	p.Record.Code, p.Record.Codes, p.Record.Severity, p.Record.First = n.Record.Code, n.Record.Codes, n.Record.Severity, n.Record.First
	for i := range p.Findings {
		p.Findings[i].Code, p.Findings[i].Severity = n.Findings[i].Code, n.Findings[i].Severity
	}
	for _, member := range n.Storm {
		p.Storm = append(p.Storm, poisoned(member))
	}
	return p
}

// TestEveryToolGetsEveryAlert: each kind of alert, also with hostile texts, reaches each tool in the form that it documents, opens the
// alerts that it should and closes them again.
func TestEveryToolGetsEveryAlert(t *testing.T) {
	all, schemas := readTools(t), vendors(t)
	for name, k := range kinds() {
		hostile := k
		hostile.notice, hostile.hostile = poisoned(k.notice), true
		for _, k := range []kind{k, hostile} {
			holdKind(t, fmt.Sprintf("%s, hostile %t", name, k.hostile), k, all, schemas)
		}
	}
}

func holdKind(t *testing.T, name string, k kind, all tools, schemas map[string]*jsonschema.Schema) {
	t.Helper()
	m := alert.Compose(k.notice, alert.Options{RunbookURL: "https://wiki.example.org/runbook?a=b", Stack: "certdrift"})
	posts, opened, closed := map[string]int{}, map[string]int{}, map[string]int{}
	for _, event := range putEvents(t, m) {
		for _, r := range all.deliver(t, event) {
			if err := schemas[r.destination].Validate(any(r.body)); err != nil {
				t.Errorf("%s: %s by %s: %v", name, r.destination, r.rule, err)
			}
			if r.destination != "Webhook" { // programs read it
				certtest.Harmless(t, name+" to "+r.destination, fmt.Sprint(r.body), true)
			}
			switch r.destination {
			case "PagerDuty":
				key := fmt.Sprint(r.body["dedup_key"])
				switch r.body["event_action"] {
				case "trigger":
					opened["PagerDuty "+key]++
					if want := severityOf(key); within(r.body, "payload", "severity") != want {
						t.Errorf("%s: %s is opened as %v", name, key, within(r.body, "payload", "severity"))
					}
				case "resolve":
					closed["PagerDuty "+key]++
				}
			case "Opsgenie":
				key := fmt.Sprint(r.body["alias"])
				opened["Opsgenie "+key]++
				if want := map[string]string{"critical": "P1", "warning": "P3"}[severityOf(key)]; r.body["priority"] != want {
					t.Errorf("%s: %s has the priority %v", name, key, r.body["priority"])
				}
			case "OpsgenieClose":
				if len(r.path) != 1 || r.query["identifierType"] != "alias" {
					t.Fatalf("%s: closes %v by %v", name, r.path, r.query)
				}
				closed["Opsgenie "+r.path[0]]++
			default:
				posts[r.destination]++
			}
		}
	}
	if want := map[string]int{"Slack": 1, "Teams": 1, "Webhook": 1}; !maps.Equal(posts, want) {
		t.Errorf("%s is posted to %v", name, posts)
	}
	wantOpen, wantClosed := map[string]int{}, map[string]int{}
	for _, each := range k.notice.Each() {
		thread := thread(t, each)
		for _, tool := range []string{"PagerDuty ", "Opsgenie "} {
			for _, severity := range k.open {
				wantOpen[tool+thread+"-"+severity]++
			}
			for _, severity := range k.closed {
				wantClosed[tool+thread+"-"+severity]++
			}
		}
	}
	if !maps.Equal(opened, wantOpen) || !maps.Equal(closed, wantClosed) {
		t.Errorf("%s opens %v and closes %v, want %v and %v", name, opened, closed, wantOpen, wantClosed)
	}
	if k.summary != (len(k.notice.Each()) > 1) {
		t.Errorf("%s sums up %d incidents", name, len(k.notice.Each()))
	}
}

func severityOf(key string) string { return key[strings.LastIndex(key, "-")+1:] }

// thread is what names an incident from its opening to its end: the same for every notice about it.
func thread(t *testing.T, n incident.Notice) string {
	t.Helper()
	opening := incident.Notice{Event: incident.Opened, Severity: finding.Critical, At: n.At, Record: n.Record}
	var document struct {
		Plain struct{ Keys struct{ Critical string } }
	}
	check(t, json.Unmarshal([]byte(alert.Compose(opening, alert.Options{}).JSON), &document))
	return strings.TrimSuffix(document.Plain.Keys.Critical, "-critical")
}

// TestToolsOfSomeEnvironments: an environment that the tools are not for reaches none, and certdrift's own problems always do.
func TestToolsOfSomeEnvironments(t *testing.T) {
	all := readTools(t, "production")
	for environment, want := range map[string]bool{"production": true, "staging": false, "": true} {
		n := alert.TestAlert(environment, finding.Critical, time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC))
		for _, event := range putEvents(t, alert.Compose(n, alert.Options{})) {
			if got := len(all.deliver(t, event)) > 0; got != want {
				t.Errorf("%q is delivered: %t", environment, got)
			}
			event["account"] = "444455556666"
			if len(all.deliver(t, event)) > 0 {
				t.Error("another account's event is delivered")
			}
		}
	}
}

// TestAlarmsReachTheTools: an alarm about certdrift itself opens an alert, and its end closes it. A new stack's alarms all become OK,
// which nobody needs to read.
func TestAlarmsReachTheTools(t *testing.T) {
	all, schemas := readTools(t), vendors(t)
	text, err := os.ReadFile(filepath.Join(root, "events", "cloudwatch-alarm-state-change.json"))
	check(t, err)
	for _, description := range []any{"certdrift is not running. Runbook: https://wiki.example.org/x?a=b#blind - run: aws logs tail /aws/lambda/certdrift-probe --since 30m", nil} {
		for transition, want := range map[string]string{
			"INSUFFICIENT_DATA OK": "OpsgenieClose PagerDuty", "OK ALARM": "Opsgenie PagerDuty Slack Teams Webhook", "ALARM OK": "OpsgenieClose PagerDuty Slack Teams Webhook",
			"OK INSUFFICIENT_DATA": "",
		} {
			var event map[string]any
			check(t, json.Unmarshal(text, &event))
			detail, _ := event["detail"].(map[string]any)
			before, now, _ := strings.Cut(transition, " ")
			detail["alarmName"], detail["configuration"] = "certdrift-blind", map[string]any{}
			if description != nil {
				detail["configuration"] = map[string]any{"description": description}
			}
			detail["state"], detail["previousState"] = map[string]any{"value": now, "reason": "\"x\"\n"}, map[string]any{"value": before}
			var got []string
			for _, r := range all.deliver(t, event) {
				got = append(got, r.destination)
				if r.destination != "Webhook" { // it gets CloudWatch's event
					if err := schemas[r.destination].Validate(any(r.body)); err != nil {
						t.Errorf("%s: %s: %v", transition, r.destination, err)
					}
				}
				if r.destination == "PagerDuty" && r.body["dedup_key"] != "certdrift-blind" || r.destination == "Opsgenie" && r.body["alias"] != "certdrift-blind" ||
					r.destination == "OpsgenieClose" && r.path[0] != "certdrift-blind" {
					t.Errorf("%s: %s gets %v %v", transition, r.destination, r.body, r.path)
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s goes to %v, want %s", transition, got, want)
			}
			detail["alarmName"] = "certdrift-probe-silent" // a part of blind
			if sent := all.deliver(t, event); len(sent) > 0 {
				t.Errorf("an alarm without actions goes to %v", sent)
			}
		}
	}
}

// TestToolsKnowTheAlarms: every alarm that notifies people reaches the tools, too, besides those about the tools, and no
// description needs escaping or is longer than PagerDuty takes.
func TestToolsKnowTheAlarms(t *testing.T) {
	var want []string
	for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"} {
		for id, a := range infra(t, "alarms").of(kind) {
			name := strings.ReplaceAll(fmt.Sprint(a.Properties["AlarmName"]), "${Prefix}", "certdrift")
			if a.Properties["AlarmActions"] != nil && a.Condition != "HasTools" {
				want = append(want, name)
			}
			description := fmt.Sprint(a.Properties["AlarmDescription"])
			if strings.ContainsAny(description, "\"\\\n<>") || utf8.RuneCountInString(description) > 500 {
				t.Errorf("%s: the description needs escaping, or is too long: %q", id, description)
			}
		}
	}
	slices.Sort(want)
	for id, r := range readTools(t).rules {
		names := asList(within(r.Properties, "EventPattern", "detail", "alarmName"))
		if names == nil {
			continue
		}
		var got []string
		for _, name := range names {
			got = append(got, fmt.Sprint(name))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s takes\n%q, and the alarms are\n%q", id, got, want)
		}
	}
}

// TestToolsCostNothingUnlessWanted: without a tool nothing is created, a tool creates only its own resources, and its role may call
// nothing else.
func TestToolsCostNothingUnlessWanted(t *testing.T) {
	if r := readTemplate(t, "template.yaml").Resources["Tools"]; r.Condition != "HasTools" {
		t.Errorf("the tools are created if %q", r.Condition)
	}
	tm := infra(t, "tools")
	for id, r := range tm.Resources {
		if r.Condition == "" && !slices.Contains([]string{"Role", "Undelivered", "UndeliveredPolicy"}, id) {
			t.Errorf("%s is created for every tool", id)
		}
	}
	var may []string
	statementsOf(tm.Resources["Role"].Properties["Policies"], func(s map[string]any) {
		for _, r := range asList(s["Resource"]) {
			may = append(may, fmt.Sprint(s["Action"], " ", asList(r)[1]))
		}
	})
	var want []string
	for id := range tm.of("AWS::Events::ApiDestination") {
		want = append(want, "events:InvokeApiDestination "+id+".Arn")
	}
	slices.Sort(may)
	slices.Sort(want)
	if !slices.Equal(may, want) || len(want) != 6 {
		t.Errorf("the role may %q, want %q", may, want)
	}
	for name, p := range tm.Parameters {
		root := readTemplate(t, "template.yaml").Parameters[name]
		if secret := regexp.MustCompile(`Key$|^(Slack|Teams|Webhook)Url$|Authorization$`).MatchString(name); secret && (p["NoEcho"] != true || root["NoEcho"] != true) {
			t.Errorf("%s is shown to everyone who may describe the stack", name)
		}
	}
}

// TestToolsAreDeployed: CloudFormation makes the rules, destinations and connections of the tools that are wanted, and no others; the
// functions and the alarms know of them.
func TestToolsAreDeployed(t *testing.T) {
	enabled(t)
	t.Parallel()
	f, packages := startFront(t, startMoto(t)), t.TempDir()
	for _, id := range []string{"ProbeFunction", "InspectFunction", "VerifyFunction", "WidgetFunction"} {
		check(t, os.WriteFile(filepath.Join(packages, id+".zip"), []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), 0o600)) // empty
	}
	script, err := filepath.Abs("deploy.py")
	check(t, err)
	out, err := run(t.Context(), []string{"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "PYTHONDONTWRITEBYTECODE=1"}, python(t), script,
		f.url, "template.yaml", packages, t.TempDir(),
		"PagerDutyKey=0123456789abcdef0123456789abcdef", "OpsgenieKey=0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", "RunbookUrl=https://wiki.example.org/r",
		"AlertEnvironments=production,eu")
	check(t, err)
	var made stack
	check(t, json.Unmarshal(out, &made))
	cfg := asTester(f.url)
	rules, err := readBus(t.Context(), eventbridge.NewFromConfig(cfg))
	check(t, err)
	deployed := map[string]int{}
	for _, r := range rules.rules {
		if name := strings.TrimPrefix(r.name, "certdrift-"); strings.HasPrefix(name, "on-call-") || strings.HasPrefix(name, "posted-") {
			deployed[name] = len(r.targets)
			if !r.complete {
				t.Errorf("%s has a target without a dead-letter queue", name)
			}
		}
	}
	want := map[string]int{"on-call-opened": 2, "on-call-closed": 4, "on-call-downgraded": 4, "on-call-alarm": 2, "on-call-alarm-over": 2}
	if !maps.Equal(deployed, want) {
		t.Errorf("the rules have the targets %v, want %v", deployed, want)
	}
	destinations, err := eventbridge.NewFromConfig(cfg).ListApiDestinations(t.Context(), &eventbridge.ListApiDestinationsInput{})
	check(t, err)
	if len(destinations.ApiDestinations) != 3 {
		t.Errorf("%d destinations", len(destinations.ApiDestinations))
	}
	for name, f := range made.Functions {
		if environment := fmt.Sprint(f); strings.HasSuffix(name, "-probe") != strings.Contains(environment, "on-call-closed") && !strings.HasSuffix(name, "-inspect") ||
			!strings.Contains(environment, "https://wiki.example.org/r") {
			t.Errorf("%s has the environment %s", name, environment)
		}
	}
	alarms, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"certdrift-failed-posts"}})
	check(t, err)
	if len(alarms.MetricAlarms) != 1 || !strings.Contains(*alarms.MetricAlarms[0].AlarmDescription, " Runbook: https://wiki.example.org/r#undelivered - run: aws ") {
		t.Errorf("the alarm is %+v", alarms.MetricAlarms)
	}
}
