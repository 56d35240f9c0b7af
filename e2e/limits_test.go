package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ownstack "certdrift/internal/awsio/stack"
)

// These tests hold what only AWS itself would refuse, or do differently than meant: the emulator and cfn-lint accept all of it.

func infra(t *testing.T, name string) template {
	t.Helper()
	return readTemplate(t, filepath.Join("infra", name+".yaml"))
}

// everyTemplate are the root template and the nested ones, by file.
func everyTemplate(t *testing.T) map[string]template {
	t.Helper()
	all := map[string]template{"template.yaml": readTemplate(t, "template.yaml")}
	files, err := filepath.Glob(filepath.Join(root, "infra", "*.yaml"))
	check(t, err)
	for _, file := range files {
		name := filepath.Join("infra", filepath.Base(file))
		all[name] = readTemplate(t, name)
	}
	if len(all) != 8 {
		t.Fatalf("%d templates found", len(all))
	}
	return all
}

// blind evaluates the rule of the composite alarm: a list of terms, one of which must hold. states are the states of the alarms it is
// made of, OK where none is given.
func blind(t *testing.T, states map[string]string) bool {
	t.Helper()
	rule := asList(infra(t, "alarms").Resources["Blind"].Properties["AlarmRule"])
	if len(rule) != 2 || rule[0] != " OR " {
		t.Fatalf("the rule is %v", rule)
	}
	term := regexp.MustCompile(`(NOT )?(ALARM|INSUFFICIENT_DATA)\("\$\{Prefix\}-([\w-]+)"\)`)
	return slices.ContainsFunc(asList(rule[1]), func(alternative any) bool {
		text := fmt.Sprint(alternative)
		conditions := term.FindAllStringSubmatch(text, -1)
		if rest := term.ReplaceAllString(text, "x"); rest != "x" && rest != "(x AND x)" {
			t.Fatalf("the test does not know the form of %s", text)
		}
		return !slices.ContainsFunc(conditions, func(m []string) bool { return (states[m[3]] == m[2]) == (m[1] != "") })
	})
}

// TestBlind: what makes certdrift's own outage known, and what does not. CloudWatch evaluates an alarm on missing data at once when it is
// created, so a new stack's heartbeats are "missing" before the first round; one that has never begun fails, or is throttled.
func TestBlind(t *testing.T) {
	const missing = "INSUFFICIENT_DATA"
	for name, c := range map[string]struct {
		states map[string]string
		want   bool
	}{
		"all is well":                      {nil, false},
		"a new stack, before any round":    {map[string]string{"probe-silent": "ALARM", "inspect-silent": "ALARM", "probe-started": missing, "inspect-started": missing}, false},
		"before the first of inspect":      {map[string]string{"inspect-silent": "ALARM", "inspect-started": missing}, false},
		"a new stack that fails":           {map[string]string{"probe-silent": "ALARM", "probe-started": missing, "probe-errors": "ALARM"}, true},
		"a new stack that is throttled":    {map[string]string{"inspect-silent": "ALARM", "inspect-started": missing, "inspect-throttled": "ALARM"}, true},
		"probe stops":                      {map[string]string{"probe-silent": "ALARM"}, true},
		"inspect stops":                    {map[string]string{"inspect-silent": "ALARM"}, true},
		"inspect fails, probe has not yet": {map[string]string{"inspect-errors": "ALARM", "probe-started": missing}, true},
	} {
		if got := blind(t, c.states); got != c.want {
			t.Errorf("%s: blind %t, want %t", name, got, c.want)
		}
	}
	alarms := infra(t, "alarms").Resources
	for function, id := range map[string]string{"probe": "Probe", "inspect": "Inspect"} {
		silent, started := alarms[id+"Silent"].Properties, alarms[id+"Started"].Properties
		if silent["TreatMissingData"] != "breaching" || started["TreatMissingData"] != "ignore" {
			t.Errorf("%s: silence is seen as %v, and the first heartbeat is remembered as %v", function, silent["TreatMissingData"], started["TreatMissingData"])
		}
		for _, key := range []string{"Namespace", "MetricName", "Dimensions"} {
			if fmt.Sprint(silent[key]) != fmt.Sprint(started[key]) {
				t.Errorf("%s: silence is of %v, the start of %v", function, silent[key], started[key])
			}
		}
	}
}

