package stack

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"certdrift/internal/observation"
)

// fake is EventBridge and CloudWatch with the rules and alarms that it lists; errs are by operation.
type fake struct {
	rules     map[string]*eventbridge.DescribeRuleOutput
	targets   map[string][]string
	metric    []cwtypes.MetricAlarm
	composite []cwtypes.CompositeAlarm
	errs      map[string]error
	pages     int // of DescribeAlarms, each with one metric alarm; 0 for one
	repeat    bool
	calls     map[string]int
}

func (f *fake) count(operation string) error {
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[operation]++
	return f.errs[operation]
}

func (f *fake) DescribeRule(_ context.Context, in *eventbridge.DescribeRuleInput, _ ...func(*eventbridge.Options)) (*eventbridge.DescribeRuleOutput, error) {
	if err := f.count("DescribeRule"); err != nil {
		return nil, err
	}
	if out, ok := f.rules[*in.Name]; ok {
		return out, nil
	}
	return nil, &ebtypes.ResourceNotFoundException{}
}

func (f *fake) ListTargetsByRule(_ context.Context, in *eventbridge.ListTargetsByRuleInput, _ ...func(*eventbridge.Options)) (*eventbridge.ListTargetsByRuleOutput, error) {
	if err := f.count("ListTargetsByRule"); err != nil {
		return nil, err
	}
	out := &eventbridge.ListTargetsByRuleOutput{}
	for _, t := range f.targets[*in.Rule] {
		out.Targets = append(out.Targets, ebtypes.Target{Arn: aws.String(t)})
	}
	return out, nil
}

func (f *fake) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := f.count("DescribeAlarms"); err != nil {
		return nil, err
	}
	if len(in.AlarmTypes) != 2 { // composite alarms are listed on request only
		return nil, fmt.Errorf("asked for %v", in.AlarmTypes)
	}
	out := &cloudwatch.DescribeAlarmsOutput{CompositeAlarms: f.composite}
	page := f.calls["DescribeAlarms"]
	for i, a := range f.metric {
		if slices.Contains(in.AlarmNames, *a.AlarmName) && (f.pages == 0 || i == page-1) {
			out.MetricAlarms = append(out.MetricAlarms, a)
		}
	}
	if page < f.pages || f.repeat {
		out.NextToken = aws.String(fmt.Sprint("page ", map[bool]int{false: page}[f.repeat]))
	}
	return out, nil
}

const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"

func whole() *fake {
	return &fake{
		rules: map[string]*eventbridge.DescribeRuleOutput{
			"s-tick": {State: ebtypes.RuleStateEnabled, ScheduleExpression: aws.String("rate(1 minute)")}, "s-changes": {State: ebtypes.RuleStateDisabled},
		},
		targets:   map[string][]string{"s-tick": {"arn:probe"}, "s-changes": {"arn:inspect"}},
		metric:    []cwtypes.MetricAlarm{{AlarmName: aws.String("s-slow"), ActionsEnabled: aws.Bool(true), AlarmActions: []string{topic}}, {AlarmName: aws.String("s-silent")}},
		composite: []cwtypes.CompositeAlarm{{AlarmName: aws.String("s-blind"), ActionsEnabled: aws.Bool(false), AlarmActions: []string{topic}}},
	}
}

func (f *fake) observe(t *testing.T) (*observation.OwnStack, []string) {
	t.Helper()
	seen, failures := New(f, f, Deployed{
		Rules:  []Rule{{"s-tick", "rate(1 minute)"}, {"s-changes", ""}},
		Alarms: []string{"s-slow", "s-blind"}, Inputs: []string{"s-silent"}, Topic: topic,
	}, 0, time.Now).Observe(t.Context())
	var texts []string
	for _, e := range failures {
		texts = append(texts, fmt.Sprintf("%s %s %s", e.Kind, e.Operation, e.Resource))
	}
	return seen, texts
}

func TestObserve(t *testing.T) {
	seen, failures := whole().observe(t)
	want := &observation.OwnStack{
		Rules: []observation.EventRule{
			{Name: "s-tick", State: "ENABLED", Schedule: "rate(1 minute)", ExpectedSchedule: "rate(1 minute)", Targets: []string{"arn:probe"}},
			{Name: "s-changes", State: "DISABLED", Targets: []string{"arn:inspect"}},
		},
		Alarms: []observation.Alarm{
			{Name: "s-slow", ActionsEnabled: true, Actions: []string{topic}, Expected: topic},
			{Name: "s-blind", Actions: []string{topic}, Expected: topic}, {Name: "s-silent"},
		},
	}
	if !reflect.DeepEqual(seen, want) || len(failures) > 0 {
		t.Errorf("observed %+v, %v\nwant %+v", seen, failures, want)
	}
}

