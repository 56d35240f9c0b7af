package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"certdrift/internal/metric"
	"certdrift/internal/round"
)

// These tests check errors in template.yaml that CloudFormation and cfn-lint accept.

// template is a template as data; !Ref X is read as X, and !If as its list.
type template struct {
	Metadata   map[string]any            `yaml:"Metadata"`
	Parameters map[string]map[string]any `yaml:"Parameters"`
	Globals    map[string]map[string]any `yaml:"Globals"`
	Conditions map[string]any            `yaml:"Conditions"`
	Resources  map[string]resource       `yaml:"Resources"`
	Outputs    map[string]map[string]any `yaml:"Outputs"`
}

type resource struct {
	Type       string         `yaml:"Type"`
	Condition  string         `yaml:"Condition"`
	DependsOn  any            `yaml:"DependsOn"`
	Properties map[string]any `yaml:"Properties"`
}

func readTemplate(t *testing.T, file string) template {
	t.Helper()
	var out template
	text, err := os.ReadFile(filepath.Join(root, file))
	check(t, err)
	check(t, yaml.Unmarshal(text, &out))
	if len(out.Resources) == 0 {
		t.Fatalf("%s has no resources", file)
	}
	return out
}

// of returns the resources of a type, by logical ID.
func (tm template) of(kind string) map[string]resource {
	all := map[string]resource{}
	for id, r := range tm.Resources {
		if r.Type == kind {
			all[id] = r
		}
	}
	return all
}