// TestOneThrottleIsNotBlind: Lambda tries a throttled asynchronous invocation again for hours, so one of them loses nothing.
func TestOneThrottleIsNotBlind(t *testing.T) {
	alarms := infra(t, "alarms").Resources
	for _, id := range []string{"ProbeThrottled", "InspectThrottled", "ProbeErrors", "InspectErrors"} {
		p := alarms[id].Properties
		if fmt.Sprint(p["DatapointsToAlarm"], p["EvaluationPeriods"]) != "2 3" {
			t.Errorf("%s needs %v of %v periods, want 2 of 3", id, p["DatapointsToAlarm"], p["EvaluationPeriods"])
		}
	}
	tm := readTemplate(t, "template.yaml")
	parameter := tm.Parameters["InspectConcurrency"]
	if fmt.Sprint(parameter["Default"]) != "0" || fmt.Sprint(tm.Conditions["LimitsInspect"]) != "[[InspectConcurrency 0]]" {
		t.Error("inspect's concurrency is limited by default")
	}
	batches, _ := within(tm.Resources["InspectFunction"].Properties, "Events", "Changes", "Properties", "ScalingConfig", "MaximumConcurrency").(uint64)
	for _, n := range asList(parameter["AllowedValues"]) {
		if reserved, _ := n.(uint64); reserved != 0 && reserved <= batches { // what Lambda passes of the queue would throttle the schedule
			t.Errorf("%d may be reserved, and batches of changes take %d", reserved, batches)
		}
	}
}

// TestSilenceFitsTheSchedule: for every schedule that can be chosen, the alarm waits for at least three rounds, and for no longer than the
// day that CloudWatch can look back on.
func TestSilenceFitsTheSchedule(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	form := regexp.MustCompile(`^rate\((\d+) (minute|hour)s?\)$`)
	for function, name := range map[string]string{"Probe": "ProbeSchedule", "Inspect": "InspectSchedule"} {
		schedules := asList(tm.Parameters[name]["AllowedValues"])
		if len(schedules) < 8 || !slices.Contains(schedules, tm.Parameters[name]["Default"]) {
			t.Fatalf("%s may be %v, %v by default", name, schedules, tm.Parameters[name]["Default"])
		}
		for _, schedule := range schedules {
			m := form.FindStringSubmatch(fmt.Sprint(schedule))
			if m == nil {
				t.Errorf("%s may be %v, whose gaps are unknown", name, schedule)
				continue
			}
			unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour}[m[2]]
			var n int
			_, err := fmt.Sscan(m[1], &n)
			check(t, err)
			refs := map[string]any{}
			for condition, definition := range tm.Conditions {
				if strings.HasPrefix(condition, function+"Within") {
					refs[condition] = strings.Contains(fmt.Sprint(definition), fmt.Sprintf("[%s %v]", name, schedule))
				}
			}
			seconds, _ := filled(within(tm.Resources["Alarms"].Properties, "Parameters", function+"SilenceSeconds"), refs).(uint64)
			silence := time.Duration(seconds) * time.Second
			if silence < 3*time.Duration(n)*unit || silence > 24*time.Hour || seconds%60 != 0 {
				t.Errorf("%s at %v: silence is %v", function, schedule, silence)
			}
		}
	}
}

