package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
)

// planFixture is a plan of a listener with an SNI list that would break, one that nobody could look up, an object that is not read, one
// that changes and one that stays.
func planFixture() Report {
	yes, no := true, false
	later, past := noon.AddDate(0, 2, 0), noon.AddDate(0, 0, -3)
	certificate := func(arn string, c plan.Certificate) plan.Certificate {
		c.ARN, c.NotAfter = arn, &later
		return c
	}
	const foreign, expired = "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017", "arn:aws:acm:us-west-2:111122223333:certificate/c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803"
	good := certificate(goodARN, plan.Certificate{Names: []string{"monitoring.example.org", "*.monitoring.example.org"}})
	served := good
	served.Default = true
	wrong := certificate(foreign, plan.Certificate{Names: []string{"*.webmonitoring.example.net"}, Default: true})
	extra := certificate(staleARN, plan.Certificate{Names: []string{"shop.example.org"}, Listed: true})
	over := certificate(expired, plan.Certificate{Names: []string{"*.monitoring.example.org"}, Listed: true})
	over.NotAfter = &past
	api := target.Position{File: "k8s/production/api.yaml", Line: 11}
	rows := []plan.Row{
		{State: plan.Refused, Verdict: plan.Refuse, Action: plan.Change, Object: "Ingress production/api", Source: api, Port: 443, Listener: "shop:443", Endpoints: []string{"production/api", "production/shop"},
			Objects:  []plan.Object{{Object: "Ingress production/api", Source: api}, {Object: "Ingress production/shop", Source: target.Position{File: "k8s/production/shop.yaml", Line: 8}}},
			Declared: []plan.Certificate{good}, Attached: []plan.Certificate{served, extra}, AttachedKnown: true, Would: []plan.Certificate{wrong, extra, over}, WouldKnown: true,
			Names: []plan.Name{
				{Name: "api.monitoring.example.org", Covered: &yes, ARN: expired, Now: goodARN, Problem: "expired 2026-11-20"}, {Name: "monitoring.example.org", Covered: &no, ARN: foreign, Now: goodARN, Problem: "does not cover the name"},
				{Name: "shop.example.org", Covered: &yes, ARN: staleARN, Now: staleARN},
			},
			Reasons: []string{"monitoring.example.org would not be covered by server-certificate/web-monitoring-2017 (for *.webmonitoring.example.net, until 2027-01-23)", "undoes the change by Operator of 2026-11-01"},
			Remedy:  "Fix k8s/production/api.yaml:11 (Ingress production/api) before the next apply: declare\n" + goodARN},
		{State: plan.NotDecided, Verdict: plan.Undecided, Action: plan.Unknown, Object: "Service staging/api", Source: target.Position{File: "k8s/staging/api.yaml", Line: 11}, Port: 443, AttachedUnknown: plan.NotLookedUp,
			Endpoints: []string{"staging/api"}, Would: []plan.Certificate{{ARN: staleARN}, {ARN: goodARN}}, Names: []plan.Name{{Name: "api-staging.monitoring.example.org", Candidates: []string{staleARN, goodARN}}},
			NotKnown: []string{"what certificate/9c1e4d77-0a53-4a5e-8f16-2f6f0d1c7e02 contains: whether it covers api-staging.monitoring.example.org and when it expires"},
			Remedy:   "Run certdrift plan without --offline.\ncertificates: [{arn: \"" + staleARN + "\", file: FILE.pem}]"},
		{State: plan.NotDecided, NotRead: true, Verdict: plan.Undecided, Action: plan.Unknown, Object: "a document without a kind", Source: target.Position{File: "values.yaml", Line: 4}, AttachedUnknown: plan.NotLookedUp,
			NotKnown: []string{"what values.yaml:4 (a document without a kind) attaches: certdrift does not read documents without a kind, and this one contains the ARN of a certificate"},
			Remedy:   "Pass what its tool renders instead: manifests, or a plan as JSON."},
		{State: plan.Changes, Verdict: plan.Pass, Action: plan.Change, Object: "aws_lb_listener.https", Source: target.Position{File: "tfplan.json", Line: 1}, Generated: true, Port: 443, Listener: "web:443", Endpoints: []string{"production/www"},
			Declared: []plan.Certificate{good}, Attached: []plan.Certificate{wrong}, AttachedKnown: true, Would: []plan.Certificate{served}, WouldKnown: true,
			Names: []plan.Name{{Name: "www.monitoring.example.org", Covered: &yes, ARN: goodARN, Now: foreign}}, Reasons: []string{"attaches the declared certificate"},
			Remedy: "Find out why:\naws elbv2 remove-listener-certificates --region us-west-2 --listener-arn arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc6c495c0c9188/0467ef3c8400ae65 --certificates CertificateArn=" + staleARN},
		{State: plan.Unchanged, Verdict: plan.Pass, Action: plan.Keep, Object: "Service production/ui", Source: target.Position{File: "k8s/production/ui.yaml", Line: 11}, Port: 443, Listener: "ui:443", Endpoints: []string{"production/ui"},
			Attached: []plan.Certificate{served}, AttachedKnown: true, Would: []plan.Certificate{served}, WouldKnown: true, Names: []plan.Name{{Name: "ui.monitoring.example.org", Covered: &yes, ARN: goodARN, Now: goodARN}}},
	}
	critical := finding.Finding{
		Code: finding.DriftManifest, Severity: finding.Critical, Environment: "production", Summary: "it would break", Listener: "shop:443",
		Subject:  finding.Subject{Source: finding.Source{Object: "Ingress production/api", File: api.File, Line: api.Line}},
		Evidence: finding.Evidence{"would": []string{"monitoring.example.org would not be covered"}},
	}
	denied := finding.Finding{
		Code: finding.ObserveDenied, Severity: finding.Warning, Summary: "certdrift lacks the permission elasticloadbalancing:DescribeLoadBalancers in eu-west-1 in account 111122223333",
		Evidence: finding.Evidence{"action": "elasticloadbalancing:DescribeLoadBalancers"}, Remedy: "Add it to the policy of certdrift's role.",
	}
	return BuildPlan(Input{
		Round: observation.Round{Started: noon, Finished: noon}, FailOn: finding.Critical, Conclusion: finding.Conclusion{Findings: []finding.Finding{critical, denied}},
	}, rows)
}

