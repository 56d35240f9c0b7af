package judge

import (
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

const serverARN = "arn:aws:iam::" + account + ":server-certificate/"

// did is a call on certificates themselves, as an event reports it.
func did(call string, at time.Time, arns ...string) observation.Change {
	return observation.Change{
		EventID: "9c2d7b40", Event: call, At: at, Region: region, Account: account, Certificates: arns,
		Author: &observation.Author{Principal: "arn:aws:sts::111122223333:assumed-role/Operator/jane", Name: "Operator", Session: "jane", Tool: "AWS console"},
	}
}

// imported puts a certificate into ACM as somebody imported it.
func (s *scene) imported(name string, p *pki.Pair, at time.Time) string {
	arn := s.ACM(name, p)
	c := &s.Round.Certificates[len(s.Round.Certificates)-1]
	c.Type, c.RenewalEligibility, c.Imported = "IMPORTED", "INELIGIBLE", at
	return arn
}

// author is who a finding says did it, and how sure that is; empty where it says nothing of it.
func author(t *testing.T, f finding.Finding) string {
	t.Helper()
	by, known := f.AllEvidence()["changed_by"].(map[string]any)
	if !known {
		text, _ := f.AllEvidence()["author"].(string)
		text, _, _ = strings.Cut(text, ":")
		return text
	}
	if by["action"] == nil {
		return "attached by " + by["name"].(string)
	}
	return strings.Join([]string{by["action"].(string), by["name"].(string), by["standing"].(string), by["event"].(string), topology.ShortARN(by["certificate"].(string))}, " ")
}

func TestWhoDeletedTheCertificate(t *testing.T) {
	const acmGone, iamGone = "certificate/gone", "server-certificate/path/gone"
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	named := func(call, name string) observation.Change { return did(call, ago(time.Minute), serverARN+name) }
	renamed := func(to string) observation.Change {
		c := named("UpdateServerCertificate", "gone")
		c.Renamed = to
		return c
	}
	attached := observation.Change{Event: "ModifyListener", At: ago(time.Hour), LoadBalancer: "web", Certificates: []string{arnOf("gone")}, Author: &observation.Author{Name: "ci"}}
	for name, c := range map[string]struct {
		arn     string
		changes []observation.Change
		want    string
	}{
		"ACM's":                            {arnOf("gone"), []observation.Change{attached, did("DeleteCertificate", ago(time.Minute), arnOf("gone"))}, "deleted Operator claimed DeleteCertificate " + acmGone},
		"IAM's, by its name":               {serverARN + "path/gone", []observation.Change{named("DeleteServerCertificate", "gone")}, "deleted Operator claimed DeleteServerCertificate " + iamGone},
		"renamed":                          {serverARN + "path/gone", []observation.Change{renamed(serverARN + "path/next")}, "renamed Operator claimed UpdateServerCertificate " + iamGone},
		"renamed from another name":        {serverARN + "path/gone", []observation.Change{renamed(serverARN + "path/gone")}, "unknown"},
		"another one's":                    {arnOf("gone"), []observation.Change{did("DeleteCertificate", ago(time.Minute), arnOf("other"))}, "unknown"},
		"another name":                     {serverARN + "path/gone", []observation.Change{named("DeleteServerCertificate", "path")}, "unknown"},
		"another account":                  {serverARN + "path/gone", []observation.Change{did("DeleteServerCertificate", ago(time.Minute), "arn:aws:iam::999988887777:server-certificate/gone")}, "unknown"},
		"imported after that":              {arnOf("gone"), []observation.Change{did("DeleteCertificate", ago(time.Hour), arnOf("gone")), did("ImportCertificate", ago(time.Minute), arnOf("gone"))}, "unknown"},
		"the name given to another path":   {serverARN + "path/gone", []observation.Change{did("UploadServerCertificate", ago(time.Hour), serverARN+"b/gone"), named("DeleteServerCertificate", "gone")}, "unknown"},
		"uploaded again, and deleted":      {serverARN + "path/gone", []observation.Change{did("UploadServerCertificate", ago(time.Hour), serverARN+"b/gone"), did("UploadServerCertificate", ago(30*time.Minute), serverARN+"path/gone"), named("DeleteServerCertificate", "gone")}, "deleted Operator claimed DeleteServerCertificate " + iamGone},
		"only ACM's own word":              {arnOf("gone"), []observation.Change{{Event: "ACM Certificate Expired", At: ago(time.Minute), Certificates: []string{arnOf("gone")}}}, "unknown"},
		"a listener's change":              {arnOf("gone"), []observation.Change{attached}, "unknown"},
		"nobody":                           {arnOf("gone"), nil, "unknown"},
		"two deleted it, the later counts": {arnOf("gone"), []observation.Change{did("DeleteCertificate", ago(time.Minute), arnOf("gone")), {Event: "DeleteCertificate", At: ago(time.Hour), Certificates: []string{arnOf("gone")}, Author: &observation.Author{Name: "before"}}}, "deleted Operator claimed DeleteCertificate " + acmGone},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.Round.Certificates = []observation.Certificate{{ARN: c.arn, Missing: true}}
			s.ALB("web", c.arn)
			s.Round.Changes = c.changes
			f := s.one(finding.ListenerCertMissing, finding.Warning)
			if got := author(t, f); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			verb, _, _ := strings.Cut(c.want, " ")
			if words := "; " + verb + " by Operator (AWS console) at 2026-11-20 11:59 UTC, reported by an event, not yet confirmed by CloudTrail"; strings.HasSuffix(f.Summary, words) == (verb == "unknown") {
				t.Errorf("summary %q", f.Summary)
			}
		})
	}
}