// TestNamesFitTheLongestStackName: AWS bounds the names of rules, functions and roles at 64 characters. CloudFormation shortens a role's
// name that is longer, and the roles of member accounts would not know it any more.
func TestNamesFitTheLongestStackName(t *testing.T) {
	longest := 0
	for _, name := range []string{"state", "alerts"} { // nothing of the stack exists before these two
		prefix := infra(t, name).Parameters["Prefix"]
		n, _ := prefix["MaxLength"].(uint64)
		if longest = int(n); n == 0 || !strings.Contains(fmt.Sprint(prefix["ConstraintDescription"]), fmt.Sprintf("at most %d characters", n)) {
			t.Errorf("infra/%s.yaml takes a stack name of %d characters and says %v", name, n, prefix["ConstraintDescription"])
		}
	}
	longName := strings.Repeat("s", longest)
	tm := readTemplate(t, "template.yaml")
	var names []string
	for id := range tm.of("AWS::IAM::Role") {
		names = append(names, longName+"-"+id+"-"+strings.Repeat("r", 13)) // as CloudFormation makes it
	}
	for _, f := range tm.of("AWS::Serverless::Function") {
		names = append(names, fmt.Sprint(f.Properties["FunctionName"]))
	}
	names = slices.AppendSeq(names, maps.Keys(tm.rules()))
	for _, name := range names {
		if name = strings.ReplaceAll(name, "${AWS::StackName}", longName); len(name) > 64 {
			t.Errorf("%s has %d characters", name, len(name))
		}
	}
	if len(names) != 15 {
		t.Errorf("%d names, want those of 5 roles, 5 functions and 5 rules: %v", len(names), names)
	}
	example, err := os.ReadFile(filepath.Join(root, "samconfig.example.toml"))
	check(t, err)
	if !strings.Contains(string(example), fmt.Sprintf("# at most %d characters", longest)) {
		t.Errorf("samconfig.example.toml does not say that a stack name has at most %d characters", longest)
	}
}

// TestCodeDeployMayInvokeVerify: AWSCodeDeployRoleForLambda allows lambda:InvokeFunction on CodeDeployHook_* only.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
func TestCodeDeployMayInvokeVerify(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	name := fmt.Sprint(tm.Resources["VerifyFunction"].Properties["FunctionName"])
	if !strings.HasPrefix(name, "CodeDeployHook_") || tm.Resources["VerifyLogs"].Properties["LogGroupName"] != "/aws/lambda/"+name {
		t.Errorf("verify is named %s, and logs to %v", name, tm.Resources["VerifyLogs"].Properties["LogGroupName"])
	}
}

// TestNetworkPermissionsAreUnconditional: permissions that come in the same update as VpcConfig are too late, and those that leave with it strand the
// network interfaces.
func TestNetworkPermissionsAreUnconditional(t *testing.T) {
	for id, r := range readTemplate(t, "template.yaml").of("AWS::IAM::Role") {
		if !slices.ContainsFunc(asList(r.Properties["Policies"]), func(p any) bool { return within(p, "PolicyName") == "vpc" }) {
			t.Errorf("%s has the network permissions only on a condition", id)
		}
	}
}

// TestManyValuesNeedASetOperator: events:source has a value for each entry of a call. ForAllValues also holds for no value at all, hence Null.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func TestManyValuesNeedASetOperator(t *testing.T) {
	found := 0
	for file, tm := range everyTemplate(t) {
		for id, r := range tm.Resources {
			statementsOf(r.Properties, func(s map[string]any) {
				conditions, _ := s["Condition"].(map[string]any)
				for operator, keys := range conditions {
					if within(keys, "events:source") == nil || operator == "Null" {
						continue
					}
					if found++; operator != "ForAllValues:StringEquals" || within(conditions, "Null", "events:source") != "false" {
						t.Errorf("%s, %s: %v", file, id, conditions)
					}
				}
			})
		}
	}
	if found != 3 {
		t.Errorf("events:source stands in %d statements, want 3", found)
	}
}

// TestConsoles: each partition has a console of its own.
func TestConsoles(t *testing.T) {
	tm := infra(t, "dashboard")
	for partition, want := range map[string]string{
		"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com", "aws-eusc": "console.amazonaws-eusc.eu",
	} {
		refs := map[string]any{}
		for name, condition := range tm.Conditions {
			refs[name] = fmt.Sprint(condition) == "[AWS::Partition "+partition+"]"
		}
		parts := asList(filled(tm.Outputs["Url"]["Value"], refs))
		if len(parts) != 2 || within(parts[1], "Console") != want || !strings.HasPrefix(fmt.Sprint(parts[0]), "https://${AWS::Region}.${Console}/") {
			t.Errorf("%s: the dashboard is at %v", partition, parts)
		}
	}
}

