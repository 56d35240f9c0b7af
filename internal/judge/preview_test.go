package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/prose"
	"certdrift/internal/target"
)

func (s *scene) preview() ([]plan.Row, finding.Conclusion) { s.t.Helper(); return Preview(s.input()) }

// TestPreview goes through what a plan says of one listener. What is empty is not there.
func TestPreview(t *testing.T) {
	for _, c := range []struct {
		name                         string
		manifest, attached, declared string
		action                       plan.Action
		verdict                      plan.Verdict
	}{
		{"all agree", "good", "good", "good", plan.Keep, plan.Pass},
		{"stale", "stale", "good", "good", plan.Change, plan.Refuse},
		{"expired, nothing configured", "expired", "good", "", plan.Change, plan.Refuse},
		{"fixes what is attached", "good", "stale", "good", plan.Change, plan.Pass},
		{"a rotation, nothing configured", "other", "good", "", plan.Change, plan.Warn},
		{"stale and attached already", "stale", "stale", "", plan.Keep, plan.Refuse},
		{"not there yet", "good", "", "good", plan.Create, plan.Pass},
		{"not there yet, stale", "stale", "", "", plan.Create, plan.Refuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manifested(t, c.manifest, c.attached, c.declared)
			s.Round.ListenersRead = true
			rows, out := s.preview()
			if len(rows) != 1 || rows[0].Action != c.action || rows[0].Verdict != c.verdict {
				t.Fatalf("%+v", rows)
			}
			if failed := finding.Worst(out.Findings) == finding.Critical; failed != (c.verdict == plan.Refuse) || !out.Complete {
				t.Errorf("the findings say otherwise: %+v", out)
			}
			for _, f := range out.Findings {
				if f.Code != finding.DriftManifest {
					t.Errorf("%s has nothing to do with the plan", f.Code)
				}
			}
		})
	}
}

// TestPreviewWithoutAWS holds what is said where nothing attached is known: a verdict only where it needs nothing more.
func TestPreviewWithoutAWS(t *testing.T) {
	for _, c := range []struct {
		name, manifest, declared string
		known                    bool
		verdict                  plan.Verdict
	}{
		{"declared, and the body known", "good", "good", true, plan.Pass},
		{"declared, the body not known", "good", "good", false, plan.Pass},
		{"another than declared", "other", "good", false, plan.Refuse},
		{"nothing declared, the body known", "good", "", true, plan.Pass},
		{"nothing declared, the body for another name", "stale", "", true, plan.Refuse},
		{"nothing declared, nothing known", "good", "", false, plan.Undecided},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manifested(t, c.manifest, "", c.declared)
			s.Round.CertificateFiles, s.Round.Certificates = s.Round.Certificates, nil
			if !c.known {
				s.Round.CertificateFiles = nil
			}
			rows, out := s.preview()
			if len(rows) != 1 || rows[0].Action != plan.Unknown || rows[0].Verdict != c.verdict {
				t.Fatalf("%+v", rows)
			}
			if out.Complete != (c.verdict != plan.Undecided) {
				t.Errorf("complete: %v", out.Complete)
			}
			if !c.known && len(rows[0].NotKnown) == 0 {
				t.Error("what is not known is not said")
			}
		})
	}
}

// TestPreviewOfListenersOutOfScope holds that a manifest whose endpoint is not known never passes: nobody knows which names its
// clients ask for. That some other endpoint declares the same certificate, or that AWS has no such load balancer yet, says nothing
// about them.
func TestPreviewOfListenersOutOfScope(t *testing.T) {
	s := manifested(t, "good", "", "")
	s.Round.Endpoints[0].Target.Service = ""
	if rows, out := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Undecided || out.Complete || !strings.Contains(rows[0].NotKnown[0], "k8s/api.yaml:7 (Service production/api)") {
		t.Errorf("%+v", rows)
	}
	s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf("good")}
	if rows, out := s.preview(); rows[0].Verdict != plan.Undecided || out.Complete {
		t.Errorf("declared: %+v", rows)
	}
	s.Round.Endpoints[0].Target.Declared = nil
	s.Round.ListenersRead = true
	if rows, out := s.preview(); rows[0].Verdict != plan.Undecided || rows[0].Action != plan.Create || out.Complete {
		t.Errorf("AWS asked: %+v", rows)
	}
	s.Round.Manifests[0].ARNs = []string{arnOf("expired")}
	if rows, _ := s.preview(); rows[0].Verdict != plan.Refuse {
		t.Errorf("expired whomever it is for: %+v", rows)
	}
}

