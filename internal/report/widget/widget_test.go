package widget

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	function = "arn:aws:lambda:us-west-2:111122223333:function:certdrift-widget"
	acmARN   = "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a"
	hostile  = "\x1b[31m</style><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3) ' javascript:alert(4) \u202e"
)

// round is so many endpoints; the first has a critical finding and stands behind a listener.
func round(n int) report.Input {
	in := report.Input{FailOn: finding.Critical}
	in.Round.Started, in.Round.Finished = noon, noon
	for i := range n {
		in.Round.Endpoints = append(in.Round.Endpoints, observation.Endpoint{Probed: true, Target: target.Endpoint{
			Environment: []string{"production", "staging"}[i%2], Name: fmt.Sprintf("e%03d", n-i), Kind: target.HTTPS, Port: 443,
			URL: fmt.Sprintf("https://e%03d.example.org/", n-i),
		}})
	}
	first := &in.Round.Endpoints[0].Target
	first.LoadBalancer, first.Declared = &target.LoadBalancerRef{Name: "a1b2c3", Port: 443}, &target.Declared{ARN: acmARN}
	in.Round.LoadBalancers = []observation.LoadBalancer{{Name: "a1b2c3", Region: "us-west-2", Listeners: []observation.Listener{{
		Port: 443, Protocol: "HTTPS", Certificates: []observation.Attachment{{ARN: acmARN + "ff", Default: true}}}}}}
	in.Conclusion = finding.Conclusion{Complete: true, Findings: []finding.Finding{{
		Code: finding.DriftAttached, Severity: finding.Critical, Environment: first.Environment, Endpoint: first.Name, Summary: "it drifted",
	}}}
	return in
}

