package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"certdrift/internal/finding"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitProblem `xml:"failure"`
	Error     *junitProblem `xml:"error"`
	SystemOut *junitText    `xml:"system-out"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// WriteJUnit writes the report as JUnit XML: a suite per environment with a case per endpoint, a suite for the
// listeners, and one for what concerns neither. Findings that fail the report are a case's failure, the others stand
// in its output; what was not checked is an error. Most readers take one failure a case, so it holds all of them.
func WriteJUnit(w io.Writer, r Report) error {
	all := junitSuites{Name: "certdrift", Time: seconds(r.Finished.Sub(r.Started).Seconds())}
	suites := map[string]*junitSuite{}
	var order []string
	add := func(suite string, c junitCase) {
		s := suites[suite]
		if s == nil {
			s = &junitSuite{Name: finding.Clean(suite, textLimit), Timestamp: r.Started.Format(time.RFC3339)}
			suites[suite] = s
			order = append(order, suite)
		}
		s.Cases = append(s.Cases, c)
	}
	covered := map[string]bool{}
	for _, e := range r.Endpoints {
		covered[e.Environment+"/"+e.Name] = true
		c := r.junitCase(orElse(e.Environment, "endpoints"), e.Name, slowest(e)/1000, e.findings)
		if e.State == Unknown && c.Failure == nil {
			c.Error = &junitProblem{Message: "not checked in this round", Type: string(finding.ObserveIncomplete)}
		}
		c.notes(e)
		add(orElse(e.Environment, "endpoints"), c)
	}
	for _, c := range r.planCases() {
		add("plan", c)
	}
	for _, l := range r.Listeners {
		if r.Plan != nil {
			break // the plan's cases cover them
		}
		covered[l.Listener] = true
		add("listeners", r.junitCase("listeners", l.Listener+" "+l.Region, 0, withoutEndpoint(l.findings)))
	}
	rest, places := remaining(r.Findings, covered, r.Plan != nil)
	for _, place := range places {
		add("certdrift", r.junitCase("certdrift", place, 0, rest[place]))
	}
	for _, name := range order {
		s := suites[name]
		s.count()
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, *s)
	}
	return writeXML(w, all)
}

func writeXML(w io.Writer, doc any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		if c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
	}
}

func withoutEndpoint(fs []finding.Finding) []finding.Finding {
	var out []finding.Finding
	for _, f := range fs {
		if f.Endpoint == "" {
			out = append(out, f)
		}
	}
	return out
}

// remaining are the findings that no endpoint's or listener's case covers: those of certdrift itself.
func remaining(fs []finding.Finding, covered map[string]bool, planned bool) (byPlace map[string][]finding.Finding, places []string) {
	byPlace = map[string][]finding.Finding{}
	for _, f := range fs {
		if f.Endpoint != "" && covered[f.Environment+"/"+f.Endpoint] || f.Endpoint == "" && covered[f.Listener] {
			continue
		}
		if planned && f.Code == finding.DriftManifest {
			continue // a row of the plan covers it
		}
		place := where(f)
		if byPlace[place] == nil {
			places = append(places, place)
		}
		byPlace[place] = append(byPlace[place], f)
	}
	return byPlace, places
}

func (r Report) junitCase(class, name string, took float64, fs []finding.Finding) junitCase {
	c := junitCase{ClassName: finding.Clean(class, textLimit), Name: finding.Clean(name, textLimit), Time: seconds(took)}
	var failing, others []finding.Finding
	for _, f := range fs {
		if r.fails(f) || misconfigured(f) {
			failing = append(failing, f)
		} else {
			others = append(others, f)
		}
	}
	if len(failing) > 0 {
		message := failing[0].Summary
		if more := len(failing) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
		c.Failure = &junitProblem{Message: message, Type: string(failing[0].Code), Text: plain(failing)}
	}
	if len(others) > 0 {
		c.SystemOut = &junitText{plain(others)}
	}
	return c
}

// notes adds what could not be learned about an endpoint to its case's output.
func (c *junitCase) notes(e Endpoint) {
	for _, n := range e.notes() {
		if c.SystemOut == nil {
			c.SystemOut = &junitText{}
		}
		c.SystemOut.Text += finding.Clean(line1(n), noteLimit) + "\n"
	}
}

// plain returns findings in plain text, with all their evidence.
func plain(fs []finding.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s %s %s\n%s\n", strings.ToUpper(f.Severity.String()), f.Code, where(f), line1(f.Summary))
		for _, e := range facts(f) {
			fmt.Fprintf(&b, "  %s: %s\n", e.name, e.value)
		}
		if remedy := strings.Join(lines(f.Remedy), "\n"); remedy != "" {
			fmt.Fprintf(&b, "%s\n", remedy)
		}
	}
	return b.String()
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
