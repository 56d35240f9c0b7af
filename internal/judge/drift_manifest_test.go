package judge

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// manifested is a listener of a Service whose manifest, configuration and load balancer say what the arguments do; empty
// for what says nothing.
func manifested(t *testing.T, manifest, attached, declared string) *scene {
	s := newScene(t)
	good, other, stale := s.Leaf(host), s.Leaf(host), s.Leaf("old.example.net")
	bodies := map[string]*pki.Pair{"good": good, "other": other, "stale": stale, "expired": s.LeafUntil(noon.AddDate(0, 0, -9), "*.example.org")}
	for _, name := range []string{"good", "other", "stale", "expired"} {
		s.ACM(name, bodies[name])
	}
	e := s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.TimedOut))
	e.Target.Service = "production/api"
	if declared != "" {
		e.Target.Declared = &target.Declared{ARN: arnOf(declared), Source: target.Position{File: "certdrift.yaml", Line: 12}}
	}
	if attached != "" {
		s.Classic("a1", arnOf(attached)).Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
		e.Addresses = []observation.Address{ok("10.0.0.1", bodies[attached])}
	}
	d := observation.Declaration{
		Object: "Service production/api", Service: "production/api", Kind: observation.Classic, Port: 443,
		Source: target.Position{File: "k8s/api.yaml", Line: 7},
	}
	if manifest != "" {
		d.ARNs = []string{arnOf(manifest)}
	}
	s.Round.Manifests = []observation.Declaration{d}
	return s
}

