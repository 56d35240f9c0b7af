package judge

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"certdrift/internal/finding"
)

func configInvalid() rule {
	return rule{
		Code: finding.ConfigInvalid,
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for i := range w.round.Diagnostics {
				found = append(found, faultFinding(w, i))
			}
			for _, p := range w.ambiguous {
				found = append(found, p.ambiguous())
			}
			return found
		},
	}
}

func faultFinding(w *world, i int) finding.Finding {
	fault := w.round.Diagnostics[i]
	evidence := finding.Evidence{"message": finding.Clean(fault.Message, finding.QuoteLimit)}
	if fault.File != "" {
		evidence["file"] = finding.Clean(fault.File, finding.QuoteLimit)
	}
	if fault.Line > 0 {
		evidence["line"] = fault.Line
	}
	if fault.Column > 0 {
		evidence["column"] = fault.Column
	}
	summary, at := cmp.Or(finding.Clean(fault.Message, finding.QuoteLimit), "a fault without a message"), place(fault.Position)
	if at != "" {
		summary = at + ": " + summary
	}
	remedy := "Mend the file"
	if at != "" {
		remedy = "Mend " + at
	}
	remedy += "; `certdrift validate` shows all faults at once."
	if fault.Hint != "" {
		evidence["hint"] = finding.Clean(fault.Hint, finding.QuoteLimit)
		remedy = sentence(finding.Clean(fault.Hint, finding.QuoteLimit)) + " " + remedy
	}
	return finding.Finding{
		Code: finding.ConfigInvalid, Severity: finding.Critical, Environment: fault.Environment, Endpoint: fault.Endpoint,
		Summary: summary, Evidence: evidence, Remedy: remedy, Cause: fmt.Sprintf("config:%s", at),
	}
}

// sentence begins with a capital letter and ends with a mark.
func sentence(text string) string {
	if first, size := utf8.DecodeRuneInString(text); !strings.HasPrefix(text, "certdrift") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

func (p placement) ambiguous() finding.Finding {
	var names []string
	for _, lb := range p.candidates[:min(len(p.candidates), shownNames)] {
		names = append(names, fmt.Sprintf("%s %s in %s/%s", lb.Kind, finding.Clean(lb.Name, 64), finding.Clean(lb.Region, 64), finding.Clean(lb.Account, 64)))
	}
	evidence := finding.Evidence{"candidates": names, "named": finding.Clean(p.what, finding.QuoteLimit)}
	if at := place(p.endpoint.Target.Source); at != "" {
		evidence["configured_at"] = at
	}
	return p.endpoint.finding(finding.ConfigInvalid, finding.Critical,
		fmt.Sprintf("%s fits %d load balancers; the endpoint's listener is not watched", finding.Clean(p.what, finding.QuoteLimit), len(p.candidates)),
		evidence, "Name the one that is meant: load_balancer: {name: …, port: …, region: …}.")
}
