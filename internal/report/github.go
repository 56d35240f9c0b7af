package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// annotationLimit is how many annotations of a kind GitHub shows for one step.
// https://docs.github.com/en/rest/checks/runs and the runner's own limit.
const annotationLimit = 10

// WriteGitHub writes workflow commands: an annotation for each finding, at the line of the configuration or manifest
// that it belongs to, ten of a kind, then a plain line that says how many more there are.
func WriteGitHub(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	written := map[finding.Severity]int{}
	for _, f := range r.Findings {
		if written[f.Severity]++; written[f.Severity] <= annotationLimit {
			annotate(b, r, f)
		}
	}
	for _, s := range []finding.Severity{finding.Critical, finding.Warning, finding.Info} {
		if more := written[s] - annotationLimit; more > 0 {
			fmt.Fprintf(b, "and %s\n", prose.Count(more, "more "+s.String()+" finding"))
		}
	}
	for i, n := range r.Notes() {
		if i == annotationLimit {
			break
		}
		fmt.Fprintf(b, "· %s  %s\n", n.Endpoint, n.Text)
	}
	fmt.Fprintln(b, CountingLine(r))
	return b.Flush()
}

func annotate(w io.Writer, r Report, f finding.Finding) {
	command := map[finding.Severity]string{finding.Critical: "error", finding.Warning: "warning"}[f.Severity]
	if command == "" {
		command = "notice"
	}
	var properties []string
	if p := r.position(f); p.File != "" {
		properties = append(properties, "file="+gitHubProperty(p.File))
		if p.Line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", p.Line))
		}
		if p.Column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", p.Column))
		}
	}
	properties = append(properties, "title="+gitHubProperty(string(f.Code)+" "+where(f)))
	message := append(lines(f.Summary), lines(f.Remedy)...)
	fmt.Fprintf(w, "::%s %s::%s\n", command, strings.Join(properties, ","), gitHubData(strings.TrimSpace(strings.Join(message, "\n"))))
}

// gitHubData escapes a command's text as GitHub's own toolkit does (actions/toolkit, core/src/command.ts).
func gitHubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// gitHubProperty escapes a command's property, which may hold neither colon nor comma either.
func gitHubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