func TestDriftManifest(t *testing.T) {
	for _, c := range []struct {
		name                         string
		manifest, attached, declared string
		planned                      bool
		want                         finding.Severity
	}{
		{"all agree", "good", "good", "good", false, finding.None},
		{"manifest and attached agree, nothing configured", "good", "good", "", false, finding.None},
		{"stale, hand-made fix attached", "stale", "good", "good", false, finding.Critical},
		{"stale, hand-made fix attached, nothing configured", "stale", "good", "", false, finding.Critical},
		{"expired", "expired", "good", "good", false, finding.Critical},
		{"stale and attached", "stale", "stale", "good", false, finding.Critical},
		{"would restore what is declared", "good", "stale", "good", false, finding.None},
		{"would restore what is declared, planned", "good", "stale", "good", true, finding.None},
		{"would attach another than configured", "other", "good", "good", true, finding.Critical},
		{"other than attached", "other", "good", "", false, finding.Critical},
		{"a planned rotation", "other", "good", "", true, finding.Warning},
		{"a planned rotation, configured too", "other", "good", "other", true, finding.None},
		{"a plan that breaks the name", "stale", "good", "", true, finding.Critical},
		{"a plan that leaves the name broken", "stale", "stale", "", true, finding.Critical},
		{"no certificate any more", "", "good", "", false, finding.Critical},
		{"offline, agrees", "good", "", "good", true, finding.None},
		{"offline, stale", "stale", "", "good", true, finding.Critical},
		{"offline, stale, nothing configured", "stale", "", "", true, finding.Critical},
		{"offline, expired", "expired", "", "", true, finding.Critical},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manifested(t, c.manifest, c.attached, c.declared)
			s.Round.Planned = c.planned
			if c.want == finding.None {
				s.none(finding.DriftManifest)
				return
			}
			f := s.one(finding.DriftManifest, c.want)
			if f.AllEvidence()["file"] != "k8s/api.yaml" || f.AllEvidence()["line"] != 7 || f.Endpoint != "api" || !strings.Contains(f.Remedy, "k8s/api.yaml:7") {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestDriftManifestOnSchedule: what only a deploy would break wakes nobody; what has been applied does, and is one incident with what is
// attached; and for a gate nothing changes.
func TestDriftManifestOnSchedule(t *testing.T) {
	for _, c := range []struct {
		name                         string
		manifest, attached, declared string
		other                        finding.Code // what is critical beside it
	}{
		{"stale, hand-made fix attached", "stale", "good", "good", ""},
		{"stale, hand-made fix attached, nothing configured", "stale", "good", "", ""},
		{"no certificate any more", "", "good", "", ""},
		{"expired", "expired", "good", "good", ""},
		{"stale and attached", "stale", "stale", "good", finding.DriftAttached},
		{"expired and attached", "expired", "expired", "good", finding.CertExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manifested(t, c.manifest, c.attached, c.declared)
			s.one(finding.DriftManifest, finding.Critical)
			in := s.input()
			in.OnSchedule = true
			worst := map[finding.Code]finding.Severity{}
			for _, f := range Judge(in).Findings {
				worst[f.Code] = max(worst[f.Code], f.Severity)
			}
			if c.other != "" {
				if worst[c.other] != finding.Critical || worst[finding.DriftManifest] != finding.Critical {
					t.Errorf("findings are %v, want %s and the manifest critical", worst, c.other)
				}
				return
			}
			if worst[finding.DriftManifest] != finding.Warning || slices.Max(slices.Collect(maps.Values(worst))) != finding.Warning {
				t.Errorf("findings are %v, want warnings", worst)
			}
		})
	}
}

func TestDriftManifestSaysWhenTheHandMadeStateIsRight(t *testing.T) {
	s := manifested(t, "stale", "good", "")
	f := s.one(finding.DriftManifest, finding.Critical)
	if !strings.Contains(f.Summary, "The manifest is out of date; the next apply would break this endpoint") || !strings.Contains(f.Remedy, arnOf("good")) {
		t.Errorf("summary %q, remedy %q", f.Summary, f.Remedy)
	}
}

func TestDriftManifestNamesTheChangeItWouldUndo(t *testing.T) {
	s := manifested(t, "other", "good", "")
	s.Round.Planned = true
	s.Round.Changes = []observation.Change{{
		Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-time.Hour), LoadBalancer: "a1", Port: 443, Certificates: []string{arnOf("good")},
		Author: &observation.Author{Name: "Operator", Tool: "AWS console"}, Confirmed: true,
	}}
	if f := s.one(finding.DriftManifest, finding.Critical); !strings.Contains(f.Summary, "undo the change by Operator") {
		t.Errorf("summary %q", f.Summary)
	}
}

// TestDriftManifestWithoutAnAuthor: what was never reported and what could not be looked up are two things.
func TestDriftManifestWithoutAnAuthor(t *testing.T) {
	s := manifested(t, "other", "good", "")
	s.Round.Planned = true
	for why, want := range map[string]string{
		"":       "unknown: neither an event nor CloudTrail reported the change",
		"denied": "unknown: it could not be looked up in CloudTrail: denied",
	} {
		s.Round.HistoryUnread = why
		if f := s.one(finding.DriftManifest, finding.Warning); f.AllEvidence()["author"] != want {
			t.Errorf("author %v, want %q", f.AllEvidence()["author"], want)
		}
		if rows, _ := s.preview(); len(rows[0].NotKnown) > 0 != (why != "") || rows[0].Verdict != plan.Warn {
			t.Errorf("not known, where the look-up gave %q: %q", why, rows[0].NotKnown)
		}
	}
}

// TestDriftManifestOfTerraform: its plan is generated, and a person fixes the code.
func TestDriftManifestOfTerraform(t *testing.T) {
	s := manifested(t, "stale", "stale", "good")
	d := &s.Round.Manifests[0]
	d.Object, d.Service, d.LoadBalancer, d.Source.File = "aws_elb.api", "", "a1", "tf/plan.json"
	resource := "the resource aws_elb.api in the Terraform code"
	if f := s.one(finding.DriftManifest, finding.Critical); !strings.HasPrefix(f.Remedy, "Fix "+resource+" before the next apply: declare "+arnOf("good")) || f.AllEvidence()["generated"] != true {
		t.Errorf("remedy %q, evidence %v", f.Remedy, f.Evidence)
	}
	if f := s.one(finding.DriftAttached, finding.Critical); !strings.Contains(f.Remedy, "Then fix "+resource) {
		t.Errorf("remedy %q", f.Remedy)
	}
}

// The incident: while the listener is wrong as the manifest has it, both are one cause; once it is put back, the stale
// manifest is one of its own.
func TestDriftManifestCause(t *testing.T) {
	s := manifested(t, "stale", "stale", "good")
	s.only(finding.DriftAttached, finding.DriftManifest)
	for _, f := range s.judge().Findings {
		if f.Cause != "listener:a1:443@us-west-2/111122223333" {
			t.Errorf("%s has the cause %q", f.Code, f.Cause)
		}
	}
	if f := s.one(finding.DriftAttached, finding.Critical); !strings.Contains(f.Remedy, "Then fix k8s/api.yaml:7") {
		t.Errorf("remedy %q", f.Remedy)
	}
	s = manifested(t, "stale", "good", "good")
	s.only(finding.DriftManifest)
	if f := s.one(finding.DriftManifest, finding.Critical); f.Cause != "manifest:k8s/api.yaml:Service production/api:443" {
		t.Errorf("cause %q", f.Cause)
	}
}

func TestDriftManifestOfDiscoveredCertificates(t *testing.T) {
	s := manifested(t, "", "good", "good")
	s.Round.Manifests[0].Discovered, s.Round.Manifests[0].Hosts = true, []string{host}
	s.only()
}

func TestDriftManifestOfAnIngress(t *testing.T) {
	s := newScene(t)
	a, b, extra := s.Leaf("a.example.org"), s.Leaf("b.example.org"), s.Leaf("c.example.org")
	s.ALB("web", s.ACM("a", a), s.ACM("b", b), s.ACM("extra", extra)).Tags = map[string]string{"ingress.k8s.aws/stack": "shared"}
	s.HTTPS("a", "a.example.org", ok("10.0.0.1", a)).Target.Service = "web/site"
	s.HTTPS("b", "b.example.org", ok("10.0.0.1", b)).Target.Service = "web/site"
	s.Round.Manifests = []observation.Declaration{{
		Object: "Ingress web/site", Service: "web/site", Group: "shared", Kind: observation.Application, Port: 443, ARNs: []string{arnOf("a"), arnOf("b")},
	}}
	s.only() // the extra one may be of another member of the group, whose manifest is elsewhere
	s.Round.Manifests[0].Group, s.Round.LoadBalancers[0].Tags["ingress.k8s.aws/stack"] = "", "web/site"
	f := s.one(finding.DriftManifest, finding.Warning) // the extra one would go, and no endpoint gets it
	if !strings.Contains(f.Summary, "would be detached") || !strings.HasPrefix(f.Remedy, "To keep what would be detached, add it to Ingress web/site") {
		t.Errorf("summary %q, remedy %q", f.Summary, f.Remedy)
	}
	s.Round.Manifests[0].ARNs = append(s.Round.Manifests[0].ARNs, arnOf("extra"))
	s.only()
	s.Round.Manifests[0].Group, s.Round.LoadBalancers[0].Tags["ingress.k8s.aws/stack"] = "shared", "shared"
	s.Round.Manifests[0].ARNs = []string{arnOf("a"), arnOf("extra")}
	if f := s.one(finding.DriftManifest, finding.Critical); !strings.Contains(f.Summary, "b.example.org would not be covered") || !strings.Contains(f.Remedy, "declare "+arnOf("b")) {
		t.Errorf("summary %q", f.Summary)
	}
}

// TestDriftManifestOfAGroupThatDiscovers: one Ingress of the group names its certificate, the controller picks the
// other's. What it picked is not drift, and what it would pick is not known: both rows are undecided, since the names and dates of
// what will be on the listener is not known (they passed once, as if nothing could change).
func TestDriftManifestOfAGroupThatDiscovers(t *testing.T) {
	s := newScene(t)
	a, b := s.Leaf("a.example.org"), s.Leaf("b.example.org")
	s.ALB("web", s.ACM("a", a), s.ACM("b", b)).Tags = map[string]string{"ingress.k8s.aws/stack": "shared"}
	s.HTTPS("a", "a.example.org", ok("10.0.0.1", a)).Target.Service = "web/a"
	s.HTTPS("b", "b.example.org", ok("10.0.0.1", b)).Target.Service = "web/b"
	ingress := func(name string, arns ...string) observation.Declaration {
		return observation.Declaration{Object: "Ingress web/" + name, Service: "web/" + name, Group: "shared", Kind: observation.Application, Port: 443, ARNs: arns, Discovered: len(arns) == 0}
	}
	s.Round.Manifests = []observation.Declaration{ingress("b"), ingress("a", arnOf("a"))}
	s.only()
	rows, out := s.preview()
	if len(rows) != 2 || rows[0].Action != plan.Unknown || rows[0].Verdict != plan.Undecided || rows[1].Verdict != plan.Undecided ||
		len(rows[0].NotKnown) != 1 || rows[0].Names[1].Covered != nil || out.Complete {
		t.Errorf("complete %v, findings %v, rows %+v", out.Complete, codes(out.Findings), rows)
	}
	s.Round.Manifests = append(s.Round.Manifests[:1], ingress("a", s.ACM("other", s.Leaf("x.example.org"))))
	s.one(finding.DriftManifest, finding.Critical) // the one that is named is not attached
}

// TestDriftManifestOfTheDefaultAlone: the default certificate would be another one, and each endpoint gets its own as
// before.
func TestDriftManifestOfTheDefaultAlone(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.ALB("web", s.ACM("b", s.Leaf("b.example.org")), s.ACM("a", leaf))
	e := s.HTTPS("api", host, ok("10.0.0.1", leaf))
	e.Target.Service = "web/site"
	e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "web", Port: 443}
	s.Round.Manifests = []observation.Declaration{{Object: "Ingress web/site", Service: "web/site", LoadBalancer: "web", Kind: observation.Application, Port: 443, ARNs: []string{arnOf("a"), arnOf("b")}}}
	f := s.one(finding.DriftManifest, finding.Warning)
	if !strings.Contains(f.Summary, "which no endpoint gets") {
		t.Errorf("summary %q", f.Summary)
	}
	if !strings.HasPrefix(f.Remedy, "List "+arnOf("b")+" first in Ingress web/site") {
		t.Errorf("remedy %q", f.Remedy)
	}
	s.Round.Manifests[0].ARNs = []string{arnOf("b"), arnOf("a")}
	s.only()
}

