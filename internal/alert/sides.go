package alert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
)

// maxCertificates is how many certificates of one side are shown.
const maxCertificates = 6

// truth is one of the sides of a drift.
type truth struct {
	name    string
	facts   []any // a certificate each: a map; or what else the finding tells
	differs bool  // from what is declared, or from the first where nothing is
}

// truths are the sides that the finding tells of, what ought to be first.
func truths(f finding.Finding) []truth {
	var out []truth
	for _, name := range []string{"declared", "manifest", "attached", "served"} {
		v := f.Evidence[name]
		if render(v) == "" {
			continue
		}
		t := truth{name: name, facts: list(v)}
		if len(out) > 0 {
			t.differs = differs(out[0].facts, t)
		}
		out = append(out, t)
	}
	return recognised(out)
}

// recognised gives what is served, which only its fingerprint names, the ARN of the side that has the same.
func recognised(sides []truth) []truth {
	arns := map[string]string{}
	for _, t := range sides {
		for _, fact := range t.facts {
			if m, ok := fact.(map[string]any); ok && render(m["arn"]) != "" {
				arns[render(m["fingerprint_sha256"])] = render(m["arn"])
			}
		}
	}
	delete(arns, "")
	for _, t := range sides {
		for i, fact := range t.facts {
			m, ok := fact.(map[string]any)
			if !ok || render(m["arn"]) != "" {
				continue
			}
			if arn := arns[render(m["fingerprint_sha256"])]; arn != "" {
				m = maps.Clone(m)
				m["held_by"] = arn
				t.facts[i] = m
			}
		}
	}
	return sides
}

// list is a side's certificates; a side may be one, or several.
func list(v any) []any {
	switch v := v.(type) {
	case []any:
		return slices.Clone(v)
	case []map[string]any:
		out := make([]any, 0, len(v))
		for _, m := range v {
			out = append(out, m)
		}
		return out
	}
	return []any{v}
}

// differs compares a side with the first. A listener may hold others beside the right one; each that is served counts.
func differs(first []any, t truth) bool {
	matching := 0
	for _, fact := range t.facts {
		for _, f := range first {
			if !differ(f, fact) {
				matching++
				break
			}
		}
	}
	if t.name == "served" {
		return matching < len(t.facts)
	}
	return matching == 0
}

// differ compares two certificates by what tells certificates apart, as far as both sides know it: the fingerprint, else
// the ARN, and so on. A certificate keeps its ARN when it is renewed, and two ARNs may hold the same certificate. Where
// both know nothing in common, nothing is claimed.
func differ(a, b any) bool {
	left, ok := a.(map[string]any)
	right, also := b.(map[string]any)
	if !ok || !also {
		return render(a) != render(b)
	}
	for _, name := range []string{"fingerprint_sha256", "arn", "issuer", "names"} {
		if x, y := render(left[name]), render(right[name]); x != "" && y != "" {
			return x != y
		}
	}
	return right["none"] != nil
}

// sides shows the truths under one another: what a certificate is called, for whom, until when; below it what tells it
// apart for certain. Of what is over the first lines are enough.
func (s *story) sides(l *letter) {
	sides := truths(s.first)
	if len(sides) == 0 {
		return
	}
	title := "Declared, attached, served"
	if s.over() {
		title += ", when it was last seen wrong"
	}
	l.heading(title)
	for _, t := range sides {
		mark, name := " ", t.name
		if t.differs {
			mark = "!"
		}
		for i, fact := range t.facts[:min(len(t.facts), maxCertificates)] {
			if i > 0 {
				mark, name = " ", "" // the first of a side speaks for it
			}
			l.marked(mark, name, headOf(fact, s.At))
			if !s.over() {
				l.details(fact)
			}
		}
		if left := len(t.facts) - maxCertificates; left > 0 {
			l.marked(" ", "", fmt.Sprintf("and %d more", left))
		}
	}
	if slices.ContainsFunc(sides, func(t truth) bool { return t.differs }) {
		l.prose(mailIndent, "! marks another certificate than the "+sides[0].name+" one.")
	}
}

// details are the lines below a certificate's first, further in.
func (l *letter) details(fact any) {
	m, ok := fact.(map[string]any)
	if !ok {
		return
	}
	indent := mailIndent + strings.Repeat(" ", labelWidth+3)
	for _, text := range []string{render(m["arn"]), after("SHA-256 ", render(m["fingerprint_sha256"])), after("declared at ", render(m["at"])),
		after("at ", render(m["addresses"]))} {
		l.prose(indent, text)
	}
}

func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// short is a side on one line.
func (t truth) short(now time.Time) string {
	var heads []string
	for _, fact := range t.facts[:min(len(t.facts), maxCertificates)] {
		heads = append(heads, headOf(fact, now))
	}
	if left := len(t.facts) - len(heads); left > 0 {
		heads = append(heads, fmt.Sprintf("and %d more", left))
	}
	return finding.Clean(strings.Join(heads, "; "), 2*maxValue)
}

// headOf is a certificate on one line: a short id, its names, its end.
func headOf(fact any, now time.Time) string {
	m, ok := fact.(map[string]any)
	if !ok {
		return render(fact)
	}
	id := shortID(m)
	if m["none"] != nil {
		id = after("no certificate, ", render(m["protocol"]))
	}
	var pieces []string
	for _, p := range []string{id, after("issued by ", render(m["issuer"])), after("for ", someNames(m)), until(m["not_after"], now)} {
		if p != "" {
			pieces = append(pieces, p)
		}
	}
	if m["missing"] != nil {
		pieces = append(pieces, "GONE")
	}
	if len(pieces) == 0 {
		return render(fact)
	}
	return strings.Join(pieces, ", ")
}

// shortID is enough of an ARN, or else of a fingerprint, to tell certificates apart at a glance.
func shortID(m map[string]any) string {
	if arn := cmp.Or(render(m["arn"]), render(m["held_by"])); arn != "" {
		kind, id, _ := strings.Cut(arn[strings.LastIndexByte(arn, ':')+1:], "/")
		if parts := strings.Split(id, "-"); kind == "certificate" && len(parts) == 5 { // ACM's ids are UUIDs
			return kind + "/" + parts[0] + "…"
		}
		return strings.Trim(kind+"/"+id, "/")
	}
	if sum := render(m["fingerprint_sha256"]); len(sum) > 16 {
		return "SHA-256 " + sum[:16] + "…"
	} else if sum != "" {
		return "SHA-256 " + sum
	}
	return ""
}

// someNames are a certificate's first names.
func someNames(m map[string]any) string {
	const most = 3
	names := list(m["names"])
	if texts, ok := m["names"].([]string); ok {
		names = nil
		for _, n := range texts {
			names = append(names, n)
		}
	}
	var shown []string
	for _, n := range names[:min(len(names), most)] {
		if text := render(n); text != "" {
			shown = append(shown, text)
		}
	}
	text := strings.Join(shown, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// until is a certificate's end. From a saved incident it comes as text.
func until(v any, now time.Time) string {
	end, ok := v.(time.Time)
	if text, isText := v.(string); isText {
		var err error
		end, err = time.Parse(time.RFC3339, text)
		ok = err == nil
	}
	if !ok {
		return after("until ", render(v))
	}
	if end.Before(now) {
		return "EXPIRED " + end.UTC().Format(time.DateOnly)
	}
	return "until " + end.UTC().Format(time.DateOnly)
}
