package incident

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
)

// ledger is the month as a table: a row for each happening with the messages that reported it, and one for each message
// that reported nothing real.
type ledger struct {
	text          string
	noise, misses int
}

// late is how long an alert may take: confirmation, a silence that ends.
const late = 35 * time.Minute

func tabulate(script []happening, sent []Notice, rounds int) ledger {
	told := make([][]Notice, len(script))
	var stray []Notice
	for _, n := range sent {
		if i := cause(script, n); i >= 0 {
			told[i] = append(told[i], n)
		} else {
			stray = append(stray, n)
		}
	}
	var l ledger
	var b strings.Builder
	fmt.Fprintf(&b, "A month, %d rounds: %d happenings, %d messages.\n\n", rounds, len(script), len(sent))
	row(&b, "what happened", "from", "to", []string{"what was sent"})
	for i, h := range script {
		noise, misses := compare(h, told[i])
		l.misses += len(misses)
		lines := make([]string, 0, len(told[i])+len(misses))
		for j, n := range told[i] {
			if noise[j] {
				l.noise++
			}
			lines = append(lines, describe(n, noise[j]))
		}
		for _, d := range misses {
			lines = append(lines, fmt.Sprintf("MISSING: %s %s", d.event, d.severity))
		}
		if len(lines) == 0 {
			lines = []string{"nothing, as it should be"}
		}
		row(&b, h.what, h.from.Format("Mon 02 15:04"), h.to.Format("Mon 02 15:04"), lines)
	}
	for _, n := range stray {
		l.noise++
		row(&b, "nothing", "", "", []string{describe(n, true)})
	}
	fmt.Fprintf(&b, "\nnoise %d, misses %d\n", l.noise, l.misses)
	l.text = b.String()
	return l
}

// compare holds what was sent of a happening against what is due: which of it is too much, and what was not sent, or late.
func compare(h happening, told []Notice) (noise []bool, misses []due) {
	misses = slices.Clone(h.due)
	for _, n := range told {
		at := slices.Index(misses, due{n.Event, n.Severity})
		noise = append(noise, at < 0)
		if at >= 0 && (n.Event != Opened || n.At.Sub(h.from) <= late) {
			misses = slices.Delete(misses, at, at+1)
		}
	}
	return noise, misses
}

// cause is the happening that a message reports: the latest that had begun, and ended less than an hour before. All that
// a summary sums up must be of it.
func cause(script []happening, n Notice) int {
	found := -1
	for i, h := range script {
		fits := !n.At.Before(h.from) && n.At.Before(h.to.Add(time.Hour)) && all(n.Each(), h.causes)
		if fits && (found < 0 || script[found].from.Before(h.from)) {
			found = i
		}
	}
	return found
}

// causes reports whether the notice is of an incident that the happening causes.
func (h happening) causes(n Notice) bool {
	return slices.ContainsFunc(h.keys, func(pattern string) bool {
		ok, err := path.Match("production "+pattern, n.Record.Key)
		return ok && err == nil
	})
}

func describe(n Notice, noise bool) string {
	what := string(n.Event)
	switch {
	case n.Removed:
		what += " (removed)"
	case n.Downgraded:
		what += " (downgraded)"
	}
	text := fmt.Sprintf("%s  %-19s %-8s  %s", n.At.Format("Mon 02 15:04"), what, n.Severity, n.Record.Code)
	switch {
	case n.Storm != nil:
		text += fmt.Sprintf(", %d incidents", len(n.Storm))
	case n.Record.AffectsCount > 1:
		text += fmt.Sprintf(", %d endpoints", n.Record.AffectsCount)
	}
	if noise {
		text += "  NOISE"
	}
	return text
}

func row(b *strings.Builder, what, from, to string, lines []string) {
	for i, line := range lines {
		if i > 0 {
			what, from, to = "", "", ""
		}
		fmt.Fprintf(b, "%-68s | %-12s | %-12s | %s\n", what, from, to, line)
	}
}

// The table must be able to fail: what is too much, what is missing, and what comes too late are each counted.
func TestTheLedgerCounts(t *testing.T) {
	script := []happening{{"x", day(1, 0, 0), day(1, 2, 0), nil, []string{"endpoint:x *"}, []due{{Opened, finding.Critical}, {Recovered, finding.Critical}}}}
	notice := func(key string, event Event, at time.Time) Notice {
		return Notice{Event: event, Severity: finding.Critical, At: at, Record: Record{Key: "production " + key}}
	}
	opened, over := notice("endpoint:x http", Opened, day(1, 0, 5)), notice("endpoint:x http", Recovered, day(1, 2, 5))
	summary := notice("endpoint:x http", Opened, day(1, 0, 5))
	summary.Storm = []Notice{opened, notice("endpoint:y http", Opened, day(1, 0, 5))}
	for name, c := range map[string]struct {
		sent          []Notice
		noise, misses int
	}{
		"as due":                         {[]Notice{opened, over}, 0, 0},
		"nothing":                        {nil, 0, 2},
		"less severe":                    {[]Notice{{Event: Opened, Severity: finding.Warning, At: opened.At, Record: opened.Record}, over}, 1, 1},
		"twice":                          {[]Notice{opened, notice("endpoint:x http", Opened, day(1, 0, 10)), over}, 1, 0},
		"of something else":              {[]Notice{opened, over, notice("endpoint:y http", Opened, day(1, 0, 5))}, 1, 0},
		"too late":                       {[]Notice{notice("endpoint:x http", Opened, day(1, 1, 0)), over}, 0, 1},
		"long after":                     {[]Notice{opened, notice("endpoint:x http", Recovered, day(1, 4, 0))}, 1, 1},
		"a summary that says more":       {[]Notice{summary, over}, 1, 1},
		"a recovery and no alert at all": {[]Notice{over}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if l := tabulate(script, c.sent, 1); l.noise != c.noise || l.misses != c.misses {
				t.Errorf("noise %d, misses %d, want %d, %d\n%s", l.noise, l.misses, c.noise, c.misses, l.text)
			}
		})
	}
}
