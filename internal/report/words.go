package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// lineLimit bounds a line of a finding; commands in remedies may be long.
const lineLimit = 4000

// where names what a finding is about: ENVIRONMENT/ENDPOINT, its address, its listener.
func where(f finding.Finding) string {
	var parts []string
	switch {
	case f.Endpoint != "":
		parts = append(parts, join2(f.Environment, f.Endpoint))
	case f.Environment != "":
		parts = append(parts, f.Environment)
	}
	if f.Listener != "" {
		parts = append(parts, "listener "+f.Listener)
	}
	if f.Address != "" {
		parts = append(parts, "at "+f.Address)
	}
	if len(parts) == 0 {
		return "certdrift"
	}
	return finding.Clean(strings.Join(parts, " "), textLimit)
}

// join2 is ENVIRONMENT/NAME; NAME alone for a URL of the command line, which has no environment.
func join2(environment, name string) string {
	if environment == "" {
		return name
	}
	return environment + "/" + name
}

// lines are a text of certdrift's own in its lines, each cleaned.
func lines(text string) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		out = append(out, line1(strings.TrimRight(line, " \t\r")))
	}
	return out
}

// line1 is a text as one line. One that began with "::" would be a command to GitHub's runner, indented or not.
func line1(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "::") {
		text = `\` + strings.TrimSpace(text)
	}
	return finding.Clean(text, lineLimit)
}

// fact is one entry of a finding's evidence, ready to show.
type fact struct{ name, value string }

// facts are the evidence sorted by name; what is empty is left out.
func facts(f finding.Finding) []fact {
	e := f.AllEvidence()
	for _, name := range []string{"refused_by", "accepted_by", "clients_not_known"} {
		delete(e, name) // the summary says them
	}
	var out []fact
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if value := valueText(e[name]); value != "" {
			out = append(out, fact{plainName(name), value})
		}
	}
	return out
}

// plainName keeps a name of evidence to letters, digits and what joins them: it begins a line.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			return r
		}
		return '_'
	}, name)
}

// shownValues is how many values of a list the formats for people show; JSON has them all.
const shownValues = 12

// valueText shows a value of evidence: times in UTC to the second, lists with commas. Only a string that holds lines
// itself (a certificate in PEM) comes in several.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.Join(lines(v), "\n")
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case time.Duration:
		return v.String()
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return fmt.Sprintf("%.0f", v)
		}
	case []string:
		return listText(v)
	case fmt.Stringer:
		return finding.Clean(v.String(), lineLimit)
	}
	return compound(v)
}

func compound(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return finding.Clean(fmt.Sprint(v), lineLimit)
	}
	var list []any
	if json.Unmarshal(raw, &list) == nil {
		var items []string
		for _, item := range list {
			items = append(items, valueText(item))
		}
		return listText(items)
	}
	var object map[string]any
	if json.Unmarshal(raw, &object) == nil {
		var items []string
		for _, name := range slices.Sorted(maps.Keys(object)) {
			items = append(items, finding.Clean(name, textLimit)+"="+valueText(object[name]))
		}
		return strings.Join(items, " ")
	}
	return finding.Clean(strings.Trim(string(raw), `"`), lineLimit)
}

func listText(items []string) string {
	var shown []string
	for _, item := range items[:min(len(items), shownValues)] {
		shown = append(shown, finding.Clean(item, textLimit))
	}
	if more := len(items) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

// tally counts findings by severity.
func tally(fs []finding.Finding) map[finding.Severity]int {
	by := map[finding.Severity]int{}
	for _, f := range fs {
		by[f.Severity]++
	}
	return by
}

// leftText returns the time left in its largest unit: days, or hours where there are fewer than two days.
func leftText(left time.Duration) string {
	switch {
	case left < 0:
		return "expired"
	case left < 48*time.Hour:
		return prose.Count(int(left/time.Hour), "hour") + " left"
	}
	return prose.Count(int(left/(24*time.Hour)), "day") + " left"
}

// agoText is the time since an end in the unit that matters: "3 days ago", "5 hours ago".
func agoText(since time.Duration) string {
	switch {
	case since < time.Hour:
		return "less than an hour ago"
	case since < 48*time.Hour:
		return prose.Count(int(since/time.Hour), "hour") + " ago"
	}
	return prose.Count(int(since/(24*time.Hour)), "day") + " ago"
}

// CountingLine sums the report up in one line, as terraform plan ends.
func CountingLine(r Report) string {
	if r.Plan != nil {
		return planLine(r)
	}
	states := map[State]int{}
	for _, e := range r.Endpoints {
		states[e.State]++
	}
	by := tally(r.Findings)
	line := fmt.Sprintf("Check: %d critical, %s, %d info; %d of %s ok",
		by[finding.Critical], prose.Count(by[finding.Warning], "warning"), by[finding.Info], states[OK], prose.Count(len(r.Endpoints), "endpoint"))
	if n := states[Unknown]; n > 0 {
		line += fmt.Sprintf(", %d not checked", n)
	}
	if n := len(r.Listeners); n > 0 {
		line += ", " + prose.Count(n, "listener") + " read"
	}
	line += "."
	if !r.Complete {
		line += " Incomplete: some checks could not be run."
	}
	return line
}

// earliest is when the first leaf of an endpoint's addresses ends, of both certificates of a pair; ok is false without one. Only leaves count: an
// expired certificate above one, beside a valid path, is no problem.
func earliest(e Endpoint) (end time.Time, ok bool) {
	for _, a := range e.Addresses {
		leaves := a.Chain[:min(len(a.Chain), 1)]
		if a.Other.Second() {
			leaves = append(slices.Clone(leaves), a.Other.Chain[0])
		}
		for _, c := range leaves {
			if !c.NotAfter.IsZero() && (!ok || c.NotAfter.Before(end)) {
				end, ok = c.NotAfter, true
			}
		}
	}
	return end, ok
}

// health is a healthy endpoint in a line: what it answered, how long its certificate lives, how fast it was.
func health(r Report, e Endpoint) string {
	if e.State == Unknown {
		return "not checked in this round"
	}
	var parts []string
	if len(e.Addresses) != 1 {
		parts = append(parts, fmt.Sprintf("%d addresses", len(e.Addresses)))
	}
	if end, ok := earliest(e); ok {
		parts = append(parts, leftText(end.Sub(r.At))+" ("+end.Format("2006-01-02")+")")
	}
	if len(e.Addresses) > 0 {
		a := e.Addresses[0]
		if a.Protocol != nil {
			parts = append(parts, a.Protocol.Version)
		}
		if a.HTTP != nil {
			parts = append(parts, fmt.Sprintf("%s %d", a.HTTP.Proto, a.HTTP.Status))
		}
		parts = append(parts, fmt.Sprintf("%.0f ms", slowest(e)))
	}
	if e.Listener != "" {
		parts = append(parts, "behind "+e.Listener)
	}
	return strings.Join(parts, " · ")
}

func slowest(e Endpoint) float64 {
	most := 0.0
	for _, a := range e.Addresses {
		most = max(most, a.Phases.Total)
	}
	return most
}