func TestWhoDeletedIsConfirmedByCloudTrail(t *testing.T) {
	s := newScene(t)
	s.Round.Certificates = []observation.Certificate{{ARN: arnOf("gone"), Missing: true}}
	s.Classic("a1", arnOf("gone"))
	s.Round.Changes = []observation.Change{did("DeleteCertificate", noon.Add(-time.Minute), arnOf("gone"))}
	s.Round.Changes[0].Confirmed = true
	if f := s.one(finding.ListenerCertMissing, finding.Warning); !strings.Contains(author(t, f), "confirmed") || strings.Contains(f.Summary, "claims") {
		t.Errorf("%s by %s", f.Summary, author(t, f))
	}
}

// reimported is an endpoint whose listener's certificate somebody imported a minute ago; it has so many of its 90 days
// left. What is found of it, in the end, says who did it or not.
func reimported(t *testing.T, days int, names ...string) *scene {
	t.Helper()
	s := newScene(t)
	leaf := s.LeafUntil(noon.Add(time.Duration(days)*24*time.Hour), names...)
	s.Classic("a1", s.imported("a", leaf, noon.Add(-time.Minute)))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
	s.Round.Changes = []observation.Change{did("ImportCertificate", noon.Add(-time.Minute), arnOf("a"))}
	return s
}

func TestWhoImportedTheCertificate(t *testing.T) {
	const operator = "imported Operator claimed ImportCertificate certificate/a"
	for name, c := range map[string]struct {
		scene *scene
		want  map[finding.Code]string
	}{
		"an old one":      {reimported(t, 5, host), map[finding.Code]string{finding.CertExpiring: operator, finding.ListenerCertExpiring: operator, finding.ACMRenewalIneligible: ""}},
		"one that ended":  {reimported(t, -1, host), map[finding.Code]string{finding.CertExpired: operator, finding.ListenerCertExpired: operator}},
		"another name's":  {reimported(t, 60, "old.example.net"), map[finding.Code]string{finding.CertNameMismatch: operator, finding.ListenerNameUncovered: operator}},
		"one of somebody": {selfSignedImport(t), map[finding.Code]string{finding.CertSelfSigned: operator}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[finding.Code]string{}
			for _, f := range c.scene.judge().Findings {
				if f.Severity > finding.Info {
					got[f.Code] = author(t, f)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("found %v", got)
			}
			for code, want := range c.want {
				if who, found := got[code]; !found || who != want {
					t.Errorf("%s by %q, want %q", code, who, want)
				}
			}
		})
	}
}

// A new endpoint, another trust store or a new rule shows a fault that an import of last week did not cause.
func TestAnImportOfLastWeekBroughtNothingToday(t *testing.T) {
	for at, want := range map[time.Time]string{noon.Add(-24 * time.Hour): "imported Operator claimed ImportCertificate certificate/a", noon.AddDate(0, 0, -7): ""} {
		s := reimported(t, 60, "old.example.net")
		s.importedAt(at)
		for _, code := range []finding.Code{finding.CertNameMismatch, finding.ListenerNameUncovered} {
			if got := author(t, s.one(code, finding.Critical)); got != want {
				t.Errorf("%s after an import at %s: %q, want %q", code, at, got, want)
			}
		}
	}
}