// TestPreviewOfWhatACMWouldNotGive: AWS attaches what is issued only, and a revoked certificate is no use.
func TestPreviewOfWhatACMWouldNotGive(t *testing.T) {
	for status, want := range map[string]string{"PENDING_VALIDATION": "is not issued", "VALIDATION_TIMED_OUT": "is not issued", "REVOKED": "is revoked", "ISSUED": ""} {
		s := manifested(t, "other", "good", "")
		for i := range s.Round.Certificates {
			if c := &s.Round.Certificates[i]; c.ARN == arnOf("other") {
				if c.Status, c.Names = status, []string{host}; status != "REVOKED" {
					c.Chain = nil
				}
			}
		}
		s.Round.ListenersRead = true
		rows, out := s.preview()
		if want == "" {
			if rows[0].Verdict != plan.Warn {
				t.Errorf("%s: %+v", status, rows)
			}
			continue
		}
		if rows[0].Verdict != plan.Refuse || !strings.Contains(out.Findings[0].Summary, want) {
			t.Errorf("%s: %+v %+v", status, rows, out.Findings)
		}
	}
}

// TestPreviewOfWhatEndsSoon holds that a certificate about to end is not put where nothing is attached, or where what is
// attached is not known; one that stays where it is is left to the rules on listeners.
func TestPreviewOfWhatEndsSoon(t *testing.T) {
	for _, c := range []struct {
		name, attached, declared string
		left                     int // days of 90
		read                     bool
		want                     plan.Verdict
	}{
		{"offline, critical", "", "", 3, false, plan.Refuse},
		{"offline, critical, as declared", "", "soon", 3, false, plan.Refuse},
		{"offline, warning", "", "", 15, false, plan.Warn},
		{"offline, warning, as declared", "", "soon", 15, false, plan.Warn},
		{"offline, long enough", "", "", 50, false, plan.Pass},
		{"to be created, critical", "", "soon", 3, true, plan.Refuse},
		{"to be created, warning", "", "soon", 15, true, plan.Warn},
		{"attached already, critical", "soon", "", 3, true, plan.Pass},
		{"attached already, warning", "soon", "soon", 15, true, plan.Pass},
		{"instead of one that lasts longer", "good", "", 15, true, plan.Refuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manifested(t, "soon", "", c.declared)
			soon := s.LeafUntil(noon.AddDate(0, 0, c.left), host)
			s.ACM("soon", soon)
			if c.attached != "" {
				s.Classic("a1", arnOf(c.attached)).Tags = map[string]string{"kubernetes.io/service-name": "production/api"}
			}
			s.Round.ListenersRead = c.read
			rows, out := s.preview()
			if len(rows) != 1 || rows[0].Verdict != c.want || !out.Complete {
				t.Fatalf("complete %v: %+v", out.Complete, rows)
			}
			if c.want == plan.Pass {
				return
			}
			said := strings.Join(rows[0].Reasons, "\n") + out.Findings[0].Summary
			if strings.Count(said, "certificate/soon expires "+prose.Day(soon.Certificate.NotAfter)) != 2 || strings.Contains(out.Findings[0].Remedy, "declare "+arnOf("soon")) {
				t.Errorf("%q, remedy %q", said, out.Findings[0].Remedy)
			}
		})
	}
}

// TestPreviewOfAnAdditionThatEndsSoon holds the same for a certificate that goes beside others.
func TestPreviewOfAnAdditionThatEndsSoon(t *testing.T) {
	s := newScene(t)
	s.ALB("web", s.ACM("a", s.Leaf(host)))
	s.ACM("soon", s.LeafUntil(noon.AddDate(0, 0, 3), "x.example.org"))
	l := &s.Round.LoadBalancers[0].Listeners[0]
	s.Round.Manifests = []observation.Declaration{{Object: "aws_lb_listener_certificate.x", LoadBalancer: "web", Kind: observation.Application, Listener: l.ARN, ARNs: []string{arnOf("soon")}}}
	if rows, _ := s.preview(); len(rows) != 1 || rows[0].Verdict != plan.Refuse {
		t.Errorf("added: %+v", rows)
	}
	l.Certificates = attach(arnOf("a"), arnOf("soon"))
	if rows, _ := s.preview(); rows[0].Verdict != plan.Pass {
		t.Errorf("there already: %+v", rows)
	}
}
