package alertpath

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// Kind is what is wrong on the path.
type Kind string

// The kinds: the topic does not exist, or rejects messages; nobody is subscribed; an environment's critical alerts, or
// those of some codes only, reach nobody; a subscription receives nothing; there are fewer than were deployed.
const (
	TopicMissing             Kind = "topic-missing"
	TopicRefuses             Kind = "topic-refuses"
	Nobody                   Kind = "nobody"
	EnvironmentUnreached     Kind = "environment-unheard"
	EnvironmentPartlyReached Kind = "codes-unheard"
	Subscription             Kind = "subscription"
	TooFew                   Kind = "subscriptions-missing"
)

// Problem is one thing that keeps alerts from arriving.
type Problem struct {
	Kind     Kind
	Severity finding.Severity
	// Topic is the ARN; for EnvironmentUnreached and EnvironmentPartlyReached the operators' topic.
	Topic string
	// Environment is set for EnvironmentUnreached and EnvironmentPartlyReached.
	Environment string
	Text        string
	// State and Subscribers are set for Subscription: those of one topic that have the same fault.
	State       State
	Subscribers []Subscriber
	// Codes are set for EnvironmentPartlyReached.
	Codes []finding.Code
}

// path is a topic at work.
type path struct {
	observation.Topic
	subscribers []Subscriber
}

// hears reports whether the topic may have subscribers that receive its messages. What could not be read counts as yes.
func (p path) hears() bool {
	if p.Missing || p.Refused != "" {
		return false
	}
	return !p.Read || p.Partial || slices.ContainsFunc(p.subscribers, Subscriber.Hears)
}

func (p path) gets(attributes map[string]string) bool {
	if p.Missing || p.Refused != "" {
		return false
	}
	return !p.Read || p.Partial || slices.ContainsFunc(p.subscribers, func(s Subscriber) bool { return s.Gets(attributes) })
}

// Problems names all that keeps alerts from arriving, in a stable order: topic by topic, then by environment.
func (a Alerts) Problems(topics []observation.Topic) []Problem {
	var paths []path
	for _, t := range topics {
		paths = append(paths, path{t, a.Judge(t.Subscriptions)})
	}
	var out []Problem
	for i := range paths {
		out = append(out, ofTopic(paths, i)...)
	}
	if slices.ContainsFunc(paths, path.hears) { // else it has been said
		out = append(out, a.unheard(paths)...)
	}
	return out
}

// ofTopic returns the problems of one topic.
func ofTopic(paths []path, i int) []Problem {
	p := paths[i]
	problem := func(kind Kind, severity finding.Severity, format string, args ...any) Problem {
		return Problem{Kind: kind, Severity: severity, Topic: p.ARN, Text: fmt.Sprintf(format, args...)}
	}
	// Chat is a second path beside the topic: without it people are still notified, if the topic has subscribers.
	broken := finding.Critical
	if p.Chat && othersHear(paths, i) {
		broken = finding.Warning
	}
	switch {
	case p.Missing:
		return []Problem{problem(TopicMissing, broken, "the topic %s does not exist, so it delivers no alerts", p.ARN)}
	case p.Refused != "":
		return []Problem{problem(TopicRefuses, broken, "the topic %s rejects messages: %s", p.ARN, finding.Clean(p.Refused, finding.QuoteLimit))}
	}
	out := ofSubscriptions(p)
	switch {
	case !p.hears() && othersHear(paths, i):
		out = append(out, problem(Nobody, finding.Warning, "nobody is subscribed to %s, so it delivers no alerts", p.ARN))
	case !p.hears():
		out = append(out, problem(Nobody, finding.Critical, "nobody is subscribed to %s, so it delivers no alerts", p.ARN))
	default:
		out = append(out, tooFew(p)...)
	}
	return out
}

func othersHear(paths []path, i int) bool {
	return slices.ContainsFunc(slices.Concat(paths[:i], paths[i+1:]), path.hears)
}

