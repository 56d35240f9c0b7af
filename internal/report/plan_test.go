package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/plan"
)

// TestPlanIDs: a certificate has the shortest name that no other of the plan has.
func TestPlanIDs(t *testing.T) {
	acm := func(region, id string) string { return "arn:aws:acm:" + region + ":111122223333:certificate/" + id }
	const a, b = "0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01", "0b7d2f3a-52c7-4f0e-9d1b-6a8f99999999"
	for name, c := range map[string]struct {
		arns []string
		want []string
	}{
		"alone":           {[]string{acm("us-west-2", a)}, []string{"0b7d2f3a…"}},
		"one beginning":   {[]string{acm("us-west-2", a), acm("us-west-2", b)}, []string{a, b}},
		"two regions":     {[]string{acm("us-west-2", a), acm("eu-west-1", a)}, []string{acm("us-west-2", a), acm("eu-west-1", a)}},
		"IAM":             {[]string{"arn:aws:iam::1:server-certificate/path/web"}, []string{"web"}},
		"two paths":       {[]string{"arn:aws:iam::1:server-certificate/a/web", "arn:aws:iam::1:server-certificate/b/web"}, []string{"arn:aws:iam::1:server-certificate/a/web", "arn:aws:iam::1:server-certificate/b/web"}},
		"another service": {[]string{acm("us-west-2", a), "arn:aws:iam::1:server-certificate/web"}, []string{"0b7d2f3a…", "web"}},
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
		"x would not be covered by certificate/" + id + " (for y)": {"x would not be covered by 0b7d2f3a… (for y)", "x would not be covered by certificate/" + id + " (for y)"},
		"the parameter C (default \"" + west + "\")":               {"the parameter C (default \"0b7d2f3a…\")", "the parameter C (default \"" + west + "\")"},
		"what certificate/" + other + ": contains":                 {"what certificate/" + other + ": contains", "what certificate/" + other + ": contains"},
		"certificate/" + id + ", certificate/" + id:                {"0b7d2f3a…, 0b7d2f3a…", "certificate/" + id + ", certificate/" + id},
		"of " + iam + ", " + west + ".":                            {"of web, 0b7d2f3a….", "of web, " + west + "."},
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
	if got, want := ids.shorten("Remove certificate/"+id+":\naws x CertificateArn="+west), "Remove 0b7d2f3a…:\naws x CertificateArn="+west; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