// TestPlanGolden holds what a plan looks like: text at three widths, Markdown and JUnit.
func TestPlanGolden(t *testing.T) {
	r := planFixture()
	out := map[string]string{"plan.md": render(t, WriteMarkdown, r), "plan.xml": render(t, WriteJUnit, r)}
	for _, width := range []int{60, 80, 120} {
		var b strings.Builder
		if err := WriteText(&b, r, Plain, width); err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("plan-%d.txt", width)] = b.String()
	}
	for name, got := range out {
		compare(t, name, got)
	}
}

// TestPlanStyle: color changes nothing of what a plan says, nor where its lines end.
func TestPlanStyle(t *testing.T) {
	var plain, dressed strings.Builder
	r := planFixture()
	style := func(_ Role, text string) string { return "\x1b[1m" + text + "\x1b[m" }
	if err := WriteText(&plain, r, nil, 80); err != nil {
		t.Fatal(err)
	}
	if err := WriteText(&dressed, r, style, 80); err != nil {
		t.Fatal(err)
	}
	got := strings.NewReplacer("\x1b[1m", "", "\x1b[m", "").Replace(dressed.String())
	if diff := cmp.Diff(plain.String(), got); diff != "" || !strings.Contains(dressed.String(), "\x1b[1m✗ refused") {
		t.Error(diff)
	}
}