// within follows keys into nested maps; nil if one is missing.
func within(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// patterns are the event patterns of a template's rules, by logical ID.
func (tm template) patterns() map[string]map[string]any {
	all := map[string]map[string]any{}
	for id, r := range tm.of("AWS::Events::Rule") {
		all[id], _ = r.Properties["EventPattern"].(map[string]any)
	}
	return all
}

// rules are all rules of a template by name, with the parameter that holds the schedule; empty for a rule of events.
func (tm template) rules() map[string]string {
	all := map[string]string{}
	for _, r := range tm.of("AWS::Events::Rule") {
		all[fmt.Sprint(r.Properties["Name"])] = ""
	}
	for _, f := range tm.of("AWS::Serverless::Function") {
		events, _ := f.Properties["Events"].(map[string]any)
		for _, e := range events {
			if within(e, "Type") == "Schedule" {
				all[fmt.Sprint(within(e, "Properties", "Name"))] = fmt.Sprint(within(e, "Properties", "Schedule"))
			}
		}
	}
	return all
}

// notForInspect are the samples that no rule may match, each with the reason.
var notForInspect = map[string]string{
	"classic-set-certificate-denied.json": "a refused call changed nothing",
	"cloudwatch-alarm-state-change.json":  "an alarm goes to people",
	"scheduled-rule.json":                 "a tick reaches the function by its own rule",
	"scheduler.json":                      "the stack uses rules",
}

// TestTheRulesTakeTheSamples: each sample for inspect matches exactly one rule of the template, because two would inspect twice.
func TestTheRulesTakeTheSamples(t *testing.T) {
	rules := readTemplate(t, "template.yaml").patterns()
	if len(rules) != 3 {
		t.Fatalf("rules %v", rules)
	}
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	check(t, err)
	if len(files) < 20 {
		t.Fatalf("only %d samples", len(files))
	}
	for _, file := range files {
		event := map[string]any{}
		text, err := os.ReadFile(file)
		check(t, err)
		check(t, json.Unmarshal(text, &event))
		var taken []string
		for name, r := range rules {
			if r != nil && fits(r, event) {
				taken = append(taken, name)
			}
		}
		reason, left := notForInspect[filepath.Base(file)]
		switch {
		case left && len(taken) > 0:
			t.Errorf("%s is taken by %v, though %s", file, taken, reason)
		case !left && len(taken) != 1:
			t.Errorf("%s is taken by %v, want one rule", file, taken)
		}
	}
}

// TestTheRulesLeaveTheRest: similar but irrelevant events match no rule, so that a busy account does not start useless rounds.
func TestTheRulesLeaveTheRest(t *testing.T) {
	rules := readTemplate(t, "template.yaml").patterns()
	for name, text := range map[string]string{
		"a read":                   `{"source":"aws.elasticloadbalancing","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"DescribeListeners"}}`,
		"targets come and go":      `{"source":"aws.elasticloadbalancing","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"RegisterTargets"}}`,
		"another service":          `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"ec2.amazonaws.com","eventName":"CreateListener"}}`,
		"a user is deleted":        `{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"iam.amazonaws.com","eventName":"DeleteUser"}}`,
		"a refused import":         `{"source":"aws.acm","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"acm.amazonaws.com","eventName":"ImportCertificate","errorCode":"AccessDenied"}}`,
		"certdrift's own alert":    `{"source":"certdrift","detail-type":"certdrift Alert","detail":{}}`,
		"another's word about ACM": `{"source":"my.app","detail-type":"ACM Certificate Expired","detail":{}}`,
	} {
		var event map[string]any
		check(t, json.Unmarshal([]byte(text), &event))
		for rule, r := range rules {
			if fits(r, event) {
				t.Errorf("%s is taken by %s", name, rule)
			}
		}
	}
}

// TestParametersAreGuarded: `sam deploy --guided` asks for each parameter by name, and a mistyped value must be rejected before
// anything is created.
func TestParametersAreGuarded(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	var grouped []string
	for _, g := range asList(within(tm.Metadata, "AWS::CloudFormation::Interface", "ParameterGroups")) {
		for _, name := range asList(within(g, "Parameters")) {
			grouped = append(grouped, fmt.Sprint(name))
		}
	}
	for name, p := range tm.Parameters {
		if p["Description"] == nil || p["Default"] == nil {
			t.Errorf("%s has no description, or no default", name)
		}
		if n := len(slices.DeleteFunc(slices.Clone(grouped), func(g string) bool { return g != name })); n != 1 {
			t.Errorf("%s stands in %d groups, want one", name, n)
		}
		text := p["Type"] == "String" || p["Type"] == "CommaDelimitedList"
		if text && p["AllowedPattern"] == nil && p["AllowedValues"] == nil {
			t.Errorf("%s takes anything", name)
		}
		if !text && p["AllowedValues"] == nil && (p["MinValue"] == nil || p["MaxValue"] == nil) {
			t.Errorf("%s has no bounds", name)
		}
	}
}

// TestRulesUseWhatRulesMay: CloudFormation rejects the whole template if its Rules call any other function ("Following
// functions are not supported in the Rules block"), and cfn-lint does not report it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func TestRulesUseWhatRulesMay(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	check(t, err)
	rules := regexp.MustCompile(`(?ms)^Rules:\n(.*?)^\S`).FindSubmatch(text)
	if rules == nil {
		t.Fatal("there are no rules")
	}
	may := []string{"Ref", "And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "RefAll", "ValueOf", "ValueOfAll"}
	calls := regexp.MustCompile(`!(\w+)|Fn::(\w+)`).FindAllSubmatch(rules[1], -1)
	for _, call := range calls {
		if name := string(call[1]) + string(call[2]); !slices.Contains(may, name) {
			t.Errorf("the rules call %s", name)
		}
	}
	if len(calls) == 0 {
		t.Error("no calls found")
	}
}

func TestParameterPatterns(t *testing.T) {
	const secret = "arn:aws:secretsmanager:us-west-2:111122223333:secret:certdrift/pagerduty-AbCdEf"
	tm := readTemplate(t, "template.yaml")
	for name, c := range map[string]struct{ good, bad []string }{
		"AlertEmail":        {[]string{"", "ops@example.org", "o.p+s@mail.example.org"}, []string{"ops", "ops@example", "a@example.org,b@example.org", "a b@example.org"}},
		"AlertEnvironments": {[]string{"", "production"}, []string{"a b"}},
		"AlertSms":          {[]string{"", "+491713920010"}, []string{"12065550100", "+1 206 555 0100", "+0123456"}},
		"ConfigBucket":      {[]string{"", "my-config.example"}, []string{"s3://my-config", "My_Config", "a/b", "arn:aws:s3:::b"}},
		"ConfigKey":         {[]string{"certdrift.yaml", "team/a/certdrift.yaml"}, []string{"", "/certdrift.yaml", "certdrift/", "a b"}},
		"ConfigFiles":       {[]string{"", "certdrift/*", "ca.pem"}, []string{"/certdrift/*", "a b"}},
		"ConfigParameter":   {[]string{"", "/certdrift/config"}, []string{"certdrift", "/certdrift/", "arn:aws:ssm:us-west-2:111122223333:parameter/certdrift"}},
		"ConfigKmsKeyArn":   {[]string{"", "arn:aws:kms:us-west-2:111122223333:key/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"}, []string{"alias/config", "arn:aws:kms:us-west-2:111122223333:alias/config"}},
		"ManifestPrefix":    {[]string{"", "k8s/"}, []string{"/k8s"}},
		"SubnetIds":         {[]string{"", "subnet-0123456789abcdef0"}, []string{"vpc-0123", "subnet 1"}},
		"SecurityGroupIds":  {[]string{"", "sg-0123456789abcdef0"}, []string{"default"}},
		"MemberRoleArns":    {[]string{"", "arn:aws:iam::222233334444:role/certdrift"}, []string{"certdrift", "222233334444"}},
		"MemberAccounts":    {[]string{"", "222233334444"}, []string{"2222-3333-4444", "*"}},
		"MetricsNamespace":  {[]string{"Certdrift", "Certdrift/team-b"}, []string{"", "AWS/Lambda", ":x", "a b", "a'b"}},
		"RunbookUrl":        {[]string{"", "docs/runbook.md", "https://wiki.example.org/x?a=b"}, []string{`a"b`, "a b", "a<b"}},
		"PagerDutyKey":      {[]string{"", "0123456789abcdef0123456789abcdef", secret}, []string{"short", "arn:aws:ssm:us-west-2:111122223333:parameter/x"}},
		"OpsgenieKey":       {[]string{"", "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", secret}, []string{"GenieKey 0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"}},
		"SlackUrl":          {[]string{"", "https://hooks.slack.com/services/T0/B0/x", secret}, []string{"https://example.org/x", "hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com.example.org/services/x"}},
		"TeamsUrl": {[]string{
			"", "https://prod-1.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a_b-c", secret,
		}, []string{"http://prod-1.logic.azure.com/x", `https://a.example.org/"`, "https://a.example.org/*"}},
		"WebhookUrl":           {[]string{"", "https://hooks.example.org/a?b=c", secret}, []string{"http://hooks.example.org/", "hooks.example.org", "https://a b"}},
		"WebhookAuthorization": {[]string{"", "Bearer abc", secret}, []string{" x"}},
	} {
		pattern := regexp.MustCompile(fmt.Sprint(tm.Parameters[name]["AllowedPattern"]))
		for _, v := range c.good {
			if !pattern.MatchString(v) {
				t.Errorf("%s refuses %q", name, v)
			}
		}
		for _, v := range c.bad {
			if pattern.MatchString(v) {
				t.Errorf("%s takes %q", name, v)
			}
		}
		if v := fmt.Sprint(tm.Parameters[name]["Default"]); !pattern.MatchString(v) {
			t.Errorf("%s refuses its own default %q", name, v)
		}
	}
}

// TestFunctionsAreComplete: each has its own role and log group, and a dead-letter queue.
func TestFunctionsAreComplete(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	if g := tm.Globals["Function"]; g["Tracing"] != "Active" || fmt.Sprint(g["Architectures"]) != "[arm64]" {
		t.Errorf("globals %v", g)
	}
	functions, roles := tm.of("AWS::Serverless::Function"), map[string]string{}
	if len(functions) != 5 {
		t.Errorf("%d functions", len(functions))
	}
	for id, f := range functions {
		p := f.Properties
		role := fmt.Sprint(p["Role"])
		if other, taken := roles[role]; taken {
			t.Errorf("%s and %s share the role %s", id, other, role)
		}
		roles[role] = id
		logs := fmt.Sprint(within(p, "LoggingConfig", "LogGroup"))
		if within(p, "LoggingConfig", "LogFormat") != "JSON" || within(p, "LoggingConfig", "ApplicationLogLevel") != "LogLevel" ||
			tm.Resources[logs].Properties["RetentionInDays"] != "LogRetentionDays" {
			t.Errorf("%s logs as %v", id, p["LoggingConfig"])
		}
		if p["Timeout"] == nil || within(p, "EventInvokeConfig", "MaximumRetryAttempts") == nil || within(p, "EventInvokeConfig", "MaximumEventAgeInSeconds") == nil {
			t.Errorf("%s leaves its time-out, its retries or an event's age to chance", id)
		}
		// An account with a low limit cannot reserve concurrency: the stack could not be created there. So nothing is reserved by default,
		// and for inspect alone, because an event that waits is not lost.
		reserved := fmt.Sprint(p["ReservedConcurrentExecutions"])
		if id == "InspectFunction" && reserved != "[LimitsInspect InspectConcurrency AWS::NoValue]" || id != "InspectFunction" && reserved != "<nil>" {
			t.Errorf("%s reserves %s", id, reserved)
		}
		events, _ := p["Events"].(map[string]any)
		for name, e := range events {
			if within(e, "Type") == "SQS" { // the queue has both
				continue
			}
			if within(e, "Properties", "DeadLetterConfig") == nil || within(e, "Properties", "RetryPolicy") == nil {
				t.Errorf("%s: %s has no dead-letter queue, or no bound of its retries", id, name)
			}
		}
		if len(events) > 0 && within(p, "EventInvokeConfig", "DestinationConfig", "OnFailure") == nil {
			t.Errorf("%s loses what failed", id)
		}
	}
}

// TestSlowComesBeforeTheRoundIsCutShort: a round that runs out of time ends shortly before the function's timeout, and the alarm on
// slow rounds must fire before that.
func TestSlowComesBeforeTheRoundIsCutShort(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	alarms := within(tm.Resources["Alarms"].Properties, "Parameters")
	for function, parameter := range map[string]string{"ProbeFunction": "ProbeSlowMilliseconds", "InspectFunction": "InspectSlowMilliseconds"} {
		timeout, ok := tm.Resources[function].Properties["Timeout"].(uint64)
		slow, okToo := within(alarms, parameter).(uint64)
		if whole := timeout * 1000; !ok || !okToo || slow >= whole-uint64(round.Reserve.Milliseconds()) || slow < whole*7/10 {
			t.Errorf("%s has %d ms, looks for %v less, and is slow above %d", function, whole, round.Reserve, slow)
		}
	}
}

// TestTwoStacksKeepApart: two stacks in one account and region must not mix their heartbeats, so the namespace is a parameter, and
// the functions, their permission to write, the alarms and the dashboard all use it.
func TestTwoStacksKeepApart(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	named := map[string]any{"the functions": within(tm.Globals["Function"], "Environment", "Variables", "CERTDRIFT_NAMESPACE")}
	for _, nested := range []string{"Alarms", "Dashboard"} {
		named[nested] = within(tm.Resources[nested].Properties, "Parameters", "Namespace")
	}
	for id, r := range tm.of("AWS::IAM::Role") {
		statementsOf(r.Properties["Policies"], func(s map[string]any) {
			if s["Action"] == "cloudwatch:PutMetricData" {
				named[id] = within(s, "Condition", "StringEquals", "cloudwatch:namespace")
			}
		})
	}
	for who, name := range named {
		if name != "MetricsNamespace" {
			t.Errorf("%s: the namespace is %v, not the parameter's", who, name)
		}
	}
	if len(named) != 5 || tm.Parameters["MetricsNamespace"]["Default"] != metric.Namespace {
		t.Errorf("namespaces %v, the default %v", named, tm.Parameters["MetricsNamespace"]["Default"])
	}
}

// TestRolesReadAndChangeNothing lists all granted actions, so that a new one is noticed.
func TestRolesReadAndChangeNothing(t *testing.T) {
	tm := readTemplate(t, "template.yaml")
	writes := []string{
		"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:PutMetricData",
		"sns:Publish", "events:PutEvents", "kms:GenerateDataKey", "kms:Decrypt", "dynamodb:PutItem", "sqs:SendMessage", "sts:AssumeRole",
		"codedeploy:PutLifecycleEventHookExecutionStatus", "sqs:DeleteMessage", "lambda:InvokeFunction",
		"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
	}
	reads := regexp.MustCompile(`^(elasticloadbalancing|acm|ec2):Describe\w+$|^events:(DescribeRule|ListTargetsByRule)$|^cloudwatch:DescribeAlarms$|^(acm|iam|s3|ssm):Get\w+$|^cloudtrail:LookupEvents$|^s3:ListBucket$|^dynamodb:(Scan|GetItem)$|^sqs:(ReceiveMessage|GetQueueAttributes)$|^sns:(ListSubscriptionsByTopic|GetSubscriptionAttributes)$`)
	// These do not support resource-level permissions: a policy that names a resource allows nothing.
	everywhere := regexp.MustCompile(`^(elasticloadbalancing|cloudtrail|ec2|xray):|^cloudwatch:(PutMetricData|DescribeAlarms)$|^sns:GetSubscriptionAttributes$`)
	for id, r := range tm.of("AWS::IAM::Role") {
		statements := 0
		statementsOf(r.Properties["Policies"], func(s map[string]any) {
			statements++
			for _, action := range oneOrMore(s["Action"]) {
				name := fmt.Sprint(action)
				if !slices.Contains(writes, name) && !reads.MatchString(name) {
					t.Errorf("%s is granted %s", id, name)
				}
				if all := slices.Contains(oneOrMore(s["Resource"]), any("*")); all != everywhere.MatchString(name) {
					t.Errorf("%s is granted %s on %v", id, name, s["Resource"])
				}
			}
		})
		if least := map[string]int{"WorkerRole": 3}[id]; statements < cmp.Or(least, 5) {
			t.Errorf("only %d statements found in %s", statements, id)
		}
	}
}

// statementsOf walks policies, including those inside !If.
func statementsOf(v any, do func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if v["Effect"] != nil {
			do(v)
			return
		}
		for _, member := range v {
			statementsOf(member, do)
		}
	case []any:
		for _, member := range v {
			statementsOf(member, do)
		}
	}
}