// ofSubscriptions returns a problem for each kind of subscription that cannot receive alerts.
func ofSubscriptions(p path) []Problem {
	var out []Problem
	for _, state := range []State{Unconfirmed, Deleted, Never} {
		var bad []Subscriber
		for _, s := range p.subscribers {
			if s.State == state {
				bad = append(bad, s)
			}
		}
		if len(bad) == 0 {
			continue
		}
		names := make([]string, 0, len(bad))
		for _, s := range bad {
			names = append(names, s.Name())
		}
		out = append(out, Problem{
			Kind: Subscription, Severity: finding.Warning, Topic: p.ARN, State: state, Subscribers: bad,
			Text: some(names) + ": " + bad[0].Note,
		})
	}
	return out
}

// Name identifies a subscription to people: its protocol and address. Reports end up in the logs of pipelines, so only the
// last digits of a telephone number are shown.
func (s Subscriber) Name() string {
	endpoint := s.Endpoint
	if s.Protocol == "sms" {
		endpoint = "…" + endpoint[max(0, len(endpoint)-4):]
	}
	return finding.Clean(s.Protocol+" "+endpoint, finding.QuoteLimit)
}

// shown is how many names a text lists.
const shown = 5

func some(names []string) string {
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// tooFew names the protocols by which fewer subscriptions remain than were deployed: SNS removes unconfirmed
// and ended subscriptions within days.
func tooFew(p path) []Problem {
	if !p.Read || p.Partial {
		return nil
	}
	var out []Problem
	want := map[string]int{}
	for _, protocol := range p.Expected {
		want[protocol]++
	}
	for _, protocol := range slices.Compact(slices.Sorted(slices.Values(p.Expected))) {
		have := 0
		for _, s := range p.subscribers {
			if s.Protocol == protocol { // one that receives nothing is reported already
				have++
			}
		}
		if have < want[protocol] {
			out = append(out, Problem{
				Kind: TooFew, Severity: finding.Warning, Topic: p.ARN,
				Text: fmt.Sprintf("%s has %d of the %d subscriptions by %s that were deployed", p.ARN, have, want[protocol], protocol),
			})
		}
	}
	return out
}

// unheard returns the environments whose critical alerts no subscriber of any topic receives.
func (a Alerts) unheard(paths []path) []Problem {
	var out []Problem
	for _, environment := range a.Environments {
		silent := a.silent(paths, environment)
		switch name := finding.Clean(environment, finding.QuoteLimit); {
		case len(silent) == 0:
		case len(silent) == len(a.Critical):
			out = append(out, Problem{
				Kind: EnvironmentUnreached, Severity: finding.Critical, Topic: operators(paths), Environment: environment,
				Text: fmt.Sprintf("a critical alert of %s reaches nobody on %s", name, operators(paths)),
			})
		default:
			out = append(out, Problem{
				Kind: EnvironmentPartlyReached, Severity: finding.Warning, Topic: operators(paths), Environment: environment, Codes: silent,
				Text: fmt.Sprintf("critical alerts of %s for %s reach nobody on %s", name, some(words(silent)), operators(paths)),
			})
		}
	}
	if len(a.Environments) > 0 && len(a.silent(paths, NoEnvironment)) > 0 {
		out = append(out, Problem{
			Kind: EnvironmentUnreached, Severity: finding.Warning, Topic: operators(paths),
			Text: fmt.Sprintf("an alert about certdrift itself (environment %s) reaches nobody on %s", NoEnvironment, operators(paths)),
		})
	}
	return out
}

// silent returns the codes whose critical alerts in an environment reach nobody.
func (a Alerts) silent(paths []path, environment string) []finding.Code {
	var out []finding.Code
	for _, code := range a.Critical {
		if !slices.ContainsFunc(paths, func(p path) bool { return p.gets(critical(environment, code)) }) {
			out = append(out, code)
		}
	}
	return out
}

func words(codes []finding.Code) []string {
	out := make([]string, 0, len(codes))
	for _, c := range codes {
		out = append(out, string(c))
	}
	return out
}

// operators is the topic for people and machines, or the first there is.
func operators(paths []path) string {
	sorted := slices.SortedStableFunc(slices.Values(paths), func(a, b path) int {
		return cmp.Compare(map[bool]int{true: 1}[a.Chat], map[bool]int{true: 1}[b.Chat])
	})
	return sorted[0].ARN
}
