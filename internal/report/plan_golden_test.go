package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/report"
	"certdrift/internal/report/text"
	"certdrift/internal/target"
)

// planFixture is a plan of a listener with an SNI list that would break, one that nobody could look up, an object that is not read, one
// that changes and one that stays.
func planFixture() report.Report {
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
	return report.BuildPlan(report.Input{
		Round: observation.Round{Started: noon, Finished: noon}, FailOn: finding.Critical, Conclusion: finding.Conclusion{Findings: []finding.Finding{critical, denied}},
	}, rows)
}

// TestPlanGolden holds what a plan looks like: text at three widths, Markdown and JUnit.
func TestPlanGolden(t *testing.T) {
	r := planFixture()
	out := map[string]string{"plan.md": render(t, report.WriteMarkdown, r), "plan.xml": render(t, report.WriteJUnit, r)}
	for _, width := range []int{60, 80, 120} {
		var b strings.Builder
		if err := text.Write(&b, r, text.Options{Width: width}); err != nil {
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
	style := func(_ report.Role, words string) string { return "\x1b[1m" + words + "\x1b[m" }
	if err := text.Write(&plain, r, text.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if err := text.Write(&dressed, r, text.Options{Style: style, Width: 80}); err != nil {
		t.Fatal(err)
	}
	got := strings.NewReplacer("\x1b[1m", "", "\x1b[m", "").Replace(dressed.String())
	if diff := cmp.Diff(plain.String(), got); diff != "" || !strings.Contains(dressed.String(), "\x1b[1m✗ refused") {
		t.Error(diff)
	}
}