func selfSignedImport(t *testing.T) *scene {
	t.Helper()
	s := reimported(t, 60, host)
	own, err := pki.SelfSigned(noon, []string{host})
	if err != nil {
		t.Fatal(err)
	}
	s.Round.Certificates[0].Chain = own.Served()
	s.Round.Endpoints[0].Addresses[0].TLS.Chain = own.Served()
	s.Round.Changes[0].At, s.Round.Certificates[0].Imported = noon, noon
	return s
}

func TestWhoUploadedTheServerCertificate(t *testing.T) {
	s := newScene(t)
	leaf := s.LeafUntil(noon.AddDate(0, 0, 5), host)
	s.Round.Certificates = []observation.Certificate{{ARN: serverARN + "tls/api", Chain: leaf.Served(), NotAfter: leaf.Certificate.NotAfter, Imported: noon.Add(-time.Minute)}}
	s.Classic("a1", serverARN+"tls/api")
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
	for named, want := range map[string]string{"tls/api": "imported Operator claimed UploadServerCertificate server-certificate/tls/api", "other/api": "unknown"} {
		s.Round.Changes = []observation.Change{did("UploadServerCertificate", noon.Add(-time.Minute), serverARN+named)}
		for _, code := range []finding.Code{finding.CertExpiring, finding.ListenerCertExpiring} {
			if got := author(t, s.one(code, finding.Critical)); got != want {
				t.Errorf("%s after an upload to %s: %q, want %q", code, named, got, want)
			}
		}
	}
}

// An import is not the cause of what time, the authority, or another change brought about.
func TestAnImportThatIsNotTheCause(t *testing.T) {
	attach := func(at time.Time) observation.Change {
		return observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", At: at, LoadBalancer: "a1", Port: 443, Certificates: []string{arnOf("a")}, Author: &observation.Author{Name: "ci"}}
	}
	for name, c := range map[string]struct {
		change func(*scene)
		want   string // "unknown" where it is worth looking up
	}{
		"as imported":                        {func(*scene) {}, "imported Operator claimed ImportCertificate certificate/a"},
		"it was new then":                    {func(s *scene) { s.importedAt(noon.AddDate(0, 0, -70)) }, ""},
		"another was imported since":         {func(s *scene) { s.Round.Changes[0].At, s.Round.Certificates[0].Imported = noon.Add(-time.Hour), noon }, "unknown"},
		"it was issued since":                {func(s *scene) { s.Round.Changes[0].At = noon.AddDate(0, 0, -100) }, "unknown"},
		"another certificate was imported":   {func(s *scene) { s.Round.Changes[0].Certificates = []string{arnOf("b")} }, "unknown"},
		"nobody is known":                    {func(s *scene) { s.Round.Changes = nil }, "unknown"},
		"nor when it was, as in older files": {func(s *scene) { s.Round.Changes, s.Round.Certificates[0].Imported = nil, time.Time{} }, ""},
		"imported before CloudTrail's history": {func(s *scene) {
			s.Round.Changes, s.policy.ExpiryWarning = nil, policy.Threshold{Duration: 300 * 24 * time.Hour}
			s.Round.Certificates[0].Imported = noon.AddDate(0, 0, -91)
		}, ""},
		"Amazon issued it":           {func(s *scene) { s.Round.Certificates[0].Type = "AMAZON_ISSUED" }, ""},
		"it was attached after that": {func(s *scene) { s.Round.Changes = append(s.Round.Changes, attach(noon)) }, ""},
		"it was attached before":     {func(s *scene) { s.Round.Changes = append(s.Round.Changes, attach(noon.AddDate(0, 0, -1))) }, "imported Operator claimed ImportCertificate certificate/a"},
		"the nodes serve another": {func(s *scene) {
			s.Round.Endpoints[0].Addresses = []observation.Address{ok("10.0.0.1", s.LeafUntil(noon.AddDate(0, 0, 5), host))}
		}, ""},
		"another is declared": {func(s *scene) { behind(&s.Round.Endpoints[0], "a1", s.ACM("right", s.Leaf(host))) }, ""},
		"a fingerprint is declared": {func(s *scene) {
			s.Round.Endpoints[0].Target.Declared = &target.Declared{FingerprintSHA256: topology.Fingerprint(s.Leaf(host).Certificate)}
		}, "imported Operator claimed ImportCertificate certificate/a"},
		"the listener is not known": {func(s *scene) { s.Round.LoadBalancers = nil }, ""},
		"a refusal to look it up":   {func(s *scene) { s.Round.Changes, s.Round.HistoryUnread = nil, "AccessDenied" }, "unknown"},
		"it is of another ARN by name": {func(s *scene) {
			s.Round.Changes[0].Certificates = []string{strings.Replace(arnOf("a"), region, "eu-west-1", 1)}
		}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := reimported(t, 5, host)
			c.change(s)
			f := s.one(finding.CertExpiring, finding.Critical)
			if got := author(t, f); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if listener := f.AllEvidence()["listener"]; (c.want == "") != (listener == nil) {
				t.Errorf("listener %v", listener)
			}
		})
	}
}

