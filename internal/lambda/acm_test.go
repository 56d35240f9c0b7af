package lambda_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/account"
)

// names are what the shared certificate is for.
func names() []string { return []string{"api.example.org", "ui.example.org"} }

// TestACMEventsOpenAndCloseFindings feeds the function each kind of event about the certificate that two of three load
// balancers share. What ACM's record says by then makes the findings; the third load balancer is left alone.
func TestACMEventsOpenAndCloseFindings(t *testing.T) {
	both := func(codes ...string) []string {
		var out []string
		for _, c := range codes {
			out = append(out, c+"@lb-api:443", c+"@lb-ui:443")
		}
		slices.Sort(out)
		return out
	}
	renewed := func(s *stage) { s.serve(s.leaf(100, 99, names()...)) }
	for name, tt := range map[string]struct {
		event  string
		before func(*stage) // what happens to the certificate
		want   []string
		says   string // a fact that the alert includes, from the event or from ACM's answer
		fix    func(*stage)
		fixed  string // the event that follows; a scheduled tick if empty
	}{
		"approaching expiration": {
			event: "acm-approaching-expiration", before: func(s *stage) { s.serve(s.leaf(100, 20, names()...)) },
			want: append([]string{"cert-expiring@api", "cert-expiring@ui"}, both("listener-cert-expiring")...), says: "DaysToExpiry 31",
			fix: renewed, fixed: "acm-import-certificate",
		},
		"expired": {
			event: "acm-expired", before: func(s *stage) { s.serve(s.leaf(100, -1, names()...)) },
			want: append([]string{"cert-expired@api", "cert-expired@ui"}, both("listener-cert-expired")...), says: "CertificateType AMAZON_ISSUED",
			fix: renewed, fixed: "acm-available",
		},
		"renewal action required": {
			event: "acm-renewal-action-required", before: func(s *stage) {
				s.account.EditCertificate(s.shared, func(d *acmtypes.CertificateDetail) {
					d.RenewalSummary = &acmtypes.RenewalSummary{RenewalStatus: acmtypes.RenewalStatusFailed, RenewalStatusReason: acmtypes.FailureReasonCaaError}
				})
			},
			want: []string{"acm-renewal-failing@"}, says: "RenewalStatusReason CAA_ERROR",
			fix: renewed, fixed: "acm-available",
		},
		"not eligible": {
			event: "acm-approaching-expiration", before: func(s *stage) {
				s.account.EditCertificate(s.shared, func(d *acmtypes.CertificateDetail) { d.RenewalEligibility = acmtypes.RenewalEligibilityIneligible })
			},
			want: []string{"acm-renewal-ineligible@"}, says: "CommonName monitoring.example.org",
			fix: renewed, fixed: "acm-rotated",
		},
		"revoked": {
			event: "acm-revoked", before: func(s *stage) {
				s.account.EditCertificate(s.shared, func(d *acmtypes.CertificateDetail) { d.Status = acmtypes.CertificateStatusRevoked })
			},
			want: both("cert-revoked"), says: "RevocationReason KEY_COMPROMISE",
			fix: renewed, fixed: "acm-rotated",
		},
		"deleted": {
			event: "acm-delete-certificate", before: func(s *stage) { s.account.RemoveCertificate(s.shared) },
			want: both("listener-cert-missing"), says: "certificate/11111111-0000-4000-8000-000000000001, missing true",
			fix: renewed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.tick()
			if len(s.found()) > 0 {
				t.Fatalf("findings before anything happened: %v", s.found())
			}
			tt.before(s)
			s.handle(s.sample(tt.event, s.shared))
			if !slices.Equal(s.found(), tt.want) {
				t.Errorf("the event opened %v, want %v", s.found(), tt.want)
			}
			if len(s.subjects()) != 1 {
				t.Fatalf("%d messages, want one for the one cause: %q", len(s.subjects()), s.subjects())
			}
			if email := s.account.Messages(s.topic)[0].Texts["email"]; tt.says == "" || !strings.Contains(strings.Join(strings.Fields(email), " "), tt.says) {
				t.Errorf("the email lacks %q:\n%s", tt.says, email)
			}
			tt.fix(s)
			if tt.fixed != "" {
				s.handle(s.sample(tt.fixed, s.shared))
				if len(s.found()) > 0 {
					t.Errorf("after %s there is still %v", tt.fixed, s.found())
				}
			}
			for range policy.DefaultAlerting().Recover {
				s.tick()
			}
			if got := s.subjects(); len(got) != 2 || !strings.HasPrefix(got[1], "RESOLVED") {
				t.Errorf("messages %q, want a recovery as the second", got)
			}
		})
	}
}

