package judge

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func configInvalid() rule {
	return rule{
		Code: finding.ConfigInvalid,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, d := range j.Round.Diagnostics {
				found = append(found, diagnosticFinding(d))
			}
			for _, p := range j.Ambiguous() {
				found = append(found, ambiguous(p))
			}
			return found
		},
	}
}

func diagnosticFinding(d observation.Diagnostic) finding.Finding {
	evidence := finding.Evidence{"message": finding.Clean(d.Message, finding.QuoteLimit)}
	summary, at := cmp.Or(finding.Clean(d.Message, finding.QuoteLimit), "an error without a message"), topology.Position(d.Position)
	if at != "" {
		summary = at + ": " + summary
	}
	remedy := "Fix the file"
	if at != "" {
		remedy = "Fix " + at
	}
	remedy += "; `certdrift validate` shows all errors at once."
	if d.Hint != "" {
		evidence["hint"] = finding.Clean(d.Hint, finding.QuoteLimit)
		remedy = sentence(finding.Clean(d.Hint, finding.QuoteLimit)) + " " + remedy
	}
	return finding.Finding{
		Code: finding.ConfigInvalid, Severity: finding.Critical, Environment: d.Environment, Endpoint: d.Endpoint,
		Subject: finding.Subject{Source: finding.Source{File: finding.Clean(d.File, finding.QuoteLimit), Line: d.Line, Column: d.Column}},
		Summary: summary, Evidence: evidence, Remedy: remedy, Cause: fmt.Sprintf("config:%s", at),
	}
}

// sentence capitalizes a text and ends it with a period.
func sentence(text string) string {
	if first, size := utf8.DecodeRuneInString(text); !strings.HasPrefix(text, "certdrift") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

func ambiguous(p topology.Placement) finding.Finding {
	var names []string
	for _, lb := range p.Candidates[:min(len(p.Candidates), topology.MaxNames)] {
		names = append(names, fmt.Sprintf("%s %s in %s/%s", lb.Kind, finding.Clean(lb.Name, 64), finding.Clean(lb.Region, 64), finding.Clean(lb.Account, 64)))
	}
	evidence := finding.Evidence{"candidates": names, "named": finding.Clean(p.Named, finding.QuoteLimit)}
	if at := topology.Position(p.Endpoint.Target.Source); at != "" {
		evidence["configured_at"] = at
	}
	f := finding.Finding{
		Code: finding.ConfigInvalid, Severity: finding.Critical,
		Summary:  fmt.Sprintf("%s matches %d load balancers; the endpoint's listener is not monitored", finding.Clean(p.Named, finding.QuoteLimit), len(p.Candidates)),
		Evidence: evidence, Remedy: "Name the intended one: load_balancer: {name: …, port: …, region: …}.",
	}
	topology.Affect(&f, []*topology.Endpoint{p.Endpoint})
	return f
}
