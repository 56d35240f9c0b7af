package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/policy"

	"pgregory.net/rapid"
)

// due1 is a notice of an incident in production, of a code, by an author.
func due1(key string, code finding.Code, author string) Notice {
	f := finding.Finding{Code: code, Severity: finding.Critical, Endpoint: key}
	if author != "" {
		f.Attribution.Change = &finding.Change{Name: author}
	}
	return Notice{Event: Opened, Severity: finding.Critical, At: at(0), Findings: []finding.Finding{f}, Record: Record{
		Key: "production " + key, Environment: "production", Code: code, First: at(0), Affects: []string{"production/" + key}, AffectsCount: 1,
	}}
}

// messages are the keys of each message's incidents.
func messages(notices []Notice) []string {
	var out []string
	for _, n := range notices {
		var keys []string
		for _, each := range n.Each() {
			keys = append(keys, strings.TrimPrefix(each.Record.Key, "production "))
		}
		out = append(out, strings.Join(keys, "+"))
	}
	return out
}

func TestBundle(t *testing.T) {
	with := func(n Notice, change func(*Notice)) Notice { change(&n); return n }
	var causes, endpoints []Notice
	for i := range 11 {
		causes = append(causes, due1(fmt.Sprintf("c%02d", i), finding.DriftAttached, fmt.Sprint("person", i)))
		endpoints = append(endpoints, due1(fmt.Sprintf("e%02d", i), finding.HTTPStatus, ""))
	}
	a, b := due1("a", finding.DriftAttached, "jane"), due1("b", finding.DriftAttached, "jane")
	for name, c := range map[string]struct {
		notices []Notice
		want    string
	}{
		"one":                               {[]Notice{a}, "a"},
		"one change of two listeners":       {[]Notice{a, b}, "a+b"},
		"one code of which nobody is known": {[]Notice{due1("a", finding.HTTPStatus, ""), due1("b", finding.HTTPStatus, "")}, "a+b"},
		"two people":                        {[]Notice{a, due1("b", finding.DriftAttached, "john")}, "a, b"},
		"two codes":                         {[]Notice{a, due1("b", finding.DriftServed, "jane")}, "a, b"},
		"two environments":                  {[]Notice{a, with(b, func(n *Notice) { n.Record.Environment = "staging" })}, "a, b"},
		"an alert and a reminder":           {[]Notice{a, with(b, func(n *Notice) { n.Event = Reminder })}, "a, b"},
		"two reminders":                     {[]Notice{with(a, func(n *Notice) { n.Event = Reminder }), with(b, func(n *Notice) { n.Event = Reminder })}, "a+b"},
		"two all-clears":                    {[]Notice{with(a, func(n *Notice) { n.Event = Recovered }), with(b, func(n *Notice) { n.Event = Recovered })}, "a+b"},
		"resolved and removed":              {[]Notice{with(a, func(n *Notice) { n.Event = Recovered }), with(b, func(n *Notice) { n.Event, n.Removed = Recovered, true })}, "a, b"},
		"resolved and downgraded":           {[]Notice{with(a, func(n *Notice) { n.Event = Recovered }), with(b, func(n *Notice) { n.Event, n.Downgraded = Recovered, true })}, "a, b"},
		"two downgraded":                    {[]Notice{with(a, func(n *Notice) { n.Event, n.Downgraded = Recovered, true }), with(b, func(n *Notice) { n.Event, n.Downgraded = Recovered, true })}, "a+b"},
		"two topics":                        {[]Notice{due1("a", finding.AlertPathBroken, ""), due1("b", finding.AlertPathBroken, "")}, "a, b"},
		"two topics, no state": {[]Notice{
			with(due1("a", finding.AlertPathBroken, ""), func(n *Notice) { n.Repetition = true }), with(due1("b", finding.AlertPathBroken, ""), func(n *Notice) { n.Repetition = true }),
		}, "a, b"},
		"ten causes":                  {causes[:10], "c00, c01, c02, c03, c04, c05, c06, c07, c08, c09"},
		"eleven causes":               {causes, "c00+c01+c02+c03+c04+c05+c06+c07+c08+c09+c10"},
		"eleven endpoints, one cause": {endpoints, "e00+e01+e02+e03+e04+e05+e06+e07+e08+e09+e10"},
		"no state":                    {[]Notice{with(a, func(n *Notice) { n.Repetition = true }), with(due1("b", finding.DriftServed, ""), func(n *Notice) { n.Repetition = true })}, "a+b"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(messages(Bundle(policy.DefaultAlerting(), c.notices)), ", "); got != c.want {
				t.Errorf("messages %s, want %s", got, c.want)
			}
		})
	}
}

// A combined notice says of all of its incidents only what is true of each.
func TestWhatACombinedNoticeSays(t *testing.T) {
	a, b := due1("a", finding.CertExpiring, ""), due1("b", finding.CertExpiring, "")
	a.Record.First, b.Record.First = at(5), at(2)
	a.Before, b.Before = finding.Warning, finding.None
	a.Predicted, b.Undelivered, b.Repetition = true, true, true
	b.Record.AffectsCount, b.Severity = 3, finding.Warning
	got := Bundle(policy.DefaultAlerting(), []Notice{b, a})
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	n := got[0]
	if n.Severity != finding.Critical || n.Before != finding.None || n.Predicted || n.Undelivered || !n.Repetition || !n.Record.First.Equal(at(2)) || !n.OneCause() {
		t.Errorf("%+v", n)
	}
	if !slices.Equal(n.Record.Affects, []string{"production/a", "production/b"}) || n.Record.AffectsCount != 4 {
		t.Errorf("it affects %v, %d", n.Record.Affects, n.Record.AffectsCount)
	}
	if n.Record.Key != "production a" || len(a.Record.Affects) != 1 {
		t.Errorf("key %q", n.Record.Key)
	}
}

// Whatever a round has to say is said, once, in a message of its own kind.
func TestBundlingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in []Notice
		for i := range rapid.IntRange(0, 40).Draw(t, "notices") {
			n := due1(fmt.Sprint(i), rapid.SampledFrom([]finding.Code{finding.DriftAttached, finding.HTTPStatus, finding.AlertPathBroken}).Draw(t, "code"),
				rapid.SampledFrom([]string{"", "jane", "john"}).Draw(t, "author"))
			n.Event = rapid.SampledFrom([]Event{Opened, Reminder, Recovered}).Draw(t, "event")
			n.Record.Environment = rapid.SampledFrom([]string{"", "production", "staging"}).Draw(t, "environment")
			n.Severity = rapid.SampledFrom([]finding.Severity{finding.Warning, finding.Critical}).Draw(t, "severity")
			n.Removed = n.Event == Recovered && rapid.Bool().Draw(t, "removed")
			n.Repetition = rapid.Bool().Draw(t, "repetition")
			in = append(in, n)
		}
		seen := map[string]int{}
		for _, n := range Bundle(policy.Alerting{StormAfter: rapid.IntRange(0, 12).Draw(t, "storm after")}, in) {
			for _, each := range n.Each() {
				seen[each.Record.Key]++
				if kindOf(each) != kindOf(n) || each.Severity > n.Severity {
					t.Fatalf("a message of %v has an incident of %v", kindOf(n), kindOf(each))
				}
			}
		}
		for _, n := range in {
			if seen[n.Record.Key] != 1 {
				t.Fatalf("%q is in %d messages", n.Record.Key, seen[n.Record.Key])
			}
		}
	})
}
