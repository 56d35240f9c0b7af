// Package prose formats text for people: paragraphs at a width, days, times and durations. It is pure.
package prose

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Wrap breaks a paragraph at spaces into lines of at most width characters. A longer word stays whole, and so does what
// stands between backticks: it is meant to be copied. It returns no lines for an empty paragraph.
func Wrap(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range words(text) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines, line, length = append(lines, line), "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words splits at spaces outside of backticks.
func words(text string) []string {
	var out []string
	open := ""
	for _, w := range strings.Fields(text) {
		if open != "" {
			w = open + " " + w
		}
		if open = ""; strings.Count(w, "`")%2 == 1 {
			open = w
			continue
		}
		out = append(out, w)
	}
	if open != "" {
		out = append(out, strings.Fields(open)...) // a backtick that nothing closes
	}
	return out
}

// Day returns the date in UTC: "2026-11-23".
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Stamp returns the minute in UTC: "2026-11-23 02:14 UTC".
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Second returns the second in UTC: "2026-11-23 02:14:05 UTC".
func Second(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Span returns a duration in its largest unit: "3 days", "80 minutes", "a minute".
func Span(d time.Duration) string {
	switch d = d.Abs(); {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " hours"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	return "a minute"
}

// Count returns a number with its noun: "1 finding", "2 findings".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Brief leaves out of a text what certificates are for and until when, where that stands beside it: "certificate/0b7d2f3a… (for *.example.org,
// until 2027-04-29)".
func Brief(text string) string {
	for {
		before, rest, found := strings.Cut(text, " (for ")
		_, after, closed := strings.Cut(rest, ")")
		if !found || !closed {
			return text
		}
		text = before + after
	}
}

// Breakable adds to an escaped text where HTML may break a line: behind the punctuation of names, URLs and ARNs.
func Breakable(escaped string) string {
	return strings.NewReplacer("://", "://", "/", "/<wbr>", ".", ".<wbr>", ":", ":<wbr>", "@", "@<wbr>").Replace(escaped)
}
