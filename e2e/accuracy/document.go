package main

import (
	"fmt"
	"io"
	"strings"

	"certdrift/e2e/servers"
	"certdrift/internal/finding"
)

// The marks of the table.
const (
	named    = "● named"
	detected = "○ detected"
	missed   = "missed"
	clean    = "ok"
	alarmed  = "false alarm"
	notAsked = "–"
)

func mark(c servers.Case, a servers.Answer) string {
	switch {
	case !a.Asked:
		return notAsked
	case len(c.Want) == 0 && a.Detected:
		return alarmed
	case len(c.Want) == 0:
		return clean
	case a.Named:
		return named
	case a.Detected:
		return detected
	}
	return missed
}

// document writes the tables, and above them what they come to.
func document(w io.Writer, groups []servers.Group, rows map[string][]servers.Answer, versions []string) {
	fmt.Fprintf(w, `# Accuracy

Made by `+"`make accuracy`"+` (`+"`go run ./e2e/accuracy`"+`), which starts every server below on loopback and really runs all
three tools against each: certdrift, %s and s_client of %s. `+"`make e2e`"+` holds certdrift to the same servers.

How they are asked:

| tool | command |
| --- | --- |
| certdrift | `+"`certdrift check -c FILE --format json`"+` |
| curl | `+"`curl -sS -L --fail --ssl-reqd --cacert CA --connect-to … --max-time 2 URL`"+`: one address, no expectations beyond the status |
| openssl s_client | `+"`openssl s_client -connect … -servername HOST -verify_hostname HOST -verify_return_error -CAfile CA`"+`: one address, no HTTP |

What the marks mean:

| mark | means |
| --- | --- |
| %s | it fails, and says the cause; each of them where there are several. certdrift: exactly these findings, no others |
| %s | it fails, in words that may mean something else ("unable to get local issuer certificate") |
| %s | it is content with a server that is not right |
| %s | content with a healthy server |
| %s | it fails on a healthy server |
| %s | not asked: it does not speak the protocol, the program is not here, or the answer would have to leave this machine |

A tool that does not look at something, such as s_client at HTTP, misses it here as it would in a pipeline.
curl and s_client do what they are for; the table says what a check made of them would see.

`, versions[0], versions[1], named, detected, missed, clean, alarmed, notAsked)
	totals(w, groups, rows)
	notHere(w)
	for _, g := range groups {
		table(w, g, rows)
	}
}

// totals counts the marks of each tool.
func totals(w io.Writer, groups []servers.Group, rows map[string][]servers.Answer) {
	tools := servers.Tools()
	counts := make([]map[string]int, len(tools))
	for i := range counts {
		counts[i] = map[string]int{}
	}
	for _, g := range groups {
		for _, c := range g.Cases {
			for i, a := range rows[c.Name] {
				counts[i][mark(c, a)]++
			}
		}
	}
	fmt.Fprint(w, "## In all\n\n| tool | defects named | detected only | missed | healthy servers passed | false alarms | not asked |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for i, t := range tools {
		n := counts[i]
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d |\n", t.Name, n[named], n[detected], n[missed], n[clean], n[alarmed], n[notAsked])
	}
}

// notHere says which findings no server below gives, so that "every defect" can be held to.
func notHere(w io.Writer) {
	fmt.Fprint(w, "\n## Not in the tables, and why\n\nEvery other code of docs/findings.md is in them.\n\n| finding | why no server here has it | what holds certdrift to it |\n| --- | --- | --- |\n")
	for _, a := range servers.NotHere() {
		what := a.What
		if what == "" {
			what = quoted(a.Codes)
		}
		fmt.Fprintf(w, "| %s | %s | `%s` |\n", what, a.Why, strings.Join(a.Where, "`, `"))
	}
}

func quoted(codes []finding.Code) string {
	var all []string
	for _, code := range codes {
		all = append(all, "`"+string(code)+"`")
	}
	return strings.Join(all, " ")
}

func table(w io.Writer, g servers.Group, rows map[string][]servers.Answer) {
	fmt.Fprintf(w, "\n## %s\n\n| server | findings |", g.Title)
	for _, t := range servers.Tools() {
		fmt.Fprintf(w, " %s |", t.Name)
	}
	fmt.Fprint(w, "\n| --- | --- | --- | --- | --- |\n")
	for _, c := range g.Cases {
		fmt.Fprintf(w, "| %s | %s |", c.Name, quoted(c.Want))
		for i := range servers.Tools() {
			shown := notAsked
			if answers := rows[c.Name]; i < len(answers) {
				shown = mark(c, answers[i])
			}
			fmt.Fprintf(w, " %s |", shown)
		}
		fmt.Fprintln(w)
	}
}
