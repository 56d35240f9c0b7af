package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's provided.al2023 has no time zones of its own

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// silences returns the silences and maintenance windows. One that has ended is not an error: a configuration must not become
// invalid by itself.
func (b *builder) silences() []policy.Silence {
	var out []policy.Silence
	slipped := len(b.in.Environments) == 0 && len(b.diagnostics) > 0 // a misspelled key is reported already
	for i := range b.in.Silences {
		in := &b.in.Silences[i]
		if !b.given(in) {
			continue
		}
		before := len(b.diagnostics)
		s := policy.Silence{
			Environment: in.Match.Environment, Endpoint: in.Match.Endpoint, Code: in.Match.Code,
			From: in.From.Time, Until: in.Until.Time, Reason: in.Reason,
		}
		if b.match(in) && !slipped && !b.spent {
			b.checkMatches(in, s)
		}
		if in.Weekly != nil && b.given(in.Weekly) {
			s.Weekly = b.weekly(in.Weekly)
		} else if !b.mentioned(&in.Until) && (in.Weekly == nil || !b.rejected[in.Weekly]) {
			b.wrong(nil, "the silence", in, &mistake{"has no end", "add until: 2027-01-01T00:00:00Z, or weekly: for a maintenance window"})
		}
		if b.given(&in.From) && b.given(&in.Until) && !in.Until.After(in.From.Time) {
			b.wrong(nil, "until", &in.Until, &mistake{"is not after from", "let the silence end after it begins"})
		}
		if before == len(b.diagnostics) {
			out = append(out, s)
		}
	}
	return out
}

// match checks the patterns of a silence and reports whether they are valid. A pattern for codes must match a code: a
// misspelled silence would silence nothing without anyone noticing.
func (b *builder) match(in *Silence) (good bool) {
	m := &in.Match
	patterns, before := 0, len(b.diagnostics)
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
			b.wrong(nil, p.key, p.text, &mistake{finding.Quote(*p.text) + " is not a valid pattern", `use * and ?; write \[ for a bracket`})
		} else if p.key == "code" && !matchesCode(*p.text) {
			b.wrong(nil, p.key, p.text, &mistake{finding.Quote(*p.text) + " matches no finding code", "docs/findings.md lists the codes"})
		}
	}
	if patterns == 0 && b.given(&in.Match) {
		b.wrong(nil, "match", &in.Match, &mistake{"matches everything", `name an environment, an endpoint or a code; environment: "*" for all`})
	}
	return before == len(b.diagnostics)
}

// checkMatches checks that a silence matches an environment and an endpoint of the file, which has all of them: manifests and
// AWS add none. A pattern such as "*" is correct even if there are none.
func (b *builder) checkMatches(in *Silence, s policy.Silence) {
	if s.Concerns("", "") {
		return
	}
	known := slices.Sorted(maps.Keys(b.in.Environments))
	within := slices.DeleteFunc(slices.Clone(known), func(env string) bool {
		return !policy.Silence{Environment: s.Environment}.Concerns(env, "")
	})
	if len(within) == 0 && s.Environment != "" {
		b.wrong(nil, "environment", &in.Match.Environment, &mistake{finding.Quote(s.Environment) + " matches no environment in this file", matchHint(s.Environment, known)})
		return
	}
	names, whole := b.endpointsOf(within)
	if whole && s.Endpoint != "" && !slices.ContainsFunc(names, func(name string) bool {
		return policy.Silence{Endpoint: s.Endpoint}.Concerns("", name)
	}) {
		what := " matches no endpoint in this file"
		if s.Environment != "" {
			what = " matches no endpoint in " + finding.Quote(s.Environment)
		}
		b.wrong(nil, "endpoint", &in.Match.Endpoint, &mistake{finding.Quote(s.Endpoint) + what, matchHint(s.Endpoint, names)})
	}
}

// endpointsOf returns the names of the endpoints of some environments. whole is false if some names could not be read.
func (b *builder) endpointsOf(environments []string) (names []string, whole bool) {
	whole = true
	for _, env := range environments {
		in := b.in.Environments[env]
		whole = whole && len(in.Endpoints) > 0
		for i := range in.Endpoints {
			name := &in.Endpoints[i].Name
			whole = whole && b.given(name)
			names = append(names, *name)
		}
	}
	return names, whole
}

// matchHint returns the hint for a pattern that matches none of the known names.
func matchHint(pattern string, known []string) string {
	const gone = "if it was removed, remove the silence too"
	if near := nearest(pattern, known); near != "" {
		return fmt.Sprintf("did you mean %q? If it was removed, remove the silence too", near)
	}
	if len(known) == 0 {
		return "there are none; match by code"
	}
	if len(known) > 10 {
		return "write it as it appears under environments; " + gone
	}
	return "expected one of: " + strings.Join(known, ", ") + "; " + gone
}

func matchesCode(pattern string) bool {
	return slices.ContainsFunc(codes(), func(code string) bool {
		ok, _ := path.Match(pattern, code)
		return ok
	})
}

func codes() []string {
	var all []string
	for _, entry := range catalogue.Entries() {
		all = append(all, string(entry.Code))
	}
	return all
}

// weekly returns a window; it extends past midnight if its end is not after its start.
func (b *builder) weekly(in *Weekly) *policy.Weekly {
	out := &policy.Weekly{Start: time.Duration(in.From), Length: time.Duration(in.To - in.From)}
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
