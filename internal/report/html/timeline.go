package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// The bounds of the timeline: how many certificates it draws, and how far it looks back and ahead, in days.
const (
	shownEnds = 60
	daysBack  = 30
	daysAhead = 400
)

// timeline shows when certificates end, the soonest first.
type timeline struct {
	Rows  []ending
	More  int
	Ticks []tick
}

// ending is one certificate's end. From and Width are percent of the picture's width.
type ending struct {
	Name, Where string
	End         string
	Left        left
	From, Width float64
	Class       string
}

type tick struct {
	At    float64
	Label string
	Now   bool
}

// left is the time left, in words, and how bad that is.
type left struct{ Text, Class string }

// certificate is a leaf with those that use it.
type certificate struct {
	name  string
	end   time.Time
	users []string
	worst finding.Severity
}

func (b builder) left(end time.Time, found finding.Severity) left {
	remaining := end.Sub(b.At)
	class := "ok"
	switch {
	case remaining < 0 || found == finding.Critical:
		class = "critical"
	case found == finding.Warning:
		class = "warning"
	}
	text := report.LeftText(remaining)
	if remaining < 0 {
		text = "expired " + report.AgoText(-remaining)
	}
	return left{text, class}
}

// lifeSeverity is the worst of the findings that are about a certificate's end: of the first of a pair, or of the other.
func lifeSeverity(fs []finding.Finding, other bool) finding.Severity {
	worst := finding.None
	for _, f := range fs {
		if f.Subject.Other != other {
			continue
		}
		switch f.Code {
		case finding.CertExpired, finding.CertExpiring, finding.ListenerCertExpired, finding.ListenerCertExpiring:
			worst = max(worst, f.Severity)
		}
	}
	return worst
}

// certificates are all leaves served or attached, the first to end first.
func (b builder) certificates() []certificate {
	known := map[string]*certificate{}
	add := func(fingerprint, name string, end time.Time, user string, worst finding.Severity) {
		if end.IsZero() {
			return
		}
		c := known[fingerprint]
		if c == nil {
			c = &certificate{name: name, end: end}
			known[fingerprint] = c
		}
		if !slices.Contains(c.users, user) {
			c.users = append(c.users, user)
		}
		c.worst = max(c.worst, worst)
	}
	for _, e := range b.Endpoints {
		for _, c := range comparison.Leaves(e) {
			add(c.FingerprintSHA256, comparison.Title(c), c.NotAfter, comparison.Name(e), lifeSeverity(e.Findings(), false))
		}
		for _, c := range comparison.OtherLeaves(e) {
			add(c.FingerprintSHA256, comparison.Title(c), c.NotAfter, comparison.Name(e), lifeSeverity(e.Findings(), true))
		}
	}
	for _, l := range b.Listeners {
		for _, a := range l.Certificates {
			if a.NotAfter == nil {
				continue
			}
			name := comparison.ShortARN(a.ARN)
			if len(a.Names) > 0 {
				name = a.Names[0]
			}
			add(cmp.Or(a.FingerprintSHA256, a.ARN), name, *a.NotAfter, "listener "+l.Listener, lifeSeverity(l.Findings(), false))
		}
	}
	var all []certificate
	for _, c := range known {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b certificate) int {
		return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.name, b.name), slices.Compare(a.users, b.users))
	})
	return all
}

func (b builder) timeline() timeline {
	all := b.certificates()
	if len(all) == 0 {
		return timeline{}
	}
	shown := all[:min(len(all), shownEnds)]
	days := func(t time.Time) float64 { return t.Sub(b.At).Hours() / 24 }
	back, ahead := 0.0, 60.0
	for _, c := range shown {
		back, ahead = max(back, -days(c.end)), max(ahead, days(c.end)*1.05)
	}
	back, ahead = min(back, daysBack), min(ahead, daysAhead)
	x := func(day float64) float64 {
		return math.Round(10_000*(min(max(day, -back), ahead)+back)/(ahead+back)) / 100
	}
	t := timeline{More: len(all) - len(shown), Ticks: ticks(back, ahead, x)}
	for _, c := range shown {
		from, to := x(0), x(days(c.end))
		row := ending{
			Name: c.name, Where: users(c.users, fewUsers), End: prose.Day(c.end), Left: b.left(c.end, c.worst),
			From: min(from, to), Width: max(math.Abs(to-from), 0.4),
		}
		row.Class = row.Left.Class
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ticks stand at now and at whole months of 30 days, as many as can be read.
func ticks(back, ahead float64, x func(float64) float64) []tick {
	step := 30.0
	for ahead/step > 7 {
		step *= 2
	}
	marks := []tick{{x(0), "now", true}}
	if back > 15 {
		marks = slices.Insert(marks, 0, tick{x(-back), fmt.Sprintf("−%.0f d", back), false})
	}
	for d := step; d < ahead*0.97; d += step {
		marks = append(marks, tick{x(d), fmt.Sprintf("%.0f d", d), false})
	}
	return marks
}

// fewUsers is how many of those that use a thing stand beside it.
const fewUsers = 4

// users names those that use a thing, the first of them, cleaned.
func users(names []string, shown int) string {
	var out []string
	for _, name := range names[:min(len(names), shown)] {
		out = append(out, finding.Clean(name, 200))
	}
	text := strings.Join(out, ", ")
	if more := len(names) - len(out); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