func oneOrMore(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// TestEveryoneMayPublishEncrypted: an alarm or event whose message cannot be encrypted is dropped silently. EventBridge's requests to
// KMS have neither aws:SourceAccount nor aws:SourceArn.
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
func TestEveryoneMayPublishEncrypted(t *testing.T) {
	tm := readTemplate(t, filepath.Join("infra", "alerts.yaml"))
	for id, document := range map[string]string{"Key": "KeyPolicy", "TopicPolicy": "PolicyDocument"} {
		conditions := map[string]string{}
		statementsOf(tm.Resources[id].Properties[document], func(s map[string]any) {
			for _, service := range oneOrMore(within(s, "Principal", "Service")) {
				conditions[fmt.Sprint(service)] = fmt.Sprint(s["Condition"])
			}
		})
		for _, service := range []string{"cloudwatch.amazonaws.com", "events.amazonaws.com"} {
			if conditions[service] == "" || conditions[service] == "<nil>" {
				t.Errorf("%s does not let %s in, or lets it in for anybody", id, service)
			}
		}
		if strings.Contains(conditions["events.amazonaws.com"], "aws:Source") && id == "Key" {
			t.Errorf("%s asks EventBridge for what its requests do not carry: %s", id, conditions["events.amazonaws.com"])
		}
	}
	for id, r := range tm.of("AWS::SNS::Subscription") {
		if within(r.Properties, "RedrivePolicy", "deadLetterTargetArn") == nil {
			t.Errorf("%s drops what cannot be delivered", id)
		}
	}
}

// TestMemberAccountsTrustWhoReadsThem: every function role that may assume a role in another account is trusted by that role.
func TestMemberAccountsTrustWhoReadsThem(t *testing.T) {
	member, err := os.ReadFile(filepath.Join(root, "infra", "member-role.yaml"))
	check(t, err)
	readers := 0
	for id, r := range readTemplate(t, "template.yaml").of("AWS::IAM::Role") {
		statementsOf(r.Properties["Policies"], func(s map[string]any) {
			if s["Action"] != "sts:AssumeRole" {
				return
			}
			if readers++; !strings.Contains(string(member), "role/${HomeStack}-"+id+"-*") {
				t.Errorf("infra/member-role.yaml does not let %s in", id)
			}
		})
	}
	if readers != 4 {
		t.Errorf("%d roles may assume another account's, want each function's", readers)
	}
}

// TestDeletingTheStackLeavesNothing: no resource outlives the stack, and no function can bring its log group back. docs/install.md says so.
func TestDeletingTheStackLeavesNothing(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "infra", "*.yaml"))
	check(t, err)
	for _, file := range append(files, filepath.Join(root, "template.yaml")) {
		text, err := os.ReadFile(file)
		check(t, err)
		for _, m := range regexp.MustCompile(`(?:DeletionPolicy|UpdateReplacePolicy): *(\S+)`).FindAllSubmatch(text, -1) {
			if string(m[1]) != "Delete" {
				t.Errorf("%s: %s", file, m[0])
			}
		}
		if strings.Contains(string(text), "logs:CreateLogGroup") {
			t.Errorf("%s: a function that still runs would create its log group again", file)
		}
	}
	key := readTemplate(t, filepath.Join("infra", "alerts.yaml")).of("AWS::KMS::Key")["Key"]
	guide, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	check(t, err)
	if days := fmt.Sprintf("takes %v days", key.Properties["PendingWindowInDays"]); !strings.Contains(string(guide), days) {
		t.Errorf("docs/install.md does not say that the key's deletion %s", days)
	}
}

// TestWhatTheApplicationRepositoryLacks holds docs/install.md to the resources in use.
// https://github.com/awsdocs/aws-serverlessrepo-developer-guide/blob/main/doc_source/list-supported-resources.md
func TestWhatTheApplicationRepositoryLacks(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	check(t, err)
	_, section, _ := strings.Cut(string(guide), "\n## The Serverless Application Repository\n")
	section, _, _ = strings.Cut(section, "\n## ")
	supported := []string{
		"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table", "AWS::Events::EventBusPolicy", "AWS::Events::Rule", "AWS::IAM::Role",
		"AWS::KMS::Alias", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::Queue",
		"AWS::SQS::QueuePolicy", "AWS::Serverless::Function",
	}
	for _, file := range []string{"template.yaml", "infra/alarms.yaml", "infra/alerts.yaml", "infra/dashboard.yaml", "infra/state.yaml"} {
		for id, r := range readTemplate(t, file).Resources {
			if named := strings.Contains(section, "`"+r.Type+"`"); named == slices.Contains(supported, r.Type) {
				t.Errorf("%s: %s is a %s: named as missing is %t", file, id, r.Type, named)
			}
		}
	}
}