// TestDriftManifestFindsItsListener: objects of one name in several regions and clusters, or a load balancer whose tags
// say nothing.
func TestDriftManifestFindsItsListener(t *testing.T) {
	service := observation.Declaration{Object: "Service production/api", Service: "production/api", Port: 443, ARNs: []string{arnOf("good")}, Source: target.Position{File: "k8s/api.yaml", Line: 7}}
	t.Run("another region", func(t *testing.T) {
		s := manifested(t, "good", "good", "good")
		there := s.Classic("a2", arnOf("good"))
		there.Region, there.Tags = "eu-west-1", map[string]string{"kubernetes.io/service-name": "production/api"}
		there.Listeners[0].Certificates = []observation.Attachment{{ARN: "arn:aws:acm:eu-west-1:111122223333:certificate/there", Default: true}}
		s.Round.Endpoints[0].Target.LoadBalancer = &target.LoadBalancerRef{Name: "a1", Port: 443}
		s.none(finding.DriftManifest) // its manifest is another one
		s.one(finding.ListenerUnmanaged, finding.Info)
	})
	t.Run("another cluster", func(t *testing.T) {
		s := manifested(t, "good", "good", "good")
		s.Classic("a2", arnOf("other")).Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
		s.Round.Endpoints[0].Target.LoadBalancer = &target.LoadBalancerRef{Name: "a1", Port: 443}
		s.one(finding.DriftManifest, finding.Warning) // nobody knows whose it is, and no endpoint suffers
	})
	t.Run("no tags", func(t *testing.T) {
		s := manifested(t, "stale", "good", "")
		s.Round.LoadBalancers[0].Tags = nil
		s.Round.Endpoints[0].Target.LoadBalancer = &target.LoadBalancerRef{Name: "a1", Port: 443}
		if f := s.one(finding.DriftManifest, finding.Critical); f.Listener != "a1:443" || f.AllEvidence()["attached"] == nil {
			t.Errorf("%+v", f)
		}
	})
	t.Run("no region fits", func(t *testing.T) {
		s := manifested(t, "good", "good", "")
		s.Round.Manifests = []observation.Declaration{service}
		s.Round.Manifests[0].ARNs = []string{"arn:aws:acm:eu-west-1:111122223333:certificate/good"}
		if f := s.one(finding.DriftManifest, finding.Critical); !strings.Contains(f.Summary, "AWS refuses to attach it") {
			t.Errorf("summary %q", f.Summary)
		}
	})
}