func TestWhatIsGone(t *testing.T) {
	f := whole()
	delete(f.rules, "s-tick")
	f.composite, f.metric = nil, f.metric[:1]
	seen, failures := f.observe(t)
	if len(failures) > 0 || !seen.Rules[0].Missing || seen.Rules[0].ExpectedSchedule == "" || seen.Rules[1].Missing {
		t.Errorf("rules %+v, %v", seen.Rules, failures)
	}
	if seen.Alarms[0].Missing || !seen.Alarms[1].Missing || seen.Alarms[1].Expected != topic || !seen.Alarms[2].Missing {
		t.Errorf("alarms %+v", seen.Alarms)
	}
}

// TestWhatIsNotReadIsNotMissing: denied, throttled and broken calls leave out what they would have shown.
func TestWhatIsNotReadIsNotMissing(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException"}
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException"}
	for name, c := range map[string]struct {
		fail          func(*fake)
		rules, alarms int
		want          []string
	}{
		"rules denied":     {func(f *fake) { f.errs = map[string]error{"DescribeRule": denied} }, 0, 3, []string{"denied events:DescribeRule s-tick", "denied events:DescribeRule s-changes"}},
		"targets denied":   {func(f *fake) { f.errs = map[string]error{"ListTargetsByRule": denied} }, 0, 3, []string{"denied events:ListTargetsByRule s-tick", "denied events:ListTargetsByRule s-changes"}},
		"alarms throttled": {func(f *fake) { f.errs = map[string]error{"DescribeAlarms": throttled} }, 2, 0, []string{"throttled cloudwatch:DescribeAlarms "}},
		"a page repeats":   {func(f *fake) { f.repeat = true }, 2, 0, []string{"incomplete cloudwatch:DescribeAlarms "}},
		"two pages":        {func(f *fake) { f.pages = 2 }, 2, 3, nil},
	} {
		f := whole()
		c.fail(f)
		seen, failures := f.observe(t)
		if len(seen.Rules) != c.rules || len(seen.Alarms) != c.alarms || !slices.Equal(failures, c.want) {
			t.Errorf("%s: %d rules, %d alarms, %q; want %d, %d, %q", name, len(seen.Rules), len(seen.Alarms), failures, c.rules, c.alarms, c.want)
		}
		for _, a := range seen.Alarms {
			if a.Missing {
				t.Errorf("%s: %s is said to be missing", name, a.Name)
			}
		}
	}
}

// TestDue: probe reads the stack once an hour, again when its clock goes back, and in the next round what is new or could not be read.
func TestDue(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f := whole()
	r := New(f, f, Deployed{Inputs: []string{"s-silent"}}, time.Hour, func() time.Time { return now })
	change := func() { f.metric = nil }
	fail := func() {
		f.errs = map[string]error{"DescribeAlarms": &smithy.GenericAPIError{Code: "ThrottlingException"}}
	}
	for i, c := range []struct {
		after time.Duration
		first func()
		want  int
	}{
		{0, nil, 1},
		{time.Minute, nil, 2},
		{time.Minute, nil, 2},
		{58 * time.Minute, nil, 2},
		{time.Minute, nil, 3},
		{time.Minute, nil, 3},
		{time.Hour, change, 4},
		{time.Minute, nil, 5},
		{time.Minute, nil, 5},
		{time.Hour, fail, 6},
		{time.Minute, fail, 7},
		{time.Minute, nil, 8},
		{time.Minute, nil, 8},
		{-24 * time.Hour, nil, 9},
		{time.Minute, nil, 9},
	} {
		now, f.errs = now.Add(c.after), nil
		if c.first != nil {
			c.first()
		}
		before := f.calls["DescribeAlarms"]
		seen, _ := r.Observe(t.Context())
		if read := f.calls["DescribeAlarms"]; read != c.want || (seen != nil) != (read > before) {
			t.Errorf("%d: read %d times and returned %v, want %d", i, read, seen, c.want)
		}
	}
}

func TestParseRules(t *testing.T) {
	got, err := ParseRules(" probe-schedule=rate(1 minute);\nchanges ;", "s")
	if want := []Rule{{"s-probe-schedule", "rate(1 minute)"}, {"s-changes", ""}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, text := range []string{"=rate(1 minute)", "a="} {
		if _, err := ParseRules(text, "s"); err == nil {
			t.Errorf("%q passes", text)
		}
	}
}
