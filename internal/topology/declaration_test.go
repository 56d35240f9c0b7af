package topology

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestPooled holds that Ingresses of a group share their certificates, in one order, and others do not.
func TestPooled(t *testing.T) {
	ingress := func(service, group string, port int, arns ...string) observation.Declaration {
		return observation.Declaration{Service: service, Group: group, Port: port, ARNs: arns}
	}
	in := []observation.Declaration{
		ingress("b/b", "shared", 443, "2", "3"), ingress("a/a", "shared", 443, "1", "2"), ingress("c/c", "shared", 8443, "4"),
		ingress("d/d", "", 443, "5"), ingress("e/e", "", 443, "6"),
	}
	want := slices.Clone(in)
	want[0].ARNs = []string{"1", "2", "3"}
	want[1].ARNs = want[0].ARNs
	if diff := cmp.Diff(want, pooled(in)); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(in[0].ARNs, []string{"2", "3"}) {
		t.Error("the round itself was changed")
	}
	in[0].Order = -1 // group.order goes before the names
	if got := pooled(in)[1].ARNs; !slices.Equal(got, []string{"2", "3", "1"}) {
		t.Errorf("by order: %v", got)
	}
}

// TestWhatToFix: people edit a template, and what a plan, a change set or the CDK's template was made from.
func TestWhatToFix(t *testing.T) {
	for _, c := range []struct {
		declaration observation.Declaration
		generated   bool
		fix         string
	}{
		{observation.Declaration{Service: "web/site"}, false, "web.yaml:3 (X)"},
		{observation.Declaration{}, true, "the resource X in the Terraform code"},
		{observation.Declaration{Tool: observation.Template}, false, "web.yaml:3 (X)"},
		{observation.Declaration{Tool: observation.CDK}, true, "the construct that makes X in the CDK app"},
		{observation.Declaration{Tool: observation.ChangeSet}, true, "X in the stack's template"},
	} {
		c.declaration.Object, c.declaration.Source = "X", target.Position{File: "web.yaml", Line: 3, Column: 1}
		d := Declaration{Declaration: c.declaration}
		if d.Generated() != c.generated || d.ToFix() != c.fix {
			t.Errorf("%q: generated %v, fix %q; want %v, %q", c.declaration.Tool, d.Generated(), d.ToFix(), c.generated, c.fix)
		}
	}
}
