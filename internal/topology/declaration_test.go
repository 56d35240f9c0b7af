package topology

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
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