func (s *scene) importedAt(at time.Time) {
	s.Round.Changes[0].At, s.Round.Certificates[0].Imported = at, at
}

func TestRevocationIsNobodysImport(t *testing.T) {
	s := reimported(t, 60, host)
	s.Round.Certificates[0].Status = "REVOKED"
	if f := s.one(finding.CertRevoked, finding.Critical); author(t, f) != "" {
		t.Errorf("by %s", author(t, f))
	}
}

// An import over the attached ARN brings a drift about where a fingerprint is declared; where an ARN is, attaching did.
func TestDriftByAnImport(t *testing.T) {
	const operator = "imported Operator claimed ImportCertificate certificate/a"
	s := reimported(t, 60, host)
	e := behind(&s.Round.Endpoints[0], "a1", "")
	e.Target.Declared = &target.Declared{FingerprintSHA256: topology.Fingerprint(s.Leaf(host).Certificate)}
	f := s.one(finding.DriftAttached, finding.Critical)
	if author(t, f) != operator || !strings.Contains(f.Summary, "; imported by Operator (AWS console) at ") {
		t.Errorf("by %q: %s", author(t, f), f.Summary)
	}
	attached := observation.Change{Event: "SetLoadBalancerListenerSSLCertificate", LoadBalancer: "a1", Port: 443, Certificates: []string{arnOf("a")}, Author: &observation.Author{Name: "ci"}}
	for at, want := range map[time.Time]string{noon: "attached by ci", noon.Add(-time.Hour): operator} {
		attached.At = at
		s.Round.Changes = append(s.Round.Changes[:1], attached)
		if f := s.one(finding.DriftAttached, finding.Critical); author(t, f) != want {
			t.Errorf("attached at %s: by %q, want %q", at, author(t, f), want)
		}
	}
	s.Round.Changes = s.Round.Changes[:1]
	s.Round.Changes[0].At, s.Round.Certificates[0].Imported = noon.AddDate(0, 0, -31), time.Time{} // the certificate began a day after
	if f := s.one(finding.DriftAttached, finding.Critical); author(t, f) != "unknown" {
		t.Errorf("imported before it was issued, by %q", author(t, f))
	}
	s.importedAt(noon.Add(-time.Minute))
	e.Target.Declared = &target.Declared{ARN: s.ACM("right", s.Leaf(host))}
	if f := s.one(finding.DriftAttached, finding.Critical); author(t, f) != "unknown" {
		t.Errorf("another ARN is attached, by %q", author(t, f))
	}
	e.Target.Declared = nil
	e.Addresses = []observation.Address{ok("10.0.0.1", s.Leaf(host))}
	s.importedAt(noon.Add(-time.Hour))
	if f := s.one(finding.DriftServed, finding.Critical); author(t, f) != operator {
		t.Errorf("the nodes did not take the import up, by %q", author(t, f))
	}
}

// What was attached before is what another listener's change says, never an import's certificate.
func TestAnImportIsNoFormerAttachment(t *testing.T) {
	s, _, wrong := driftedScene(t)
	s.Round.LoadBalancers[0].Kind = observation.Application
	s.Round.LoadBalancers[0].Listeners[0].Certificates = attach(wrong, s.ACM("sni", s.Leaf("sni.example.org")))
	s.Round.Changes = []observation.Change{
		did("ImportCertificate", noon.Add(-2*time.Hour), arnOf("sni")),
		{Event: "ModifyListener", At: noon.Add(-time.Hour), LoadBalancer: "a1", Certificates: []string{wrong}, Author: &observation.Author{Name: "ci"}},
	}
	if f := s.one(finding.DriftAttached, finding.Critical); f.AllEvidence()["before"] != nil {
		t.Errorf("before: %v", f.AllEvidence()["before"])
	}
}
