package alertpath

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Filter is a subscription's filter policy over string message attributes: certdrift sends no
// others. https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
type Filter struct{ policy map[string]any }

// ParseFilter reads a policy; an empty text is the filter that lets all through.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	if strings.TrimSpace(text) == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(text), &f.policy); err != nil {
		return Filter{}, fmt.Errorf("reading the filter policy %q: %w", text, err)
	}
	return f, nil
}

// Passes reports whether a message with these attributes is delivered.
func (f Filter) Passes(attributes map[string]string) bool { return passes(f.policy, attributes) }

// Empty reports whether all is let through.
func (f Filter) Empty() bool { return len(f.policy) == 0 }

// Mentions reports whether the policy has a condition on an attribute.
func (f Filter) Mentions(attribute string) bool { return mentions(f.policy, attribute) }

func mentions(policy map[string]any, attribute string) bool {
	if _, ok := policy[attribute]; ok {
		return true
	}
	branches, _ := policy["$or"].([]any)
	return slices.ContainsFunc(branches, func(b any) bool {
		branch, ok := b.(map[string]any)
		return ok && mentions(branch, attribute)
	})
}

// Values are the plain strings that the policy names for an attribute, sorted: what somebody who is to try it may send.
func (f Filter) Values(attribute string) []string {
	var out []string
	collect(f.policy, attribute, &out)
	slices.Sort(out)
	return slices.Compact(out)
}

func collect(policy map[string]any, attribute string, out *[]string) {
	conditions, _ := policy[attribute].([]any)
	for _, c := range conditions {
		if s, ok := c.(string); ok {
			*out = append(*out, s)
		}
	}
	branches, _ := policy["$or"].([]any)
	for _, b := range branches {
		if branch, ok := b.(map[string]any); ok {
			collect(branch, attribute, out)
		}
	}
}

// Unclear reports whether the policy has an operator that is not known here, or an operand of another form than is: what it lets
// through cannot be said.
func (f Filter) Unclear() bool { return unclear(f.policy) }

func unclear(policy map[string]any) bool {
	for name, conditions := range policy {
		list, _ := conditions.([]any)
		for _, c := range list {
			inner, ok := c.(map[string]any)
			if ok && (name == "$or" && unclear(inner) || name != "$or" && !understood(inner)) {
				return true
			}
		}
	}
	return false
}

// understood reports whether each operator of a condition is known, with an operand of the form that it takes.
func understood(condition map[string]any) bool {
	for operator, operand := range condition {
		ok := false
		switch operator {
		case "exists":
			_, ok = operand.(bool)
		case "numeric":
			ok = true // no attribute of certdrift's is a number
		case "prefix", "suffix", "equals-ignore-case", "wildcard", "cidr":
			_, ok = operand.(string)
		case "anything-but":
			inner, nested := operand.(map[string]any)
			ok = !nested || understood(inner)
		}
		if !ok {
			return false
		}
	}
	return true
}

func passes(policy map[string]any, attributes map[string]string) bool {
	for name, conditions := range policy {
		list, ok := conditions.([]any)
		if !ok {
			return false // nested: it can only be of a message's body
		}
		holds := func(condition any) bool {
			value, present := attributes[name]
			return matches(condition, value, present)
		}
		if name == "$or" {
			holds = func(branch any) bool {
				inner, ok := branch.(map[string]any)
				return ok && passes(inner, attributes)
			}
		}
		if !slices.ContainsFunc(list, holds) {
			return false
		}
	}
	return true
}

// matches reports whether one condition holds. What is not about strings (numeric) never does; what this does not know
// (SNS may learn more) is taken to hold, so that no good subscription is called a bad one.
func matches(condition any, value string, present bool) bool {
	switch c := condition.(type) {
	case string:
		return present && c == value
	case map[string]any:
		for operator, operand := range c {
			if !operate(operator, operand, value, present) {
				return false
			}
		}
		return len(c) > 0
	}
	return false
}

func operate(operator string, operand any, value string, present bool) bool {
	text, _ := operand.(string)
	switch operator {
	case "exists":
		want, _ := operand.(bool)
		return want == present
	case "anything-but":
		return present && !excepted(operand, value)
	case "prefix":
		return present && strings.HasPrefix(value, text)
	case "suffix":
		return present && strings.HasSuffix(value, text)
	case "equals-ignore-case":
		return present && strings.EqualFold(value, text)
	case "wildcard":
		return present && wildcard(text, value)
	case "numeric":
		return false
	case "cidr":
		network, err := netip.ParsePrefix(text)
		address, addressErr := netip.ParseAddr(value)
		return err == nil && addressErr == nil && network.Contains(address)
	}
	return true
}

// excepted reports whether anything-but names the value: a string, a list of them, or an operator of its own.
func excepted(operand any, value string) bool {
	switch o := operand.(type) {
	case []any:
		return slices.ContainsFunc(o, func(one any) bool { return one == value })
	case map[string]any:
		return matches(o, value, true)
	}
	return operand == value
}

// wildcard matches a pattern in which * stands for any text.
func wildcard(pattern, value string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == value
	}
	rest, ok := strings.CutPrefix(value, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok = strings.Cut(rest, part)
		if !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, last)
}