// TestDriftManifestOfAnAddition: Terraform adds a certificate to a listener that another state makes. It says nothing of
// what else is there.
func TestDriftManifestOfAnAddition(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.ALB("web", s.ACM("a", leaf), s.ACM("x", s.Leaf("x.example.org")))
	e := s.HTTPS("api", host, ok("10.0.0.1", leaf))
	e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "web", Port: 443}
	listener := s.Round.LoadBalancers[0].Listeners[0].ARN
	s.Round.Manifests = []observation.Declaration{{Object: "aws_lb_listener_certificate.x", LoadBalancer: "web", Kind: observation.Application, Listener: listener, ARNs: []string{arnOf("x")}}}
	s.only() // attached; and the endpoint is not meant to get it
	if rows, out := s.preview(); len(rows) != 1 || rows[0].Action != plan.Keep || rows[0].Listener != "web:443" || !out.Complete {
		t.Errorf("%+v", rows)
	}
	s.Round.LoadBalancers[0].Listeners[0].Certificates = attach(arnOf("a"))
	if f := s.one(finding.DriftManifest, finding.Warning); f.Listener != "web:443" || !strings.HasPrefix(f.Remedy, "Apply the resource aws_lb_listener_certificate.x in the Terraform code, ") || !strings.Contains(f.Remedy, "add-listener-certificates") {
		t.Errorf("%+v", f)
	}
	if rows, out := s.preview(); len(rows) != 1 || rows[0].Action != plan.Change || rows[0].Verdict != plan.Pass || len(out.Findings) > 0 {
		t.Errorf("%+v %v", rows, codes(out.Findings))
	}
	s.Round.Manifests[0].ARNs = []string{s.ACM("old", s.LeafUntil(noon.AddDate(0, 0, -1), "x.example.org"))}
	if rows, _ := s.preview(); rows[0].Verdict != plan.Refuse {
		t.Errorf("an expired one passes: %+v", rows)
	}
	s.Round.LoadBalancers, s.Round.ListenersRead = nil, false
	if rows, _ := s.preview(); len(rows) != 1 || rows[0].Listener != "web" || rows[0].Verdict != plan.Refuse {
		t.Errorf("without AWS: %+v", rows)
	}
}
