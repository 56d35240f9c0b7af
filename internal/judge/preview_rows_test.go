package judge

import (
	"slices"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
)

// webbed is an ALB whose listener has "first" as its default and the listed certificates, with an endpoint for each host behind it.
func webbed(t *testing.T, first string, listed []string, hosts ...string) (*scene, *observation.Listener) {
	s := newScene(t)
	s.ACM("a", s.Leaf("a.example.org"))
	s.ACM("a2", s.Leaf("a.example.org"))
	s.ACM("b", s.Leaf("b.example.org"))
	s.ACM("spent", s.LeafUntil(noon.AddDate(0, 0, -3), "a.example.org"))
	s.ALB("web", arnOf(first))
	l := &s.Round.LoadBalancers[0].Listeners[0]
	arns := []string{arnOf(first)}
	for _, name := range listed {
		arns = append(arns, arnOf(name))
	}
	l.Certificates = attach(arns...)
	for i, host := range hosts {
		e := s.HTTPS("e"+string(rune('0'+i)), host)
		e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "web"}
	}
	s.Round.ListenersRead = true
	return s, l
}

func terraformListener(l *observation.Listener, arn string) observation.Declaration {
	return observation.Declaration{
		Object: "aws_lb_listener.web", LoadBalancer: "web", Kind: observation.Application, Port: 443, ListenerARN: l.ARN, ARNs: []string{arn}, KeepsOthers: true,
		Source: target.Position{File: "tfplan.json", Line: 1},
	}
}

// TestPreviewOfOneListener: all that is said of one listener, by several objects and for several environments, is one row with the worst
// verdict.
func TestPreviewOfOneListener(t *testing.T) {
	s, l := webbed(t, "a", nil, "a.example.org", "b.example.org")
	s.Round.Endpoints[1].Target.Environment = "staging"
	s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf("a")}
	s.Round.Endpoints[1].Target.Declared = &target.Declared{ARN: arnOf("b")}
	s.Round.Manifests = []observation.Declaration{
		terraformListener(l, arnOf("a")),
		{Object: "aws_lb_listener_certificate.b", LoadBalancer: "web", Kind: observation.Application, Listener: l.ARN, ARNs: []string{arnOf("b")}, Source: target.Position{File: "tfplan.json", Line: 1}},
	}
	rows, out := s.preview()
	if len(rows) != 1 || rows[0].State != plan.Changes || len(rows[0].Objects) != 2 || !out.Complete {
		t.Fatalf("%+v", rows)
	}
	if r := rows[0]; !slices.Equal(r.Endpoints, []string{"production/e0", "staging/e1"}) || len(r.Declared) != 2 || len(r.Names) != 2 || r.Names[1].ARN != arnOf("b") || r.Names[1].Now != arnOf("a") {
		t.Errorf("%+v", r)
	}
	s.Round.Endpoints[1].Target.Declared = &target.Declared{ARN: arnOf("a2")} // for staging it is wrong
	rows, out = s.preview()
	if len(rows) != 1 || rows[0].State != plan.Refused || finding.Worst(out.Findings) != finding.Critical {
		t.Errorf("%+v", rows)
	}
	if got := plan.CountRows(rows); got.Listeners != 1 || got.ByState[plan.Refused] != 1 {
		t.Errorf("%+v", got)
	}
}

// TestPreviewOfListenersApart: what may be two listeners is two rows: two objects' without a load balancer in common, and two manifests
// of one object that differ.
func TestPreviewOfListenersApart(t *testing.T) {
	s := manifested(t, "good", "", "good")
	other := s.Round.Manifests[0]
	other.Source.File = "k8s/overlay/api.yaml"
	s.Round.Manifests = append(s.Round.Manifests, other)
	if rows, _ := s.preview(); len(rows) != 2 || len(rows[0].Objects) != 1 {
		t.Errorf("%+v", rows)
	}
}

// TestPreviewKeepsUndecided: a part that is undecided leaves the plan incomplete, though its row is refused.
func TestPreviewKeepsUndecided(t *testing.T) {
	s, l := webbed(t, "a", nil, "a.example.org", "b.example.org")
	s.Round.Endpoints[1].Target.Environment = "staging"
	s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf("a")}
	s.Round.Manifests = []observation.Declaration{terraformListener(l, arnOf("unread"))}
	rows, out := s.preview()
	if len(rows) != 1 || rows[0].State != plan.Refused || len(rows[0].NotKnown) == 0 || out.Complete {
		t.Errorf("complete %v: %+v", out.Complete, rows)
	}
}