// TestTheForwarderRefusesItsOwnBus: an event forwarded to the bus that it came from would be forwarded again, without end.
func TestTheForwarderRefusesItsOwnBus(t *testing.T) {
	tm := infra(t, "event-forwarder")
	own := "[BusArn arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default]"
	if fmt.Sprint(tm.Conditions["ToItsOwnBus"]) != own || fmt.Sprint(tm.Conditions["ToAnotherBus"]) != "[ToItsOwnBus]" {
		t.Errorf("conditions %v", tm.Conditions)
	}
	refusals := 0
	for id, r := range tm.Resources {
		switch {
		case r.Type == "AWS::CloudFormation::WaitCondition":
			if refusals++; r.Condition != "ToItsOwnBus" || r.Properties["Timeout"] != "1" || r.Properties["Count"] != nil {
				t.Errorf("%s does not fail: %+v", id, r)
			}
		case r.Type == "AWS::Events::Rule" && r.Condition != "ToAnotherBus":
			t.Errorf("%s forwards to its own bus", id)
		}
	}
	if refusals != 1 {
		t.Errorf("%d resources refuse the deployment", refusals)
	}
}

// TestTheMemberRoleHasAKnownName: in a hundred accounts, an ARN that is made up by CloudFormation would have to be collected by hand.
func TestTheMemberRoleHasAKnownName(t *testing.T) {
	tm := infra(t, "member-role")
	if tm.Resources["Role"].Properties["RoleName"] != "RoleName" || tm.Parameters["RoleName"]["Default"] != "certdrift" {
		t.Errorf("the role is named %v, by default %v", tm.Resources["Role"].Properties["RoleName"], tm.Parameters["RoleName"]["Default"])
	}
	pattern := regexp.MustCompile(fmt.Sprint(readTemplate(t, "template.yaml").Parameters["MemberRoleArns"]["AllowedPattern"]))
	if arn := "arn:aws-eusc:iam::444455556666:role/certdrift"; !pattern.MatchString(arn) {
		t.Errorf("MemberRoleArns refuses %s", arn)
	}
}

// TestTextMessagesAreExplained: where the telephone number is asked for, it says what keeps text messages from arriving. The example must be
// of a country that needs no originating number.
func TestTextMessagesAreExplained(t *testing.T) {
	p := readTemplate(t, "template.yaml").Parameters["AlertSms"]
	description, constraint := fmt.Sprint(p["Description"]), fmt.Sprint(p["ConstraintDescription"])
	guide, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	check(t, err)
	runbook, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	check(t, err)
	for where, text := range map[string]string{"the parameter": description, "docs/install.md": string(guide), "docs/runbook.md": string(runbook)} {
		for _, want := range []string{"originating number", "sandbox", "region", "SMS"} {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
				t.Errorf("%s does not name the %s", where, want)
			}
		}
	}
	for _, number := range regexp.MustCompile(`\+\d{6,}`).FindAllString(description+constraint, -1) {
		if strings.HasPrefix(number, "+1") || !regexp.MustCompile(fmt.Sprint(p["AllowedPattern"])).MatchString(number) {
			t.Errorf("the example %s cannot work", number)
		}
	}
	if !strings.Contains(constraint, "+") {
		t.Error("there is no example")
	}
}

// TestTextMessagesHaveAlarms: failed deliveries are counted for the topic, whatever the protocol, and the spend is the account's.
func TestTextMessagesHaveAlarms(t *testing.T) {
	tm := infra(t, "alarms")
	if got := fmt.Sprint(tm.Resources["FailedDeliveries"].Properties["Dimensions"]); got != "[map[Name:TopicName Value:TopicName]]" || tm.Resources["FailedDeliveries"].Condition != "" {
		t.Errorf("failed deliveries are counted for %s", got)
	}
	spend := tm.Resources["TextMessageSpend"]
	queries := fmt.Sprint(spend.Properties["Metrics"])
	if spend.Condition != "HasSms" || !strings.Contains(queries, "100 * spent / ${SmsMonthlyLimit}") || !strings.Contains(queries, "SMSMonthToDateSpentUSD") ||
		strings.Contains(queries, "Dimensions") || spend.Properties["Threshold"] != uint64(80) {
		t.Errorf("the spend is watched by %+v", spend)
	}
}

