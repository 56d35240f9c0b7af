package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

// poisoned is the fixture with hostile text wherever a server, a resolver or a file could have put some.
func poisoned(t testing.TB, poison string) report.Report {
	in := fixture(t)
	for i := range in.Round.Endpoints {
		e := &in.Round.Endpoints[i]
		e.Target.URL += poison
		e.DNS.CanonicalName = poison
		for j := range e.Addresses {
			a := &e.Addresses[j]
			a.Failure = &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Other, Alert: poison, Detail: poison}
			if a.TLS != nil {
				a.TLS.ALPN, a.Withheld = poison, poison
				a.TLS.Revocation = []observation.Revocation{{Source: observation.CRL, URL: poison, Status: observation.NoAnswer, Detail: poison}}
			}
			if a.HTTP != nil {
				a.HTTP.Location, a.HTTP.Proto = poison, poison
				a.HTTP.Hops = []observation.Hop{{URL: poison, Blocked: poison}}
			}
		}
	}
	// A file of observations may come from anywhere, its configuration's own words too.
	own := target.Endpoint{Environment: poison, Name: poison, URL: poison, Source: target.Position{File: poison, Line: 1}}
	in.Round.Endpoints = append(in.Round.Endpoints, observation.Endpoint{Target: own, Probed: true})
	in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
		Code: finding.DNSFailure, Severity: finding.Critical, Environment: poison, Endpoint: poison,
	})
	in.Round.Certificates[0].Chain = nil
	in.Round.Certificates[0].Names = []string{poison}
	in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
		Code: finding.HTTPBody, Severity: finding.Critical, Environment: "production", Endpoint: poison, Address: poison, Listener: poison,
		Summary: poison, Remedy: poison,
		Evidence: finding.Evidence{"text": poison, "list": []string{poison}, "map": map[string]string{poison: poison}, "file": poison, poison: poison},
	})
	return report.Build(in)
}

// FuzzHostileText holds for every format that no server's text leaves it: no control character, no bidirectional
// control, and nothing that the format's reader takes for its own.
func FuzzHostileText(f *testing.F) {
	for _, poison := range []string{
		hostile, "::error::owned", "\n::error::owned", "\r\n::set-output name=x::y", "]]>", "| a | b |", "`",
		"</pre><script>alert(1)</script>", "\"} 1\nowned 1", "\u2028::error::owned", "\\", "=\"\\\n", "a ##[stop-commands]b", "##vso[x]",
	} {
		f.Add(poison)
	}
	f.Fuzz(func(t *testing.T, poison string) {
		r := poisoned(t, poison)
		for name, write := range writers() {
			out := render(t, write, r)
			for _, c := range out {
				if c != '\n' && (unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)) {
					t.Fatalf("%s holds %U", name, c)
				}
			}
			if command := agentCommand.FindString(out); command != "" {
				t.Errorf("%s holds a build server's command: %q", name, command)
			}
			breaks(t, name, out)
		}
	})
}

var (
	// GitHub's and Azure's agents look for these anywhere in a line (actions/runner, ActionCommand.cs).
	agentCommand = regexp.MustCompile(`##[a-zA-Z]*\[`)
	sample       = regexp.MustCompile(`^[a-z_]+(\{([a-z0-9_]+="([^"\\\n]|\\["\\n])*",?)*\})? [-+.e0-9]+$`)
	annotation   = regexp.MustCompile(`^(::(error|warning|notice) ([a-z]+=[^:,]*,?)+::|Check: |and \d+ more |· )`)
)

// breaks fails where a format's reader would take text for structure.
func breaks(t *testing.T, name, out string) {
	t.Helper()
	switch name {
	case "text.txt", "verbose.txt":
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("a line is a workflow command: %q", line)
			}
		}
	case "json.json", "sarif.sarif":
		if !json.Valid([]byte(out)) {
			t.Error("not JSON")
		}
	case "junit.xml":
		dec := xml.NewDecoder(strings.NewReader(out))
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("not XML: %v", err)
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
				t.Error("an element of the server's own")
			}
		}
	case "github.txt":
		for line := range strings.Lines(out) {
			if !annotation.MatchString(line) {
				t.Errorf("neither an annotation nor a counting line: %q", line)
			}
		}
	case "prometheus.prom":
		for line := range strings.Lines(out) {
			if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "# ") && !sample.MatchString(line) {
				t.Errorf("not a sample: %q", line)
			}
		}
	case "markdown.md":
		if strings.Contains(out, "<script") || strings.Contains(strings.ReplaceAll(out, "</pre>\n", ""), "</pre>") {
			t.Error("markup of the server's own")
		}
		for line := range strings.Lines(regexp.MustCompile(`(?s)<pre>.*?</pre>`).ReplaceAllString(out, "")) {
			if strings.HasPrefix(line, "| ") && strings.Count(line, "|") != 5 {
				t.Errorf("a row of another width: %q", line)
			}
		}
	}
}

func TestGitHubShowsTenOfAKind(t *testing.T) {
	in := fixture(t)
	in.Conclusion.Findings = nil
	for i := range 14 {
		in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
			Code: finding.CertExpired, Severity: finding.Critical, Endpoint: fmt.Sprint("e", i), Summary: "expired"})
	}
	in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{Code: finding.HTTPSlow, Severity: finding.Warning, Summary: "slow"})
	out := render(t, report.WriteGitHub, report.Build(in))
	if got := strings.Count(out, "::error "); got != 10 {
		t.Errorf("%d errors, want 10", got)
	}
	if !strings.Contains(out, "\nand 4 more critical findings\n") || strings.Contains(out, "more warning") || strings.Count(out, "::warning ") != 1 {
		t.Errorf("the rest is not counted as it should be:\n%s", out)
	}
}

func TestMarkdownFitsAComment(t *testing.T) {
	in := fixture(t)
	for i := range 500 {
		in.Conclusion.Findings = append(in.Conclusion.Findings, finding.Finding{
			Code: finding.CertExpired, Severity: finding.Critical, Endpoint: fmt.Sprint("e", i),
			Summary: strings.Repeat("<long>|", 200), Remedy: strings.Repeat("x", 5000)})
	}
	if out := render(t, report.WriteMarkdown, report.Build(in)); len([]rune(out)) > 65536 {
		t.Errorf("%d characters: GitHub takes 65,536", len([]rune(out)))
	}
}
