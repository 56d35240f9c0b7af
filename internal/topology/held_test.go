package topology

import (
	"testing"

	"certdrift/internal/observation"
)

// TestTheControllerListsTheDefault: since v3.4.1 the AWS Load Balancer Controller adds the default certificate to the SNI list. Where
// nothing attached shows which version runs, a client may get either; what Terraform sets stays out of the list.
func TestTheControllerListsTheDefault(t *testing.T) {
	s := newScene(t)
	best, other := s.ACM("best", s.LeafUntil(noon.AddDate(0, 0, 80), host)), s.ACM("other", s.LeafUntil(noon.AddDate(0, 0, 40), host))
	lb := s.ALB("web", best, other)
	ingress := observation.Declaration{Object: "Ingress a/b", Service: "a/b", Kind: observation.Application, Port: 443, ARNs: []string{best, other}}
	attached := map[string][]observation.Attachment{
		"nothing": {}, "an older version": attach(best, other), "a newer version": append(attach(best, other), observation.Attachment{ARN: best}),
		"another default, listed": append(attach(other), observation.Attachment{ARN: other}),
	}
	for name, c := range map[string]struct {
		now  string
		d    observation.Declaration
		want string
	}{
		"nothing attached":       {"nothing", ingress, "other or best"},
		"made by an older one":   {"an older version", ingress, "other"},
		"made by a newer one":    {"a newer version", ingress, "best"},
		"a newer one's default":  {"another default, listed", ingress, "best"},
		"Terraform":              {"a newer version", observation.Declaration{Object: "aws_lb_listener.a", Kind: observation.Application, Port: 443, ARNs: []string{best, other}}, "other"},
		"Terraform, made anew":   {"nothing", observation.Declaration{Object: "aws_lb_listener.a", Kind: observation.Application, Port: 443, ARNs: []string{best, other}, Creates: true}, "other"},
		"a single certificate":   {"nothing", observation.Declaration{Object: "Ingress a/b", Service: "a/b", Kind: observation.Application, Port: 443, ARNs: []string{best}}, "best"},
		"a classic one has none": {"nothing", observation.Declaration{Object: "Service a/b", Service: "a/b", Kind: observation.Classic, Port: 443, ARNs: []string{best, other}}, "best"},
	} {
		lb.Listeners[0].Certificates = attached[c.now]
		m := s.build()
		now := m.Listeners[0].Held()
		if now.Kind = c.d.Kind; c.d.Creates {
			now.Attached = nil
		}
		candidates, all := m.Declaration(c.d).SetOn(now).Candidates(host, noon)
		got := ""
		for i, a := range candidates {
			if i > 0 {
				got += " or "
			}
			got += a.ARN[len(arnOf("")):]
		}
		if got != c.want || !all {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