// TestTheWidgetReadsNoHistory: it shows an inventory, and never asks CloudTrail who changed what; and the worker reads nothing at all.
func TestTheWidgetReadsNoHistory(t *testing.T) {
	for id, r := range readTemplate(t, "template.yaml").of("AWS::IAM::Role") {
		may := false
		statementsOf(r.Properties["Policies"], func(s map[string]any) {
			may = may || slices.Contains(oneOrMore(s["Action"]), any("cloudtrail:LookupEvents"))
		})
		if may != (id != "WidgetRole" && id != "WorkerRole") {
			t.Errorf("%s may look up events: %t", id, may)
		}
	}
}

// TestTheAlarmsComeFirst: probe and inspect report a missing alarm, so the alarms must be there before they run.
func TestTheAlarmsComeFirst(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	for _, id := range []string{"ProbeFunction", "InspectFunction"} {
		if tm.Resources[id].DependsOn != "Alarms" {
			t.Errorf("%s depends on %v", id, tm.Resources[id].DependsOn)
		}
	}
	alarms, _ := within(tm.Resources["Alarms"].Properties, "Parameters").(map[string]any)
	for id, f := range tm.of("AWS::Serverless::Function") {
		if id == "WorkerFunction" { // probe reports what becomes of it, and EndpointsChecked shows it
			continue
		}
		if got, want := alarms[strings.TrimSuffix(id, "Function")+"FunctionName"], f.Properties["FunctionName"]; got != want {
			t.Errorf("the alarms are about %v, and %s is named %v", got, id, want)
		}
	}
}

// TestParametersAreInTheExample: samconfig.example.toml explains every parameter, with its default, in the order of the console.
func TestParametersAreInTheExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "samconfig.example.toml"))
	check(t, err)
	words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n  #", "\n")), " ")
	tm, at := readTemplate(t, "template.yaml"), 0
	for _, g := range asList(within(tm.Metadata, "AWS::CloudFormation::Interface", "ParameterGroups")) {
		for _, name := range asList(within(g, "Parameters")) {
			p := tm.Parameters[fmt.Sprint(name)]
			line := fmt.Sprintf(`'%s="%v"',`, name, p["Default"])
			if i := strings.Index(words[at:], line); i < 0 || !strings.Contains(words[at:at+i], strings.Join(strings.Fields(fmt.Sprint(p["Description"])), " ")) {
				t.Errorf("samconfig.example.toml does not explain %s, or not in its place: %s", line, p["Description"])
			} else {
				at += i
			}
		}
	}
}

// TestAddressesStayOutOfGit: the SAM CLI writes answers, with addresses and telephone numbers, to samconfig.toml.
func TestAddressesStayOutOfGit(t *testing.T) {
	ignored, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	check(t, err)
	if !slices.Contains(strings.Split(string(ignored), "\n"), "/samconfig.toml") {
		t.Error(".gitignore does not name samconfig.toml")
	}
	example, err := os.ReadFile(filepath.Join(root, "samconfig.example.toml"))
	check(t, err)
	if set := regexp.MustCompile(`(?m)^\s*'\w+=`).FindString(string(example)); set != "" || strings.Contains(string(example), "@") {
		t.Errorf("the example sets %q, or has an address", set)
	}
}

