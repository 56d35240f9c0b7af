package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
)

// closer is what a manifest says of an object that asks for no (further) listener.
func closer(object string, kind observation.LoadBalancerKind) observation.Declaration {
	_, name, _ := strings.Cut(object, " ")
	return observation.Declaration{Object: object, Service: name, Kind: kind, RemovesListeners: true, Source: target.Position{File: "k8s/api.yaml", Line: 3}}
}

// losing is a load balancer with TLS on 443, made for what the tag says, and an endpoint behind it.
func losing(t *testing.T, tag string, kind observation.LoadBalancerKind) *scene {
	s := newScene(t)
	good := s.Leaf(host)
	certificate := s.ACM("good", good)
	e := s.HTTPS("api", host, ok("10.0.0.1", good))
	e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb"}
	s.Balancer(kind, "lb", observation.Listener{Port: 80, Protocol: "HTTP"}, observation.Listener{Port: 443, Protocol: "HTTPS", Certificates: attach(certificate)}).
		Tags = map[string]string{tag: "production/api"}
	return s
}

const (
	serviceTag = "kubernetes.io/service-name"
	ingressTag = "ingress.k8s.aws/stack"
)

// TestPreviewOfAListenerThatGoes: a Service that is no LoadBalancer any more, and an Ingress without its HTTPS port, take
// listeners away that clients use.
func TestPreviewOfAListenerThatGoes(t *testing.T) {
	for name, c := range map[string]struct {
		tag, object string
		kind        observation.LoadBalancerKind
		change      func(*scene)
		verdict     plan.Verdict // empty for no row
	}{
		"a Service":                           {serviceTag, "Service production/api", observation.Classic, nil, plan.Refuse},
		"a Service of the controller's":       {"service.k8s.aws/stack", "Service production/api", observation.Network, nil, plan.Refuse},
		"an Ingress":                          {ingressTag, "Ingress production/api", observation.Application, nil, plan.Refuse},
		"a Service behind an Ingress":         {ingressTag, "Service production/api", observation.Application, nil, ""},
		"an Ingress beside a Service":         {serviceTag, "Ingress production/api", observation.Classic, nil, ""},
		"another object":                      {serviceTag, "Service production/ui", observation.Classic, nil, ""},
		"a name for the load balancer":        {"owner", "Service production/x", observation.Network, func(s *scene) { s.Round.Manifests[0].LoadBalancer = "lb" }, plan.Refuse},
		"no endpoint behind it":               {serviceTag, "Service production/api", observation.Classic, func(s *scene) { s.Round.Endpoints = nil }, plan.Undecided},
		"not read in whole":                   {serviceTag, "Service production/api", observation.Classic, func(s *scene) { s.Round.LoadBalancers[0].Partial = true }, plan.Refuse},
		"what cannot be seen may keep 443":    {ingressTag, "Ingress production/api", observation.Application, func(s *scene) { s.Round.Manifests[0].UndecidedBecause = "whether X" }, plan.Undecided},
		"a group, and who else is in it":      {ingressTag, "Ingress production/api", observation.Application, func(s *scene) { s.Round.Manifests[0].Group = "shared" }, plan.Undecided},
		"the endpoint names it, without tags": {"owner", "Service production/api", observation.Classic, func(s *scene) { s.Round.Endpoints[0].Target.Service = "production/api" }, plan.Refuse},
		"given twice":                         {serviceTag, "Service production/api", observation.Classic, func(s *scene) { s.Round.Manifests = append(s.Round.Manifests, s.Round.Manifests[0]) }, plan.Undecided},
		"a patch": {serviceTag, "Service production/api", observation.Classic, func(s *scene) {
			s.Round.Manifests[0].UndecidedBecause = "which ports"
			s.Round.LoadBalancers[0].Listeners[1].Port, s.Round.Endpoints[0].Target.Port = 8443, 8443
		}, plan.Undecided},
		"two clusters have it": {serviceTag, "Service production/api", observation.Classic, func(s *scene) {
			s.Classic("lb2", arnOf("good")).Tags = map[string]string{serviceTag: "production/api"}
		}, plan.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			s := losing(t, c.tag, c.kind)
			s.Round.Manifests = []observation.Declaration{closer(c.object, c.kind)}
			if c.change != nil {
				c.change(s)
			}
			rows, out := s.preview()
			if c.verdict == "" {
				if len(rows) > 0 || len(out.Findings) > 0 || !out.Complete {
					t.Errorf("%+v %+v", rows, out)
				}
				return
			}
			if len(rows) == 0 {
				t.Fatal("no row")
			}
			for _, row := range rows {
				if row.Verdict != c.verdict || row.Action != plan.Remove || !strings.HasPrefix(row.Listener, "lb") {
					t.Fatalf("%+v", row)
				}
			}
			if out.Complete != (c.verdict != plan.Undecided) || (finding.Worst(out.Findings) == finding.Critical) != (c.verdict == plan.Refuse) {
				t.Errorf("complete %v: %+v", out.Complete, out.Findings)
			}
			if c.verdict == plan.Undecided && len(rows[0].NotKnown) == 0 {
				t.Error("what is not known is not said")
			}
			if c.verdict != plan.Refuse {
				return
			}
			says(t, out.Findings, c.object+") asks for no listener on port 443", host+" would be left without a listener")
			if !strings.Contains(out.Findings[0].Remedy, "k8s/api.yaml:3") {
				t.Errorf("remedy %q", out.Findings[0].Remedy)
			}
		})
	}
}

