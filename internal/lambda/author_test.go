package lambda_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// imports puts a certificate over the shared ARN as the operator, and on the load balancers' nodes.
func (s *stage) imports(pair *pki.Pair) {
	s.t.Helper()
	key, err := pair.KeyPEM()
	if err != nil {
		s.t.Fatal(err)
	}
	in := &acm.ImportCertificateInput{CertificateArn: aws.String(s.shared), Certificate: pair.PEM(), PrivateKey: key}
	if _, err := s.account.As(account.Operator()).ACM().ImportCertificate(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
	s.serves["api"], s.serves["ui"] = pair, pair
}

// told hands the function the last call as EventBridge delivers it, a minute later.
func (s *stage) told() {
	s.t.Helper()
	events := s.account.Events()
	s.now = s.now.Add(time.Minute)
	s.handle(events[len(events)-1])
}

// authors are who the last round's findings say did it, as CODE@WHERE ACTION NAME STANDING, sorted; those that say nothing
// of it end with a dash.
func (s *stage) authors() []string {
	var out []string
	for _, f := range s.last.Conclusion.Findings {
		line := string(f.Code) + "@" + f.Listener + f.Endpoint + " -"
		switch by, known := f.AllEvidence()["changed_by"].(map[string]any); {
		case known:
			line = strings.TrimSuffix(line, "-") + by["action"].(string) + " " + by["name"].(string) + " " + by["standing"].(string)
		case f.AllEvidence()["author"] != nil:
			line = strings.TrimSuffix(line, "-") + "unknown"
		}
		if f.Severity >= finding.Warning {
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

const withServerCertificate = `      - {name: old, url: "https://old.example.org/", connect_to: ["127.0.0.1:1"], load_balancer: {name: lb-old, port: 443}}
`

// newStageWithIAM has a fourth load balancer, whose certificate is IAM's, under a path.
func newStageWithIAM(t *testing.T) (s *stage, arn string) {
	t.Helper()
	s = newStageOf(t, stageConfig+withServerCertificate)
	s.serves["old"] = s.leaf(100, 90, "old.example.org")
	arn = s.account.AddServerCertificate("tls/web/old", s.serves["old"])
	s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb-old", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{arn}}}})
	return s, arn
}

// TestTheAlertSaysWhoChangedTheCertificate: a call on a certificate itself comes as CloudTrail delivers it, and the alert
// names who made it: as a fact where CloudTrail has the record, as a claim where it cannot be asked.
func TestTheAlertSaysWhoChangedTheCertificate(t *testing.T) {
	for name, tt := range map[string]struct {
		change   func(s *stage, server string)
		want     []string // the authors; STANDING stands for what is known
		call, by string
	}{
		"ACM's deleted": {
			func(s *stage, _ string) { s.account.As(account.Operator()).DeleteCertificate(s.shared) },
			[]string{"listener-cert-missing@lb-api:443api deleted Operator STANDING", "listener-cert-missing@lb-ui:443ui deleted Operator STANDING"},
			"DeleteCertificate", "attached certificate deleted by Operator",
		},
		"IAM's deleted, known by its name": {
			func(s *stage, server string) { s.account.As(account.Operator()).DeleteCertificate(server) },
			[]string{"listener-cert-missing@lb-old:443old deleted Operator STANDING"},
			"DeleteServerCertificate", "attached certificate deleted by Operator",
		},
		"an old one imported": {
			func(s *stage, _ string) { s.imports(s.leaf(100, 5, names()...)) },
			[]string{
				"acm-renewal-ineligible@ -",
				"cert-expiring@api imported Operator STANDING", "cert-expiring@ui imported Operator STANDING",
				"listener-cert-expiring@lb-api:443api imported Operator STANDING", "listener-cert-expiring@lb-ui:443ui imported Operator STANDING",
			},
			"ImportCertificate", "imported by Operator",
		},
		"another name's imported": {
			func(s *stage, _ string) { s.imports(s.leaf(100, 90, "elsewhere.example.org")) },
			[]string{
				"cert-name-mismatch@api imported Operator STANDING", "cert-name-mismatch@ui imported Operator STANDING",
				"listener-name-uncovered@lb-api:443api imported Operator STANDING", "listener-name-uncovered@lb-ui:443ui imported Operator STANDING",
			},
			"ImportCertificate", "imported by Operator",
		},
	} {
		for standing, says := range map[string]string{"confirmed": "CloudTrail (confirmed)", "claimed": "reported by an event, not yet confirmed by CloudTrail"} {
			t.Run(name+", "+standing, func(t *testing.T) {
				s, server := newStageWithIAM(t)
				if s.tick(); len(s.found()) > 0 {
					t.Fatalf("ill before anything happened: %v", s.found())
				}
				if standing == "claimed" {
					s.account.Deny("cloudtrail:LookupEvents")
				}
				tt.change(s, server)
				s.told()
				var want []string
				for _, line := range tt.want {
					want = append(want, strings.Replace(line, "STANDING", standing, 1))
				}
				if diff := cmp.Diff(want, s.authors()); diff != "" {
					t.Fatalf("authors (-want +got):\n%s", diff)
				}
				messages := s.account.Messages(s.topic)
				if len(messages) == 0 {
					t.Fatal("nobody was notified")
				}
				for _, m := range messages {
					email := strings.Join(strings.Fields(m.Texts["email"]), " ")
					for _, piece := range []string{"WHO CHANGED IT Operator as operator (AWS console), 2026-11-20 12:", "from 198.51.100.23 source " + says, " call " + tt.call + " on arn:aws:", " principal arn:aws:sts::111122223333:assumed-role/Operator/operator"} {
						if !strings.Contains(email, piece) {
							t.Errorf("the email lacks %q:\n%s", piece, m.Texts["email"])
						}
					}
					by := tt.by
					if standing == "claimed" {
						by += " (unconfirmed)"
					}
					if !strings.Contains(m.Texts["sms"], by) {
						t.Errorf("the text message lacks %q: %s", by, m.Texts["sms"])
					}
				}
				s.replays()
			})
		}
	}
}

// replays holds that the round as it would be saved is judged as it was.
func (s *stage) replays() {
	s.t.Helper()
	raw, err := json.Marshal(s.last.Round)
	if err != nil {
		s.t.Fatal(err)
	}
	var saved observation.Round
	if err := json.Unmarshal(raw, &saved); err != nil {
		s.t.Fatal(err)
	}
	none := chain.NewStore(nil)
	again := judge.Judge(judge.Input{Policy: policy.DefaultThresholds(), Roots: func(target.Roots) *chain.Store { return none }, Now: s.now, Round: saved})
	if diff := cmp.Diff(findings(s.t, s.last.Conclusion.Findings), findings(s.t, again.Findings)); diff != "" {
		s.t.Errorf("the saved round is judged otherwise (-then +now):\n%s", diff)
	}
}

func findings(t *testing.T, fs []finding.Finding) string {
	t.Helper()
	raw, err := json.MarshalIndent(fs, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestTheScheduleLooksUpWhoChangedTheCertificate: no event came, and CloudTrail knows: in the region, and where IAM's calls are.
func TestTheScheduleLooksUpWhoChangedTheCertificate(t *testing.T) {
	s, server := newStageWithIAM(t)
	s.account.As(account.Operator()).DeleteCertificate(server)
	s.imports(s.leaf(100, 5, names()...))
	s.tick()
	want := []string{
		"acm-renewal-ineligible@ -",
		"cert-expiring@api imported Operator confirmed", "cert-expiring@ui imported Operator confirmed",
		"listener-cert-expiring@lb-api:443api imported Operator confirmed", "listener-cert-expiring@lb-ui:443ui imported Operator confirmed",
		"listener-cert-missing@lb-old:443old deleted Operator confirmed",
	}
	if diff := cmp.Diff(want, s.authors()); diff != "" {
		t.Errorf("authors (-want +got):\n%s", diff)
	}
	s.replays()
}

// TestChangesAreNotAttributedToBystanders: neither an event that names another certificate nor the import of this one
// explains why it is gone.
func TestChangesAreNotAttributedToBystanders(t *testing.T) {
	t.Run("another certificate was deleted", func(t *testing.T) {
		s, server := newStageWithIAM(t)
		s.account.RemoveCertificate(s.shared) // and no trail names who did it
		s.account.As(account.Operator()).DeleteCertificate(server)
		s.told()
		want := []string{"listener-cert-missing@lb-api:443api unknown", "listener-cert-missing@lb-old:443old deleted Operator confirmed", "listener-cert-missing@lb-ui:443ui unknown"}
		if diff := cmp.Diff(want, s.authors()); diff != "" {
			t.Errorf("authors (-want +got):\n%s", diff)
		}
	})
	t.Run("it was new when it was imported", func(t *testing.T) {
		s := newStage(t)
		s.imports(s.leaf(100, 80, names()...))
		if s.told(); len(s.found()) > 0 {
			t.Fatalf("found %v", s.found())
		}
		s.now = s.now.AddDate(0, 0, 70)
		s.tick()
		if got := strings.Join(s.authors(), "\n"); !strings.Contains(got, "cert-expiring@api -") || strings.Contains(got, "Operator") || strings.Contains(got, "unknown") {
			t.Errorf("authors:\n%s", got)
		}
		if n := s.account.Calls()["cloudtrail:LookupEvents"]; n > 0 {
			t.Errorf("CloudTrail was asked %d times of what time brought about", n)
		}
	})
}