// TestTheStackKnowsWhatGuardsIt: probe and inspect know every rule and every alarm of the stack, each as what it is.
func TestTheStackKnowsWhatGuardsIt(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	refs := map[string]any{"HasSms": true, "HasChat": true, "HasTools": true, "HasOnCall": true, "HasPosts": true}
	joined := func(v any) string {
		join := asList(filled(v, refs))
		if len(join) != 2 {
			return fmt.Sprint(filled(v, refs))
		}
		var all []string
		for _, part := range asList(join[1]) {
			all = append(all, fmt.Sprint(part))
		}
		return strings.Join(all, fmt.Sprint(join[0]))
	}
	nested := infra(t, "tools")
	refs["Tools.Outputs.Rules"] = joined(nested.Outputs["Rules"]["Value"])
	var actions, inputs []string
	for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"} {
		for _, a := range infra(t, "alarms").of(kind) {
			name := strings.TrimPrefix(fmt.Sprint(a.Properties["AlarmName"]), "${Prefix}-")
			if a.Properties["AlarmActions"] != nil {
				actions = append(actions, name)
			} else {
				inputs = append(inputs, name)
			}
		}
	}
	rules := tm.rules()
	for name := range nested.rules() {
		rules[strings.Replace(name, "${Prefix}", "${AWS::StackName}", 1)] = ""
	}
	for _, id := range []string{"ProbeFunction", "InspectFunction"} {
		variables := within(tm.Resources[id].Properties, "Environment", "Variables")
		for name, want := range map[string][]string{"CERTDRIFT_ALARMS": actions, "CERTDRIFT_ALARM_INPUTS": inputs} {
			got := strings.Fields(joined(within(variables, name)))
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || len(want) < 8 {
				t.Errorf("%s: %s is\n%q, and the alarms are\n%q", id, name, got, want)
			}
		}
		got, err := ownstack.ParseRules(joined(within(variables, "CERTDRIFT_RULES")), "${AWS::StackName}")
		check(t, err)
		if len(got) != len(rules) {
			t.Errorf("%s knows %v, and the rules are %v", id, got, rules)
		}
		for _, r := range got {
			if schedule, ok := rules[r.Name]; !ok || schedule != strings.Trim(r.Schedule, "${}") {
				t.Errorf("%s expects %s at %q, deployed at %q", id, r.Name, r.Schedule, schedule)
			}
		}
	}
}

// TestChangesAreCollected: all three rules of events put them into one queue, which inspect reads in batches, by few instances. Nothing is
// lost on the way: what fails comes back, and goes to the queue of undelivered events in the end.
func TestChangesAreCollected(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	inspect := tm.Resources["InspectFunction"].Properties
	source := within(inspect, "Events", "Changes")
	window, _ := within(source, "Properties", "MaximumBatchingWindowInSeconds").(uint64)
	most, _ := within(source, "Properties", "ScalingConfig", "MaximumConcurrency").(uint64)
	size, _ := within(source, "Properties", "BatchSize").(uint64)
	if within(source, "Type") != "SQS" || within(source, "Properties", "Queue") != "Changes.Arn" || window < 5 || window > 20 || most < 2 || most > 5 || size < 50 {
		t.Errorf("inspect reads %v", source)
	}
	for id, r := range tm.of("AWS::Events::Rule") {
		targets := asList(r.Properties["Targets"])
		if len(targets) != 1 || within(targets[0], "Arn") != "Changes.Arn" || within(targets[0], "DeadLetterConfig", "Arn") != "UndeliveredEvents.Arn" ||
			within(targets[0], "RetryPolicy") == nil {
			t.Errorf("%s sends to %v", id, targets)
		}
	}
	queue := tm.Resources["Changes"].Properties
	number := func(v any) uint64 { n, _ := v.(uint64); return n }
	visible, attempts := number(queue["VisibilityTimeout"]), number(within(queue, "RedrivePolicy", "maxReceiveCount"))
	if visible < number(inspect["Timeout"])+window || number(queue["MessageRetentionPeriod"]) <= visible*attempts || attempts < 5 ||
		within(queue, "RedrivePolicy", "deadLetterTargetArn") != "UndeliveredEvents.Arn" {
		t.Errorf("the queue is %v", queue)
	}
	allowed := 0
	statementsOf(tm.Resources["ChangesPolicy"].Properties, func(s map[string]any) {
		if within(s, "Principal", "Service") == "events.amazonaws.com" && s["Action"] == "sqs:SendMessage" && s["Resource"] == "Changes.Arn" && s["Condition"] != nil {
			allowed++
		}
	})
	if allowed != 1 {
		t.Error("EventBridge may not put changes into the queue")
	}
}