// TestACertificateEventLooksAtItsUsersOnly counts the calls: a daily event for each of hundreds of certificates must not
// read a whole account each time.
func TestACertificateEventLooksAtItsUsersOnly(t *testing.T) {
	for _, kind := range []string{"acm-approaching-expiration", "acm-expired", "acm-available", "acm-renewal-action-required", "acm-rotated", "acm-revoked", "acm-import-certificate"} {
		t.Run(kind, func(t *testing.T) {
			s := newStage(t)
			out := s.handle(s.sample(kind, s.own))
			if out.Listeners != 1 || !slices.Equal(s.probed, []string{"other"}) {
				t.Errorf("%d listeners and the endpoints %v, want lb-other's one and other", out.Listeners, s.probed)
			}
			calls := s.account.Calls()
			if kind != "acm-import-certificate" && (calls["elbv2:DescribeListeners"] != 1 || calls["acm:GetCertificate"] != 1) {
				t.Errorf("calls %v", calls)
			}
			if s.ignoredEvents() != 0 {
				t.Error("counted as ignored")
			}
		})
	}
}

// TestADeclaredCertificateIsLookedFor: ACM may not know yet who uses a certificate; where a load balancer is known by its
// tags only, everything is checked. What nobody declares is left alone, and queried once.
func TestADeclaredCertificateIsLookedFor(t *testing.T) {
	for declared, want := range map[bool]string{true: "pass", false: "ignored"} {
		s := newStage(t)
		arn := s.account.AddCertificate("44444444-0000-4000-8000-000000000004", s.leaf(100, 90, "next.example.org"))
		if declared {
			s.manifests = []observation.Declaration{{Object: "Service production/next", Service: "production/next", Port: 443, ARNs: []string{arn}}}
		}
		out := s.handle(s.sample("acm-available", arn))
		if out.Verdict != want || declared == (s.ignoredEvents() == 1) || declared != (out.Listeners == 3) {
			t.Errorf("declared %v: %+v, %d ignored", declared, out, s.ignoredEvents())
		}
	}
}

// TestACMIsAskedBeforeItsEventIsBelieved: what the record does not bear out is no finding.
func TestACMIsAskedBeforeItsEventIsBelieved(t *testing.T) {
	for _, kind := range []string{"acm-approaching-expiration", "acm-expired", "acm-renewal-action-required", "acm-revoked", "acm-delete-certificate"} {
		s := newStage(t)
		s.handle(s.sample(kind, s.shared))
		if len(s.found()) > 0 || len(s.subjects()) > 0 {
			t.Errorf("%s was believed: %v, %q", kind, s.found(), s.subjects())
		}
	}
}

// TestWhatAnEventMakesUpLeadsNowhere: ARNs of nobody's, accounts and regions that the configuration does not name. No
// call is made for them beyond the one question to ACM of the configuration's own account, and each is counted.
func TestWhatAnEventMakesUpLeadsNowhere(t *testing.T) {
	const nobody = "arn:aws:acm:us-west-2:111122223333:certificate/99999999-0000-4000-8000-000000000009"
	const modify = "v2-modify-listener-terraform"
	for name, tt := range map[string]struct {
		event, arn string
		replace    []string
		asked      []string // the calls made
	}{
		"a certificate of nobody's":            {event: "acm-expired", arn: nobody, asked: []string{"acm:DescribeCertificate"}},
		"an ARN of another account":            {event: "acm-expired", arn: strings.Replace(nobody, "111122223333", "999988887777", 1)},
		"an ARN of another region":             {event: "acm-revoked", arn: strings.Replace(nobody, "us-west-2", "eu-north-1", 1)},
		"another account":                      {event: "acm-expired", arn: nobody, replace: []string{"111122223333", "999988887777"}},
		"another region":                       {event: "acm-expired", arn: nobody, replace: []string{"us-west-2", "eu-north-1"}},
		"no ARN at all":                        {event: "acm-expired", arn: "certificate"},
		"a load balancer of another account":   {event: modify, replace: []string{":us-west-2:111122223333:l", ":us-west-2:999988887777:l"}},
		"a load balancer of another region":    {event: modify, replace: []string{":us-west-2:111122223333:l", ":eu-north-1:111122223333:l"}},
		"a deletion somewhere else":            {event: "acm-delete-certificate", arn: strings.Replace(nobody, "us-west-2", "eu-north-1", 1)},
		"a server certificate of some account": {event: "iam-delete-server-certificate", replace: []string{"111122223333", "999988887777"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			out := s.handle(s.sample(tt.event, tt.arn, tt.replace...))
			if out.Verdict != "ignored" || out.Reason == "" {
				t.Errorf("%+v, want it ignored with a reason", out)
			}
			var asked []string
			for call := range s.account.Calls() {
				if call != "cloudwatch:PutMetricData" {
					asked = append(asked, call)
				}
			}
			if !slices.Equal(asked, tt.asked) {
				t.Errorf("asked %v, want %v", asked, tt.asked)
			}
			if s.ignoredEvents() != 1 {
				t.Errorf("counted %d times", s.ignoredEvents())
			}
		})
	}
}