// TestPreviewOfPortsThatStay: what other declarations of the object or its group ask for does not go, a port that none
// asks for does.
func TestPreviewOfPortsThatStay(t *testing.T) {
	declared := func(object string, port int, arns ...string) observation.Declaration {
		_, name, _ := strings.Cut(object, " ")
		return observation.Declaration{Object: object, Service: name, Port: port, ARNs: arns, Discovered: len(arns) == 0}
	}
	t.Run("the same port", func(t *testing.T) {
		s := losing(t, serviceTag, observation.Classic)
		s.Round.Manifests = []observation.Declaration{declared("Service production/api", 443, arnOf("good")), closer("Service production/api", "")}
		if rows, _ := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Pass || rows[0].Action != plan.Keep {
			t.Errorf("%+v", rows)
		}
	})
	t.Run("discovered", func(t *testing.T) {
		s := losing(t, ingressTag, observation.Application)
		s.Round.Manifests = []observation.Declaration{declared("Ingress production/api", 443), closer("Ingress production/api", observation.Application)}
		if rows, _ := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Undecided || rows[0].Action != plan.Discover {
			t.Errorf("%+v", rows)
		}
	})
	t.Run("by another of the group", func(t *testing.T) {
		s := losing(t, ingressTag, observation.Application)
		s.Round.LoadBalancers[0].Tags = map[string]string{ingressTag: "shared"}
		s.Round.Manifests = []observation.Declaration{closer("Ingress production/api", observation.Application), declared("Ingress production/ui", 443, arnOf("good"))}
		s.Round.Manifests[0].Group, s.Round.Manifests[1].Group = "shared", "shared"
		if rows, _ := s.preview(); len(rows) != 1 || rows[0].Action != plan.Keep {
			t.Errorf("%+v", rows)
		}
	})
	t.Run("by the same object of another overlay", func(t *testing.T) {
		s := losing(t, serviceTag, observation.Classic)
		s.Round.Manifests = []observation.Declaration{closer("Service production/api", ""), declared("Service production/api", 443, arnOf("good"))}
		if rows, _ := s.preview(); len(rows) != 1 || rows[0].Action != plan.Keep {
			t.Errorf("%+v", rows)
		}
	})
	t.Run("another port", func(t *testing.T) {
		s := losing(t, serviceTag, observation.Classic)
		s.Round.Manifests = []observation.Declaration{declared("Service production/api", 8443, arnOf("good")), closer("Service production/api", "")}
		rows, _ := s.preview()
		if len(rows) != 2 || rows[0].Action != plan.Remove || rows[0].Verdict != plan.Refuse || rows[0].Port != 443 {
			t.Errorf("%+v", rows)
		}
	})
	t.Run("a port that is not 443 goes, whatever the class says", func(t *testing.T) {
		s := losing(t, ingressTag, observation.Application)
		s.Round.LoadBalancers[0].Listeners[1].Port, s.Round.Endpoints[0].Target.Port = 8443, 8443
		d := closer("Ingress production/api", observation.Application)
		d.UndecidedBecause = "whether X"
		s.Round.Manifests = []observation.Declaration{d}
		if rows, _ := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Refuse {
			t.Errorf("%+v", rows)
		}
	})
}

// TestPreviewOfWhatMayGo: where AWS was not asked, an endpoint whose Service asks for no port is undecided, never fine.
func TestPreviewOfWhatMayGo(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host).Target.Service = "production/api"
	s.Round.Manifests = []observation.Declaration{closer("Service production/api", "")}
	rows, out := s.preview()
	if len(rows) != 1 || rows[0].Verdict != plan.Undecided || out.Complete {
		t.Errorf("%+v %+v", rows, out)
	}
	s.Round.Manifests = append(s.Round.Manifests, observation.Declaration{
		Object: "Ingress production/api", Service: "production/api", Kind: observation.Application, Port: 443, ARNs: []string{arnOf("good")},
	})
	s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf("good")}
	if rows, out := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Pass || !out.Complete {
		t.Errorf("an Ingress of that name is in front: %+v %+v", rows, out)
	}
	s.Round.ListenersRead, s.Round.Manifests = true, s.Round.Manifests[:1]
	if rows, _ := s.preview(); len(rows) != 0 {
		t.Errorf("AWS says that there is none: %+v", rows)
	}
}

// An Ingress makes no load balancer of a Service of the same name, and the reverse.
func TestAnIngressIsNoService(t *testing.T) {
	s := losing(t, ingressTag, observation.Application)
	s.Round.Manifests = []observation.Declaration{
		{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arnOf("stale")}, Source: target.Position{File: "k8s/api.yaml", Line: 3}},
	}
	s.ACM("stale", s.Leaf("old.example.net"))
	s.none(finding.DriftManifest)
	s.Round.Manifests[0].Object = "Ingress production/api"
	s.one(finding.DriftManifest, finding.Critical)
	s.Round.LoadBalancers[0].Tags = nil
	s.Round.Endpoints[0].Target.Service = "production/api"
	s.one(finding.DriftManifest, finding.Critical) // the endpoint names the Ingress
	s.Round.Manifests[0].Object = "Service production/api"
	s.none(finding.DriftManifest)
}
