package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

// bus is EventBridge with the rules created by the stack.
type bus struct{ rules []rule }

type rule struct {
	name, arn string
	schedule  string         // empty for a pattern
	pattern   map[string]any // nil for a schedule
	targets   []string       // function ARNs
	// complete: every target has a dead-letter queue.
	complete bool
}

func readBus(ctx context.Context, api *eventbridge.Client) (*bus, error) {
	list, err := api.ListRules(ctx, &eventbridge.ListRulesInput{})
	if err != nil {
		return nil, fmt.Errorf("listing rules: %w", err)
	}
	b := &bus{}
	for _, r := range list.Rules {
		targets, err := api.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: r.Name})
		if err != nil {
			return nil, fmt.Errorf("listing the targets of %q: %w", aws.ToString(r.Name), err)
		}
		made := rule{name: aws.ToString(r.Name), arn: aws.ToString(r.Arn), schedule: aws.ToString(r.ScheduleExpression), complete: true}
		if pattern := aws.ToString(r.EventPattern); pattern != "" {
			if err := json.Unmarshal([]byte(pattern), &made.pattern); err != nil {
				return nil, fmt.Errorf("reading the pattern of %q: %w", made.name, err)
			}
		}
		for _, target := range targets.Targets {
			made.targets = append(made.targets, aws.ToString(target.Arn))
			made.complete = made.complete && target.DeadLetterConfig != nil
		}
		b.rules = append(b.rules, made)
	}
	return b, nil
}

// route returns the functions (ARNs) that receive an event: by rule for a schedule event, by pattern for others.
func (b *bus) route(event []byte) ([]string, error) {
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	var targets []string
	for _, r := range b.rules {
		tick := r.schedule != "" && e["detail-type"] == "Scheduled Event" && slices.Contains(asList(e["resources"]), any(r.arn))
		if tick || r.pattern != nil && fits(r.pattern, e) {
			targets = append(targets, r.targets...)
		}
	}
	return targets, nil
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// fits matches an event against the parts of EventBridge's pattern language that the templates use: lists of values,
// nested objects, "$or", {"exists": …}, {"numeric": ["=", …]}.
func fits(pattern, event map[string]any) bool {
	for key, want := range pattern {
		if key == "$or" {
			if !slices.ContainsFunc(asList(want), func(branch any) bool {
				nested, ok := branch.(map[string]any)
				return ok && fits(nested, event)
			}) {
				return false
			}
			continue
		}
		value, present := event[key]
		switch want := want.(type) {
		case map[string]any:
			nested, _ := value.(map[string]any)
			if !fits(want, nested) {
				return false
			}
		case []any:
			if !slices.ContainsFunc(want, func(w any) bool { return fitsOne(w, value, present && value != nil) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func fitsOne(want, value any, present bool) bool {
	if matcher, ok := want.(map[string]any); ok {
		if numeric := asList(matcher["numeric"]); len(numeric) == 2 && numeric[0] == "=" {
			return present && fmt.Sprint(value) == fmt.Sprint(numeric[1])
		}
		exists, known := matcher["exists"].(bool)
		return known && len(matcher) == 1 && exists == present
	}
	if list, ok := value.([]any); ok {
		return slices.Contains(list, want)
	}
	return present && value == want
}

// tick is the event that a schedule rule sends.
func (b *bus) tick(t *testing.T, name string) []byte {
	t.Helper()
	for _, r := range b.rules {
		if r.schedule != "" && strings.HasSuffix(r.name, name) {
			return []byte(fmt.Sprintf(`{"version":"0","id":"6a7e8feb-0000-4000-8000-000000000900","detail-type":"Scheduled Event",`+
				`"source":"aws.events","account":%q,"time":"2026-11-23T12:00:00Z","region":%q,"resources":[%q],"detail":{}}`, account, region, r.arn))
		}
	}
	t.Fatalf("no schedule %q among the rules", name)
	return nil
}

func TestFits(t *testing.T) {
	pattern := map[string]any{"source": []any{"aws.elb"}, "detail": map[string]any{
		"eventName": []any{"A", "B"}, "errorCode": []any{map[string]any{"exists": false}},
		"$or": []any{map[string]any{"n": []any{map[string]any{"numeric": []any{"=", 1}}}}, map[string]any{"n": []any{map[string]any{"exists": false}}}}}}
	event := func(source, name string, code any, n ...any) map[string]any {
		detail := map[string]any{"eventName": name}
		if len(n) > 0 {
			detail["n"] = n[0]
		}
		if code != nil {
			detail["errorCode"] = code
		}
		return map[string]any{"source": source, "detail": detail}
	}
	for name, c := range map[string]struct {
		event map[string]any
		want  bool
	}{
		"fits":           {event("aws.elb", "B", nil), true},
		"another source": {event("aws.acm", "B", nil), false},
		"another name":   {event("aws.elb", "C", nil), false},
		"failed":         {event("aws.elb", "A", "AccessDenied"), false},
		"one of $or":     {event("aws.elb", "A", nil, 1.0), true},
		"none of $or":    {event("aws.elb", "A", nil, 2.0), false},
	} {
		if got := fits(pattern, c.event); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