func parsed(t *testing.T, drawn string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(drawn))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func inner(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func all(root *html.Node, tag string) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestTable(t *testing.T) {
	in := Input{Report: report.Build(round(4)), Function: function, Incidents: []incident.Record{{
		Opened: noon, First: noon.Add(-time.Hour), Code: finding.DriftAttached, Affects: []string{"production/e004"},
		Acknowledged: &incident.Acknowledgement{By: "jane"},
	}}}
	root := parsed(t, HTML(in))
	rows := all(root, "tr")
	if len(rows) != 5 || len(all(rows[0], "th")) != 6 {
		t.Fatalf("%d rows", len(rows))
	}
	first := inner(rows[1])
	for _, want := range []string{"e004", "critical", "drift-attached", "≠", "since 2026-11-23 11:00", "acknowledged by jane"} {
		if !strings.Contains(first, want) {
			t.Errorf("the broken endpoint does not stand first with %q: %s", want, first)
		}
	}
	var links []string
	for _, a := range all(rows[1], "a") {
		links = append(links, attribute(a, "href"))
	}
	for _, want := range []string{
		"https://e004.example.org/", "https://us-west-2.console.aws.amazon.com/acm/home?region=us-west-2#/certificates/0b7d2f3aff",
		"https://us-west-2.console.aws.amazon.com/ec2/home?region=us-west-2#LoadBalancers:search=a1b2c3",
	} {
		if !slices.Contains(links, want) {
			t.Errorf("no link to %s in %v", want, links)
		}
	}
}

func TestSortAndChoose(t *testing.T) {
	r := report.Build(round(4))
	names := func(q Query) string {
		var out []string
		for _, tr := range all(parsed(t, HTML(Input{Report: r, Function: function, Query: q})), "tr")[1:] {
			out = append(out, inner(all(all(tr, "th")[0], "a")[0]))
		}
		return strings.Join(out, " ")
	}
	for q, want := range map[Query]string{
		{}:                       "e004 e002 e001 e003",
		{Sort: ByEndpoint}:       "e001 e002 e003 e004",
		{Sort: ByEnvironment}:    "e002 e004 e001 e003",
		{Sort: "'; drop"}:        "e004 e002 e001 e003",
		{Environment: "staging"}: "e001 e003",
		{Environment: "nowhere"}: "",
	} {
		if got := names(q); got != want {
			t.Errorf("%+v: %s, want %s", q, got, want)
		}
	}
}

// TestActionsComeBack holds that each action's text is the query that the function is called with.
func TestActionsComeBack(t *testing.T) {
	root := parsed(t, HTML(Input{Report: report.Build(round(4)), Function: function, Query: Query{Environment: "staging"}}))
	actions := all(root, "cwdb-action")
	if len(actions) < 4 {
		t.Fatalf("%d actions", len(actions))
	}
	for _, a := range all(root, "a") {
		if href := attribute(a, "href"); strings.HasPrefix(href, "#") { // it would change the console's own page
			t.Errorf("a link leads to %q", href)
		}
	}
	sorts := map[string]bool{}
	for _, a := range actions {
		var q Query
		if err := json.Unmarshal([]byte(inner(a)), &q); err != nil || attribute(a, "endpoint") != function || attribute(a, "action") != "call" {
			t.Errorf("an action says %q to %s: %v", inner(a), attribute(a, "endpoint"), err)
		}
		sorts[q.Sort] = true
		if before := a.PrevSibling; before == nil || before.Data != "a" {
			t.Error("an action stands behind no link")
		}
	}
	for _, by := range []string{ByEnvironment, ByEndpoint, ByDays} {
		if !sorts[by] {
			t.Errorf("nothing sorts by %s", by)
		}
	}
}

// TestNothingRemoteRuns puts hostile text wherever it can come from, and reads the HTML as a browser does.
func TestNothingRemoteRuns(t *testing.T) {
	in := round(3)
	for i := range in.Round.Endpoints {
		e := &in.Round.Endpoints[i].Target
		e.Environment, e.Name, e.URL = hostile+fmt.Sprint(i), hostile, "javascript:alert(1)//"+hostile
	}
	lb := &in.Round.LoadBalancers[0]
	lb.Region, lb.Listeners[0].Certificates[0].ARN = "evil.example/"+hostile, "arn:aws:acm:evil.example/:1:"+hostile
	in.Conclusion.Findings[0].Environment, in.Conclusion.Findings[0].Endpoint = hostile+"0", hostile
	in.Conclusion.Findings[0].Code, in.Conclusion.Findings[0].Summary = finding.Code(hostile), hostile
	drawn := HTML(Input{Report: report.Build(in), Function: function, Notes: []string{hostile}, Incidents: []incident.Record{{
		Opened: noon, Code: finding.Code(hostile), Affects: []string{hostile + "0/" + hostile}, Acknowledged: &incident.Acknowledgement{By: hostile},
	}}})
	if strings.ContainsAny(drawn, "\x1b\u202e") {
		t.Error("what is invisible stands in the HTML")
	}
	for n := range parsed(t, drawn).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "img", "iframe", "use", "form"}, n.Data) {
			t.Errorf("a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "href" && a.Val != "#" && !strings.HasPrefix(a.Val, "https://us-west-2.console.aws.amazon.com/") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	drawn := HTML(Input{Report: report.Build(round(5000)), Function: function})
	if len(drawn) > Limit+4096 {
		t.Errorf("%d bytes", len(drawn))
	}
	rows := all(parsed(t, drawn), "tr")
	if last := inner(rows[len(rows)-1]); !strings.Contains(last, fmt.Sprintf("and %d more", 5000-(len(rows)-2))) {
		t.Errorf("%d rows, and the last says %q", len(rows), last)
	}
}

// What is wrong beside the endpoints stands above the table: alerts that nobody hears, and what only the functions see.
func TestWhatNoRowShows(t *testing.T) {
	input := round(2)
	for i := range 12 {
		input.Conclusion.Findings = append(input.Conclusion.Findings, finding.Finding{
			Code: finding.ListenerUnmanaged, Severity: finding.Warning, Listener: fmt.Sprintf("lb%d:443", i), Summary: hostile,
		})
	}
	input.Conclusion.Findings = append(input.Conclusion.Findings,
		finding.Finding{Code: finding.AlertPathBroken, Severity: finding.Critical, Summary: "nobody is subscribed", Cause: "alerts:topic"},
		finding.Finding{Code: finding.AlertPathBroken, Severity: finding.Critical, Environment: "staging", Summary: "staging is unheard"},
		finding.Finding{Code: finding.ACMRenewalIneligible, Severity: finding.Info, Summary: "worth knowing"})
	finding.Sort(input.Conclusion.Findings)
	in := Input{Report: report.Build(input), Incidents: []incident.Record{
		{Opened: noon, First: noon.Add(-time.Hour), Code: finding.AlertPathBroken, Cause: "alerts:topic"},
		{Opened: noon, First: noon, Code: finding.ObserveDenied, Severity: finding.Warning, Findings: []finding.Finding{{Summary: "the role lacks a right"}}},
	}}
	drawn := HTML(in)
	root := parsed(t, drawn)
	items := all(root, "li")
	if len(items) != 11 || !strings.Contains(inner(items[0]), "critical alert-path-broken: nobody is subscribed (incident since 2026-11-23 11:00)") ||
		!strings.Contains(inner(items[10]), "and 4 more") {
		t.Errorf("%d items, the first %q", len(items), inner(items[0]))
	}
	if len(all(root, "script")) > 0 || len(all(root, "img")) > 0 || strings.Contains(inner(root), "worth knowing") {
		t.Error("what is not to be shown is shown")
	}
	if strings.Count(inner(root), "the role lacks a right (incident since 2026-11-23 12:00)") != 1 {
		t.Error("an incident that the widget's round does not see is not shown once")
	}
	for i := range 5000 {
		in.Incidents = append(in.Incidents, incident.Record{Opened: noon, First: noon, Code: finding.ListenerMissing, Key: fmt.Sprint(i), Findings: []finding.Finding{{Summary: hostile}}})
	}
	if drawn := HTML(in); len(drawn) > Limit || !strings.Contains(drawn, "and 4991 more incidents") {
		t.Errorf("with thousands of incidents the table has %d bytes", len(drawn))
	}
	in.Query.Environment = "production"
	if narrowed := inner(parsed(t, HTML(in))); strings.Contains(narrowed, "staging is unheard") || !strings.Contains(narrowed, "nobody is subscribed") {
		t.Errorf("production alone: %s", narrowed)
	}
	if quiet := HTML(Input{Report: report.Build(report.Input{FailOn: finding.Critical})}); strings.Contains(quiet, "<ul>") {
		t.Error("nothing is wrong, and yet there is a list")
	}
}

// TestConsoleLinks: each partition has a console of its own; what is no region's name leads nowhere.
func TestConsoleLinks(t *testing.T) {
	for region, want := range map[string]string{
		"us-west-2": "https://us-west-2.console.aws.amazon.com/x", "cn-north-1": "https://cn-north-1.console.amazonaws.cn/x",
		"us-gov-west-1": "https://us-gov-west-1.console.amazonaws-us-gov.com/x", "eusc-de-east-1": "https://eusc-de-east-1.console.amazonaws-eusc.eu/x",
		"": "", "evil.example.org/": "", "us-west": "",
	} {
		if got := console(region, "/x"); got != want {
			t.Errorf("the console of %q is %q, want %q", region, got, want)
		}
	}
}