// TestOnlyWhatEndpointsNameIsRead: in a region that the configuration does not walk, the load balancers of its endpoints
// are read, and an event of another one leads nowhere.
func TestOnlyWhatEndpointsNameIsRead(t *testing.T) {
	elsewhere := strings.NewReplacer("regions: [us-west-2]", "regions: [eu-west-1]", "port: 443}", "port: 443, region: us-west-2}").Replace(stageConfig)
	for name, tt := range map[string]struct {
		balancer string
		want     int // listeners
	}{"one of theirs": {"lb-api", 1}, "another's": {"lb-foreign", 0}} {
		t.Run(name, func(t *testing.T) {
			s := newStageOf(t, elsewhere)
			s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb-foreign", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{s.own}}}})
			out := s.handle(s.sample("classic-set-certificate-console-production-api", "", "a22e1d63f8ea522f9ac4b17d603e9f82", tt.balancer))
			if out.Listeners != tt.want || (out.Verdict == "ignored") != (tt.want == 0) || (len(s.account.Calls()) > 1) != (tt.want > 0) {
				t.Errorf("%+v with %v", out, s.account.Calls())
			}
		})
	}
}

// TestAnUnreadableCertificateMeansAWholeRound: who uses it is not known then, and the round says why.
func TestAnUnreadableCertificateMeansAWholeRound(t *testing.T) {
	s := newStage(t)
	s.account.Deny("acm:DescribeCertificate")
	out := s.handle(s.sample("acm-expired", s.shared))
	if out.Listeners != 3 || out.Verdict != "incomplete" || !slices.Contains(s.found(), "observe-denied@") {
		t.Errorf("%+v with %v", out, s.found())
	}
}

// TestARevokedCertificateThatIsReplacedRecovers: a probe that sees nothing wrong does not disprove ACM's status; reading
// the listener does.
func TestARevokedCertificateThatIsReplacedRecovers(t *testing.T) {
	s := newStage(t)
	s.account.EditCertificate(s.shared, func(d *acmtypes.CertificateDetail) { d.Status = acmtypes.CertificateStatusRevoked })
	s.handle(s.sample("acm-revoked", s.shared))
	next := s.leaf(100, 99, names()...)
	arn := s.account.AddCertificate("33333333-0000-4000-8000-000000000003", next)
	s.serves["api"] = next
	if _, err := s.account.ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
		LoadBalancerName: aws.String("lb-api"), LoadBalancerPort: 443, SSLCertificateId: aws.String(arn),
	}); err != nil {
		t.Fatal(err)
	}
	s.tick()
	if got := s.found(); !slices.Equal(got, []string{"cert-revoked@lb-ui:443"}) {
		t.Errorf("found %v", got)
	}
	var listenerARN string
	for _, lb := range s.last.Round.LoadBalancers {
		if lb.Name == "lb-ui" {
			listenerARN = lb.Listeners[0].ARN
		}
	}
	if _, err := s.account.ELBv2().ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
		ListenerArn: aws.String(listenerARN), Certificates: []elbv2types.Certificate{{CertificateArn: aws.String(arn)}},
	}); err != nil {
		t.Fatal(err)
	}
	s.serves["ui"] = next
	s.tick()
	s.tick()
	if got := s.subjects(); len(got) != 2 || !strings.HasPrefix(got[1], "RESOLVED") {
		t.Errorf("messages %q", got)
	}
}
