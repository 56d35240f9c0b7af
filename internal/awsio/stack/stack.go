// Package stack reads the rules and alarms of certdrift's own stack: what starts its rounds, and what reports that they stop. Whoever
// disables them disables certdrift without touching it.
package stack

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// rulesAPI is the part of EventBridge used here.
type rulesAPI interface {
	DescribeRule(context.Context, *eventbridge.DescribeRuleInput, ...func(*eventbridge.Options)) (*eventbridge.DescribeRuleOutput, error)
	ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput, ...func(*eventbridge.Options)) (*eventbridge.ListTargetsByRuleOutput, error)
}

// alarmsAPI is the part of CloudWatch used here.
type alarmsAPI interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

// maxAlarms is how many names DescribeAlarms takes in one call.
const maxAlarms = 100

// Deployed is what the stack has, by full names.
type Deployed struct {
	// Rules are the rules' schedules by name; empty for a rule that matches events.
	Rules []Rule
	// Alarms notify Topic. Inputs are alarms without actions that other alarms are made of.
	Alarms, Inputs []string
	Topic          string
}

// Rule is a rule with its schedule expression; empty for a rule that matches events.
type Rule struct{ Name, Schedule string }

// ParseRules reads "probe-schedule=rate(1 minute); acm-events": rules of a stack, separated by semicolons.
func ParseRules(text, stack string) ([]Rule, error) {
	var out []Rule
	for entry := range strings.SplitSeq(text, ";") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, schedule, scheduled := strings.Cut(entry, "=")
		if name == "" || scheduled && schedule == "" {
			return nil, fmt.Errorf("%q is neither a rule's name nor NAME=SCHEDULE", entry)
		}
		out = append(out, Rule{Name: stack + "-" + name, Schedule: schedule})
	}
	return out, nil
}

// Reader reads a stack. It is made once per process.
type Reader struct {
	rules    rulesAPI
	alarms   alarmsAPI
	deployed Deployed
	every    time.Duration
	now      func() time.Time

	mu       sync.Mutex
	last     time.Time // zero if the next call has to read
	previous *observation.OwnStack
}

// New makes a Reader that reads the stack once per interval; with an interval of 0, always. What is new it reads again in the next round:
// one that confirms a problem, or its end, must not be an interval away. So it does what it could not read.
func New(rules rulesAPI, alarms alarmsAPI, d Deployed, every time.Duration, now func() time.Time) *Reader {
	return &Reader{rules: rules, alarms: alarms, deployed: d, every: every, now: now}
}

// Observe reads every rule and alarm. What could not be read is an ObserveError. It returns nil if it is not yet time.
func (r *Reader) Observe(ctx context.Context) (*observation.OwnStack, []observation.ObserveError) {
	if !r.due() {
		return nil, nil
	}
	seen := reading{Reader: r, stack: &observation.OwnStack{}}
	for _, rule := range r.deployed.Rules {
		seen.rule(ctx, rule)
	}
	seen.allAlarms(ctx)
	r.remember(seen)
	return seen.stack, seen.failures
}

// due reports whether it is time. A clock that went back makes it so.
func (r *Reader) due() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if since := now.Sub(r.last); !r.last.IsZero() && since >= 0 && since < r.every {
		return false
	}
	r.last = now
	return true
}

// remember decides whether the next call has to read.
func (r *Reader) remember(seen reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(seen.failures) > 0 || !reflect.DeepEqual(seen.stack, r.previous) {
		r.last = time.Time{}
	}
	if len(seen.failures) == 0 {
		r.previous = seen.stack
	}
}

type reading struct {
	*Reader
	stack    *observation.OwnStack
	failures []observation.ObserveError
}

func (r *reading) rule(ctx context.Context, want Rule) {
	seen := observation.EventRule{Name: want.Name, ExpectedSchedule: want.Schedule}
	out, err := r.rules.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(want.Name)})
	switch {
	case awserr.Missing(err):
		seen.Missing = true
		r.stack.Rules = append(r.stack.Rules, seen)
		return
	case err != nil:
		r.note(err, "events:DescribeRule", want.Name)
		return
	}
	seen.State, seen.Schedule = string(out.State), aws.ToString(out.ScheduleExpression)
	targets, err := r.rules.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(want.Name)})
	if err != nil {
		r.note(err, "events:ListTargetsByRule", want.Name)
		return
	}
	for _, t := range targets.Targets {
		seen.Targets = append(seen.Targets, aws.ToString(t.Arn))
	}
	r.stack.Rules = append(r.stack.Rules, seen)
}

// allAlarms reads the alarms. An alarm that a complete answer lacks does not exist.
func (r *reading) allAlarms(ctx context.Context) {
	want := map[string]string{} // the topic, by name; empty for an input
	var names []string
	for _, name := range r.deployed.Alarms {
		want[name], names = r.deployed.Topic, append(names, name)
	}
	names = append(names, r.deployed.Inputs...)
	found := map[string]observation.Alarm{}
	for from := 0; from < len(names); from += maxAlarms {
		if !r.someAlarms(ctx, names[from:min(from+maxAlarms, len(names))], found) {
			return
		}
	}
	for _, name := range names {
		seen, ok := found[name]
		if !ok {
			seen = observation.Alarm{Name: name, Missing: true}
		}
		seen.Expected = want[name]
		r.stack.Alarms = append(r.stack.Alarms, seen)
	}
}

func (r *reading) someAlarms(ctx context.Context, names []string, found map[string]observation.Alarm) bool {
	seen := map[string]bool{"": true}
	for token := ""; ; {
		in := &cloudwatch.DescribeAlarmsInput{
			AlarmNames: names, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(maxAlarms),
		}
		if token != "" {
			in.NextToken = aws.String(token)
		}
		out, err := r.alarms.DescribeAlarms(ctx, in)
		if err != nil {
			r.note(err, "cloudwatch:DescribeAlarms", "")
			return false
		}
		for _, a := range out.MetricAlarms {
			found[aws.ToString(a.AlarmName)] = observation.Alarm{Name: aws.ToString(a.AlarmName), ActionsEnabled: aws.ToBool(a.ActionsEnabled), Actions: a.AlarmActions}
		}
		for _, a := range out.CompositeAlarms {
			found[aws.ToString(a.AlarmName)] = observation.Alarm{Name: aws.ToString(a.AlarmName), ActionsEnabled: aws.ToBool(a.ActionsEnabled), Actions: a.AlarmActions}
		}
		if token = aws.ToString(out.NextToken); token == "" {
			return true
		}
		if seen[token] {
			r.failures = append(r.failures, observation.ObserveError{
				Kind: observation.Incomplete, Operation: "cloudwatch:DescribeAlarms", Detail: "CloudWatch repeats a page",
			})
			return false
		}
		seen[token] = true
	}
}

// note keeps one error for each call, with the resources that it concerns.
func (r *reading) note(err error, operation, resource string) {
	r.failures = append(r.failures, awserr.Of(err, operation, "", "", finding.Clean(resource, finding.QuoteLimit)))
}