// TestPreviewRemedies: a row says what to change and to what, or which command to run where only the account needs it.
func TestPreviewRemedies(t *testing.T) {
	declare := func(s *scene, name string) { s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf(name)} }
	for name, c := range map[string]struct {
		scene func(t *testing.T) *scene
		want  []string
		never string
	}{
		"the SNI list is in the way": {func(t *testing.T) *scene {
			s, l := webbed(t, "b", []string{"a"}, "a.example.org")
			declare(s, "a2")
			s.Round.Manifests = []observation.Declaration{terraformListener(l, arnOf("a2"))}
			return s
		}, []string{"Applying leaves certificate/a in the SNI list of web:443", "aws elbv2 remove-listener-certificates --region us-west-2", "CertificateArn=" + arnOf("a")}, "Fix"},
		"the SNI list is in the way, and another endpoint needs it": {func(t *testing.T) *scene {
			s, l := webbed(t, "b", []string{"a"}, "a.example.org", "a.example.org")
			declare(s, "a2")
			s.Round.Endpoints[1].Target.Declared = &target.Declared{ARN: arnOf("a")}
			s.Round.Manifests = []observation.Declaration{terraformListener(l, arnOf("a2"))}
			return s
		}, []string{"Fix "}, "remove-listener-certificates"},
		"another than declared": {func(t *testing.T) *scene { return manifested(t, "other", "good", "good") },
			[]string{"Fix k8s/api.yaml:7 (Service production/api) before the next apply: declare\n" + arnOf("good")}, ""},
		"uncovered, and the account has one": {func(t *testing.T) *scene {
			s, _ := webbed(t, "a", nil, "a.example.org")
			s.Round.LoadBalancers, s.Round.ListenersRead = nil, true
			s.Round.Manifests = []observation.Declaration{{Object: "Service x/y", Service: "x/y", Port: 443, ARNs: []string{arnOf("b")}, Source: target.Position{File: "k8s/y.yaml", Line: 3}}}
			s.Round.Endpoints[0].Target.LoadBalancer, s.Round.Endpoints[0].Target.Service = nil, "x/y"
			return s
		}, []string{"Fix k8s/y.yaml:3 (Service x/y) before the next apply: declare a valid certificate for a.example.org, such as\n" + arnOf("a")}, "spent"},
		"the declared one has expired": {func(t *testing.T) *scene { return manifested(t, "expired", "good", "expired") },
			[]string{"Find out why ACM has not renewed certificate/expired", "aws acm describe-certificate --region us-west-2 --certificate-arn " + arnOf("expired")}, "Fix "},
		"the declared one was imported and has expired": {func(t *testing.T) *scene {
			s := manifested(t, "expired", "good", "expired")
			for i := range s.Round.Certificates {
				s.Round.Certificates[i].Type = "IMPORTED"
			}
			return s
		}, []string{"Import a renewed certificate under the same ARN", "aws acm import-certificate --region us-west-2 --certificate-arn " + arnOf("expired")}, "Fix "},
		"a rotation that nothing declares": {func(t *testing.T) *scene { return manifested(t, "other", "good", "") },
			[]string{"If this change is intended", "certificate: {arn: \"" + arnOf("other") + "\"}", "Otherwise: Fix k8s/api.yaml:7", arnOf("good")}, ""},
		"no endpoint": {func(t *testing.T) *scene {
			s := manifested(t, "good", "", "")
			s.Round.Endpoints = nil
			return s
		}, []string{"Add the endpoint to the configuration", "service: production/api"}, "--offline"},
		"nobody knows what it covers": {func(t *testing.T) *scene {
			s := manifested(t, "unread", "", "")
			return s
		}, []string{"Run certdrift plan without --offline.", "certificates: [{arn: \"" + arnOf("unread") + "\", file: FILE.pem}]"}, "Fix "},
		"the controller looks it up": {func(t *testing.T) *scene {
			s := manifested(t, "good", "good", "good")
			s.Round.Manifests[0].ARNs, s.Round.Manifests[0].Discovered = nil, true
			return s
		}, []string{"Name the certificate in k8s/api.yaml:7"}, ""},
		"a document that is not read": {func(t *testing.T) *scene {
			s := newScene(t)
			s.Round.PassedOver = []observation.PassedOver{{Position: target.Position{File: "values.yaml", Line: 4}, Object: "a document", Why: "why"}}
			return s
		}, []string{"Pass what its tool renders instead"}, ""},
		"an annotation that is not read": {func(t *testing.T) *scene {
			s := newScene(t)
			s.Round.PassedOver = []observation.PassedOver{{Position: target.Position{File: "shop.yaml", Line: 4}, Object: "a Service", Why: "why", Remedy: "Correct it."}}
			return s
		}, []string{"Correct it."}, "renders"},
		"a list, and nobody knows for whom": {func(t *testing.T) *scene {
			s := manifested(t, "good", "", "good")
			s.Round.Manifests[0].ARNs, s.Round.Manifests[0].MakerUnknown = []string{arnOf("good"), arnOf("other")}, true
			return s
		}, []string{"Name what makes the load balancer in k8s/api.yaml:7"}, ""},
		"as it should be": {func(t *testing.T) *scene { return manifested(t, "good", "good", "good") }, []string{""}, "F"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.scene(t)
			if len(s.Round.LoadBalancers) > 0 {
				s.Round.ListenersRead = true
			}
			rows, _ := s.preview()
			if len(rows) != 1 {
				t.Fatalf("%+v", rows)
			}
			for _, want := range c.want {
				if !strings.Contains(rows[0].Remedy, want) || c.never != "" && strings.Contains(rows[0].Remedy, c.never) {
					t.Errorf("%q, want %q and never %q\n%+v", rows[0].Remedy, want, c.never, rows[0])
				}
			}
		})
	}
}