// TestFoldLine: no line is wider than asked for but a single word, no word is lost, and a command stays one.
func TestFoldLine(t *testing.T) {
	const command = "aws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1b2c3 --ssl-certificate-id " + goodARN
	for _, line := range []string{"", "word", "a b c", strings.Repeat("word ", 40) + "end", goodARN, "see " + goodARN + " for more of that and of this and of all the others", command} {
		for _, width := range []int{10, 40, 63, 200} {
			lines := foldLine(line, width, 2)
			whole := strings.Join(lines, " ")
			if line == command {
				whole = strings.ReplaceAll(whole, ` \ `, " ")
			}
			if strings.Join(strings.Fields(whole), " ") != strings.TrimSpace(line) {
				t.Errorf("at %d, %q becomes %q", width, line, lines)
			}
			for i, l := range lines {
				if utf8.RuneCountInString(l) > width && len(strings.Fields(strings.TrimSuffix(l, ` \`))) > 1 {
					t.Errorf("wider than %d: %q", width, l)
				}
				if line == command && strings.HasSuffix(l, ` \`) != (i < len(lines)-1) {
					t.Errorf("no command: %q", lines)
				}
			}
		}
	}
	const quoted = "aws elbv2 x --name 'a b  c' --other y"
	if got := foldLine(quoted, 10, 2); len(got) != 1 || got[0] != quoted {
		t.Errorf("a quoted word is broken: %q", got)
	}
	if got := foldLine("a ::error::b", 4, 0); strings.HasPrefix(strings.TrimSpace(got[1]), "::") {
		t.Errorf("a line begins a build server's command: %q", got)
	}
}

// TestPlanIDs: a certificate has the shortest name that no other of the plan has.
func TestPlanIDs(t *testing.T) {
	acm := func(region, id string) string { return "arn:aws:acm:" + region + ":111122223333:certificate/" + id }
	const a, b = "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", "99999999-52c7-4f0e-9d1b-6a8f5a2f1c01"
	for name, c := range map[string]struct {
		arns []string
		want []string
	}{
		"alone":           {[]string{acm("us-west-2", a)}, []string{"…5a2f1c01"}},
		"one end":         {[]string{acm("us-west-2", a), acm("us-west-2", b)}, []string{a, b}},
		"two regions":     {[]string{acm("us-west-2", a), acm("eu-west-1", a)}, []string{acm("us-west-2", a), acm("eu-west-1", a)}},
		"IAM":             {[]string{"arn:aws:iam::1:server-certificate/path/web"}, []string{"web"}},
		"two paths":       {[]string{"arn:aws:iam::1:server-certificate/a/web", "arn:aws:iam::1:server-certificate/b/web"}, []string{"arn:aws:iam::1:server-certificate/a/web", "arn:aws:iam::1:server-certificate/b/web"}},
		"another service": {[]string{acm("us-west-2", a), "arn:aws:iam::1:server-certificate/web"}, []string{"…5a2f1c01", "web"}},
	} {
		var row plan.Row
		for _, arn := range c.arns {
			row.Would = append(row.Would, plan.Certificate{ARN: arn})
		}
		ids := planIDs([]plan.Row{row})
		for i, arn := range c.arns {
			if ids.of(arn) != c.want[i] {
				t.Errorf("%s: %q, want %q", name, ids.of(arn), c.want[i])
			}
		}
	}
}

// TestBoundedColumns: of a long SNI list, what changes is shown, and how many others there are.
func TestBoundedColumns(t *testing.T) {
	row := plan.Row{State: plan.Changes, AttachedKnown: true, WouldKnown: true}
	for i := range 20 {
		c := plan.Certificate{ARN: fmt.Sprintf("arn:aws:iam::1:server-certificate/c%02d", i), Default: i == 0, Listed: i > 0}
		row.Would = append(row.Would, c)
		if i != 19 {
			row.Attached = append(row.Attached, c)
		}
		yes := true
		row.Names = append(row.Names, plan.Name{Name: fmt.Sprintf("n%02d", i), Covered: &yes, ARN: c.ARN})
	}
	no := false
	row.Names[19].Covered, row.Names[19].Problem = &no, "does not cover the name"
	got := PlanRows(Report{Plan: []plan.Row{row}})[0]
	var after []string
	for _, c := range got.After {
		after = append(after, c.Sign+c.Text)
	}
	if want := []string{" c00, default", "+c19, SNI", " c01, SNI", " c02, SNI", " c03, SNI", " c04, SNI", " and 14 more"}; !cmp.Equal(after, want) {
		t.Errorf("%q, want %q", after, want)
	}
	if len(got.Names) != planNames || got.Names[0].Name != "n19" || got.MoreNames != 10 {
		t.Errorf("%d names, the first %q, %d more", len(got.Names), got.Names[0].Name, got.MoreNames)
	}
}

// TestSentences: a sentence of a row names certificates as its columns do, unless that fits several. What is there to be copied stays.
func TestSentences(t *testing.T) {
	const id, other = "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", "77777777-52c7-4f0e-9d1b-6a8f77777777"
	west, east, iam := "arn:aws:acm:us-west-2:1:certificate/"+id, "arn:aws:acm:eu-west-1:1:certificate/"+id, "arn:aws:iam::1:server-certificate/web"
	for text, want := range map[string]struct{ alone, twice string }{
		"x would not be covered by certificate/" + id + " (for y)": {"x would not be covered by …5a2f1c01 (for y)", "x would not be covered by certificate/" + id + " (for y)"},
		"the parameter C (default \"" + west + "\")":               {"the parameter C (default \"…5a2f1c01\")", "the parameter C (default \"" + west + "\")"},
		"what certificate/" + other + ": contains":                 {"what certificate/" + other + ": contains", "what certificate/" + other + ": contains"},
		"certificate/" + id + ", certificate/" + id:                {"…5a2f1c01, …5a2f1c01", "certificate/" + id + ", certificate/" + id},
		"of " + iam + ", " + west + ".":                            {"of web, …5a2f1c01.", "of web, " + west + "."},
		"nothing":                                                  {"nothing", "nothing"},
	} {
		row := plan.Row{Would: []plan.Certificate{{ARN: west}, {ARN: iam}}}
		if got := planIDs([]plan.Row{row}).sentence(text); got != want.alone {
			t.Errorf("%q, want %q", got, want.alone)
		}
		row.Would = append(row.Would, plan.Certificate{ARN: east})
		if got := planIDs([]plan.Row{row}).sentence(text); got != want.twice {
			t.Errorf("beside one in another region: %q, want %q", got, want.twice)
		}
	}
	ids := planIDs([]plan.Row{{Would: []plan.Certificate{{ARN: west}}}})
	if got, want := ids.shorten("Remove certificate/"+id+":\naws x CertificateArn="+west), "Remove …5a2f1c01:\naws x CertificateArn="+west; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
