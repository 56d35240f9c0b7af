package config

import (
	"fmt"
	"path"
	"slices"
	"time"
	_ "time/tzdata" // Lambda's provided.al2023 has no time zones of its own

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/judge"
)

// silences takes the silences and maintenance windows. One that has ended is no fault: a configuration does not go bad
// by itself.
func (b *builder) silences() []incident.Silence {
	var out []incident.Silence
	for i := range b.in.Silences {
		in := &b.in.Silences[i]
		if !b.given(in) {
			continue
		}
		before := len(b.faults)
		s := incident.Silence{
			Environment: in.Match.Environment, Endpoint: in.Match.Endpoint, Code: in.Match.Code,
			From: in.From.Time, Until: in.Until.Time, Reason: in.Reason,
		}
		b.match(in)
		if in.Weekly != nil && b.given(in.Weekly) {
			s.Weekly = b.weekly(in.Weekly)
		} else if !b.mentioned(&in.Until) && (in.Weekly == nil || !b.rejected[in.Weekly]) {
			b.wrong(nil, "the silence", in, &mistake{"has no end", "add until: 2027-01-01T00:00:00Z, or weekly: for a maintenance window"})
		}
		if b.given(&in.From) && b.given(&in.Until) && !in.Until.After(in.From.Time) {
			b.wrong(nil, "until", &in.Until, &mistake{"is not after from", "let the silence end after it begins"})
		}
		if before == len(b.faults) {
			out = append(out, s)
		}
	}
	return out
}

// match checks the patterns of a silence. A code's pattern must fit a code: a silence with a slip in it would silence
// nothing, and be believed.
func (b *builder) match(in *Silence) {
	m := &in.Match
	patterns := 0
	for _, p := range []struct {
		key  string
		text *string
	}{{"environment", &m.Environment}, {"endpoint", &m.Endpoint}, {"code", &m.Code}} {
		if b.mentioned(p.text) {
			patterns++
		}
		if !b.given(p.text) {
			continue
		}
		if _, err := path.Match(*p.text, ""); err != nil {
			b.wrong(nil, p.key, p.text, &mistake{finding.Quote(*p.text) + " is no pattern", `use * and ?; write \[ for a bracket`})
		} else if p.key == "code" && !fitsACode(*p.text) {
			b.wrong(nil, p.key, p.text, &mistake{finding.Quote(*p.text) + " fits no finding's code", "docs/findings.md lists the codes"})
		}
	}
	if patterns == 0 && b.given(&in.Match) {
		b.wrong(nil, "match", &in.Match, &mistake{"matches everything", `name an environment, an endpoint or a code; environment: "*" for all`})
	}
}

func fitsACode(pattern string) bool {
	return slices.ContainsFunc(codes(), func(code string) bool {
		ok, _ := path.Match(pattern, code)
		return ok
	})
}

func codes() []string {
	var all []string
	for _, entry := range judge.Catalogue() {
		all = append(all, string(entry.Code))
	}
	return all
}

// weekly takes a window; it lasts past midnight where its end is not after its beginning.
func (b *builder) weekly(in *Weekly) *incident.Weekly {
	out := &incident.Weekly{Start: time.Duration(in.From), Length: time.Duration(in.To - in.From)}
	if out.Length <= 0 {
		out.Length += 24 * time.Hour
	}
	for _, day := range in.Days {
		out.Days = append(out.Days, time.Weekday(day))
	}
	if !b.given(&in.Timezone) {
		return out
	}
	location, err := time.LoadLocation(in.Timezone)
	if err != nil || in.Timezone == "Local" {
		b.wrong(nil, "timezone", &in.Timezone, &mistake{fmt.Sprintf("%s is not known", finding.Quote(in.Timezone)), "write an IANA name such as Europe/Zurich or UTC"})
		return out
	}
	out.Location = location
	return out
}