// TestPreviewNames: each name has the certificate that its clients get now and after, and what is wrong with it.
func TestPreviewNames(t *testing.T) {
	for name, c := range map[string]struct {
		attached, manifest, declared string
		now, then, problem           string
	}{
		"stays":                 {"a", "a", "a", "a", "a", ""},
		"expired":               {"a", "spent", "", "a", "spent", "expired 2026-11-17"},
		"for another name":      {"a", "b", "", "a", "b", "does not cover the name"},
		"gone":                  {"a", "gone", "", "a", "gone", "no longer exists"},
		"not the declared one":  {"a", "a2", "a", "a", "a2", "not the declared certificate"},
		"no certificate at all": {"a", "", "", "a", "", "no certificate"},
	} {
		s := newScene(t)
		s.ACM("a", s.Leaf("a.example.org"))
		s.ACM("a2", s.Leaf("a.example.org"))
		s.ACM("b", s.Leaf("b.example.org"))
		s.ACM("spent", s.LeafUntil(noon.AddDate(0, 0, -3), "a.example.org"))
		s.Round.Certificates = append(s.Round.Certificates, observation.Certificate{ARN: arnOf("gone"), Missing: true})
		s.Classic("lb", arnOf(c.attached))
		s.Round.ListenersRead = true
		e := s.HTTPS("api", "a.example.org")
		e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb"}
		if c.declared != "" {
			e.Target.Declared = &target.Declared{ARN: arnOf(c.declared)}
		}
		d := observation.Declaration{Object: "aws_elb.x", LoadBalancer: "lb", Kind: observation.Classic, Port: 443}
		if c.manifest != "" {
			d.ARNs = []string{arnOf(c.manifest)}
		}
		s.Round.Manifests = []observation.Declaration{d}
		rows, _ := s.preview()
		want := plan.Name{Name: "a.example.org", Now: arnOf(c.now), Problem: c.problem}
		if c.then != "" {
			want.ARN = arnOf(c.then)
		}
		if len(rows) != 1 || len(rows[0].Names) != 1 {
			t.Fatalf("%s: %+v", name, rows)
		}
		got := rows[0].Names[0]
		if got.Name != want.Name || got.Now != want.Now || got.ARN != want.ARN || got.Problem != want.Problem {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
