package judge

import (
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
)

// TestPreviewOfATerraformListener holds what the listener of an ALB holds after Terraform ran: aws_lb_listener sets the default and leaves the
// SNI list alone, aws_lb_listener_certificate adds to the list and removes from it.
func TestPreviewOfATerraformListener(t *testing.T) {
	sets := func(d *observation.Declaration, arns ...string) *observation.Declaration {
		d.Object, d.Port, d.KeepsOthers, d.ARNs = "aws_lb_listener.https", 443, true, arns
		return d
	}
	lists := func(d *observation.Declaration, added, removed string) *observation.Declaration {
		d.Object, d.Listener = "aws_lb_listener_certificate.x", arnOfListener
		if added != "" {
			d.ARNs = []string{arnOf(added)}
		}
		if removed != "" {
			d.Detaches = []string{arnOf(removed)}
		}
		return d
	}
	for name, c := range map[string]struct {
		attached, declared string // the default first
		list               []string
		apply              func(*observation.Declaration) *observation.Declaration
		gets               string
		verdict            plan.Verdict
	}{
		"a new default, the old one in the list": {"a", "b", []string{"a"}, func(d *observation.Declaration) *observation.Declaration { return sets(d, arnOf("b")) }, "a", plan.Refuse},
		"a new default, the list for others":     {"a", "b", []string{"x"}, func(d *observation.Declaration) *observation.Declaration { return sets(d, arnOf("b")) }, "b", plan.Pass},
		"the list of another state":              {"x", "a", []string{"a"}, func(d *observation.Declaration) *observation.Declaration { return sets(d, arnOf("x")) }, "a", plan.Pass},
		"a new default beside another state's":   {"x", "a", []string{"a"}, func(d *observation.Declaration) *observation.Declaration { return sets(d, arnOf("b")) }, "a", plan.Pass},
		"made anew, and the list is gone": {"x", "a", []string{"a"}, func(d *observation.Declaration) *observation.Declaration {
			d.Creates = true
			return sets(d, arnOf("x"))
		}, "x", plan.Refuse},
		"adds what clients will get":      {"a", "a", nil, func(d *observation.Declaration) *observation.Declaration { return lists(d, "b", "") }, "b", plan.Refuse},
		"adds what is declared":           {"a", "b", nil, func(d *observation.Declaration) *observation.Declaration { return lists(d, "b", "") }, "b", plan.Pass},
		"removes what is needed":          {"x", "a", []string{"a"}, func(d *observation.Declaration) *observation.Declaration { return lists(d, "", "a") }, "x", plan.Refuse},
		"removes what is the default too": {"a", "a", []string{"a"}, func(d *observation.Declaration) *observation.Declaration { return lists(d, "", "a") }, "a", plan.Pass},
		"removes what was in the way":     {"a", "a", []string{"b"}, func(d *observation.Declaration) *observation.Declaration { return lists(d, "", "b") }, "a", plan.Pass},
		"a certificate that has no ARN yet": {"a", "a", nil, func(d *observation.Declaration) *observation.Declaration {
			d.Pending = []string{"the certificate of x"}
			return lists(d, "", "")
		}, "", plan.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.ACM("a", s.Leaf(host))
			s.ACM("b", s.LeafUntil(noon.AddDate(0, 0, 80), host))
			s.ACM("x", s.Leaf("x.example.org"))
			lb := s.ALB("web")
			lb.Listeners[0].ARN = arnOfListener
			lb.Listeners[0].Certificates = attach(arnOf(c.attached))
			for _, id := range c.list {
				lb.Listeners[0].Certificates = append(lb.Listeners[0].Certificates, observation.Attachment{ARN: arnOf(id)})
			}
			e := s.HTTPS("api", host)
			e.Target.LoadBalancer, e.Target.Declared = &target.LoadBalancerRef{Name: "web"}, &target.Declared{ARN: arnOf(c.declared)}
			s.Round.Manifests = []observation.Declaration{*c.apply(&observation.Declaration{LoadBalancer: "web", Kind: observation.Application})}
			rows, _ := s.preview()
			if len(rows) != 1 || rows[0].Verdict != c.verdict {
				t.Fatalf("%+v", rows)
			}
			want := ""
			if c.gets != "" {
				want = arnOf(c.gets)
			}
			if names := rows[0].Names; len(rows[0].Endpoints) > 0 && (len(names) != 1 || names[0].ARN != want) {
				t.Errorf("%+v, want %s", names, want)
			}
		})
	}
}

const arnOfListener = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"

// TestOneSelection holds that the plan and the check select one certificate of several that match, in whatever order a manifest names them.
func TestOneSelection(t *testing.T) {
	s := newScene(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := s.Root().LeafWithKey(noon, []string{host}, key)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{s.ACM("default", s.Leaf("x.example.org")), s.ACM("rsa", slow), s.ACM("short", s.Leaf(host)), s.ACM("long", s.LeafUntil(noon.AddDate(0, 0, 80), host))}
	for _, order := range [][]int{{0, 1, 2, 3}, {0, 3, 2, 1}, {0, 2, 3, 1}} {
		var arns []string
		for _, i := range order {
			arns = append(arns, all[i])
		}
		s.Round.LoadBalancers, s.Round.Endpoints = nil, nil
		s.ALB("web", arns...).Tags = map[string]string{"ingress.k8s.aws/stack": "web/site"}
		e := s.HTTPS("api", host)
		e.Target.LoadBalancer, e.Target.Declared = &target.LoadBalancerRef{Name: "web"}, &target.Declared{ARN: arnOf("long")}
		s.Round.Manifests = []observation.Declaration{{Object: "Ingress web/site", Service: "web/site", Kind: observation.Application, Port: 443, ARNs: arns}}
		rows, _ := s.preview()
		if len(rows) != 1 || rows[0].Names[0].ARN != arnOf("long") || rows[0].Verdict != plan.Pass {
			t.Errorf("%v: %+v", order, rows)
		}
		if s.none(finding.DriftAttached); slices.Contains(codes(s.judge().Findings), finding.DriftManifest) {
			t.Errorf("%v: the check says otherwise", order)
		}
	}
}

// TestPreviewOfACertificateImportedAgain holds that what expired under an ARN refuses nothing where the apply imports another certificate there.
// What that one is good for is not known.
func TestPreviewOfACertificateImportedAgain(t *testing.T) {
	s := newScene(t)
	s.ALB("web", s.ACM("a", s.LeafUntil(noon.AddDate(0, 0, -1), host)))
	e := s.HTTPS("api", host)
	e.Target.LoadBalancer, e.Target.Declared = &target.LoadBalancerRef{Name: "web"}, &target.Declared{ARN: arnOf("a")}
	listener := observation.Declaration{Object: "aws_lb_listener.https", LoadBalancer: "web", Port: 443, Kind: observation.Application, KeepsOthers: true, ARNs: []string{arnOf("a")}}
	s.Round.Manifests = []observation.Declaration{listener}
	if rows, _ := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Refuse {
		t.Errorf("expired: %+v", rows)
	}
	s.Round.Manifests = append(s.Round.Manifests, observation.Declaration{Object: "aws_acm_certificate.a", ARNs: []string{arnOf("a")}, Reimports: true, UndecidedBecause: "what a holds"})
	rows, out := s.preview()
	if out.Complete || slices.ContainsFunc(rows, func(r plan.Row) bool { return r.Verdict == plan.Refuse }) {
		t.Errorf("imported again: %+v", rows)
	}
}
