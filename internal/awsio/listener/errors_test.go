package listener_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
)

// What goes wrong at one place is said, and everything else is read all the same.
func TestInspectGoesOn(t *testing.T) {
	all := []string{"a22e1d63", "tcp", "web"}
	tests := []struct {
		name    string
		fault   func(w *world)
		found   []string
		errors  []string
		partial string // names of the load balancers that are marked
	}{
		{"without permission for certificates of listeners", func(w *world) { w.west.Deny("elbv2:DescribeListenerCertificates") },
			all, []string{"denied elasticloadbalancing:DescribeListenerCertificates us-west-2"}, "tcp web"},
		{"without permission for rules", func(w *world) { w.west.Deny("elbv2:DescribeRules") },
			all, []string{"denied elasticloadbalancing:DescribeRules us-west-2"}, "web"},
		{"without permission for listeners", func(w *world) { w.west.Deny("elbv2:DescribeListeners") },
			all, []string{"denied elasticloadbalancing:DescribeListeners us-west-2"}, "tcp web"},
		{"without permission for tags", func(w *world) { w.west.Deny("elb:DescribeTags") },
			all, []string{"denied elasticloadbalancing:DescribeTags us-west-2"}, "a22e1d63"},
		{"without permission for policies", func(w *world) {
			w.west.Deny("elb:DescribeLoadBalancerPolicies")
			w.west.Deny("elbv2:DescribeSSLPolicies")
		},
			all, []string{"denied elasticloadbalancing:DescribeLoadBalancerPolicies us-west-2", "denied elasticloadbalancing:DescribeSSLPolicies us-west-2"}, ""},
		{"throttled", func(w *world) { w.west.Throttle("elb:DescribeLoadBalancers", 0) },
			[]string{"tcp", "web"}, []string{"throttled elasticloadbalancing:DescribeLoadBalancers us-west-2"}, ""},
		{"a page that fails", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elbv2:DescribeListeners", Resource: "page-2", Error: context.DeadlineExceeded})
		}, all, []string{"incomplete elasticloadbalancing:DescribeListeners us-west-2"}, "web"},
		{"a token that repeats", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elbv2:DescribeListenerCertificates", RepeatToken: true, After: 1 << 30})
		}, all, []string{"incomplete elasticloadbalancing:DescribeListenerCertificates us-west-2"}, "tcp web"},
		{"the region down", func(w *world) { w.west.Down() },
			nil, []string{"incomplete elasticloadbalancing:DescribeLoadBalancers us-west-2"}, ""},
		{"a load balancer deleted before its listeners are read", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elbv2:DescribeListeners", Times: 1, Do: func() { w.west.RemoveLoadBalancer("web") }})
		}, []string{"a22e1d63", "tcp"}, nil, ""},
		{"one deleted before its certificates are read", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elbv2:DescribeListenerCertificates", Resource: "/net/tcp/", Times: 1, Do: func() { w.west.RemoveLoadBalancer("tcp") }})
		}, all, nil, ""},
		{"one deleted before its tags are read", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elbv2:DescribeTags", Times: 1, Do: func() { w.west.RemoveLoadBalancer("web") }})
		}, []string{"a22e1d63", "tcp"}, nil, ""},
		{"one deleted before its policies are read", func(w *world) {
			w.west.Inject(account.Failure{Operation: "elb:DescribeLoadBalancerPolicies", Times: 1, Do: func() { w.west.RemoveLoadBalancer("a22e1d63") }})
		}, []string{"tcp", "web"}, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			test.fault(w)
			got := w.inspect(t, everything())
			if diff := cmp.Diff(test.found, names(got)); diff != "" {
				t.Errorf("load balancers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.errors, distinct(problems(got))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			var partial []string
			for _, lb := range got.LoadBalancers {
				if lb.Partial {
					partial = append(partial, lb.Name)
				}
			}
			if diff := cmp.Diff(test.partial, strings.Join(sortedCopy(partial), " ")); diff != "" {
				t.Errorf("partial (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOneRegionDownLeavesTheOther(t *testing.T) {
	w := newWorld(t)
	w.fill()
	w.east.Down()
	wanted := everything()
	wanted.Scope.Regions = []string{"us-west-2", "us-east-1"}
	got := w.inspect(t, wanted)
	if len(got.LoadBalancers) != 3 || len(got.ObserveErrors) != 1 || got.ObserveErrors[0].Region != "us-east-1" {
		t.Errorf("%v with %v", names(got), got.ObserveErrors)
	}
}

// One missing permission is one error, however many resources it keeps from being read.
func TestManyResourcesMakeOneError(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		w.west.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: name})
	}
	w.west.Throttle("elbv2:DescribeListeners", 0)
	got := w.inspect(t, everything())
	if len(got.ObserveErrors) != 1 || got.ObserveErrors[0].Resource != "" || !strings.Contains(got.ObserveErrors[0].Detail, "and 5 more") {
		t.Errorf("errors: %+v", got.ObserveErrors)
	}
}

func TestDenialNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	w.fill()
	w.west.Deny("elbv2:DescribeRules")
	got := w.inspect(t, everything())
	if len(got.ObserveErrors) != 1 {
		t.Fatalf("errors: %+v", got.ObserveErrors)
	}
	one := got.ObserveErrors[0]
	if !strings.Contains(one.Detail, "is not authorized to perform: elasticloadbalancing:DescribeRules") || strings.Contains(one.Detail, "RequestID") {
		t.Errorf("detail: %s", one.Detail)
	}
	if one.Account != "111122223333" || !strings.Contains(one.Resource, ":listener/app/web/") {
		t.Errorf("%+v", one)
	}
}

func TestInspectEndsWithTheRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill()
		w.west.Inject(account.Failure{Operation: "elbv2:*", Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		got := w.inspector.Inspect(ctx, everything())
		if took := time.Since(began); took > 21*time.Second {
			t.Errorf("took %s", took)
		}
		if diff := cmp.Diff([]string{"a22e1d63"}, names(got)); diff != "" {
			t.Errorf("what was read in time (-want +got):\n%s", diff)
		}
		for _, one := range got.ObserveErrors {
			if one.Kind != observation.Incomplete || one.Detail != "the round ran out of time" {
				t.Errorf("error: %+v", one)
			}
		}
		if len(got.ObserveErrors) == 0 {
			t.Error("nobody says that something is missing")
		}
	})
}

func TestCertificatesThatAreNotThere(t *testing.T) {
	w := newWorld(t)
	w.west.EditCertificate(w.acm2, func(d *acmtypes.CertificateDetail) {
		d.Status = acmtypes.CertificateStatusPendingValidation
		d.DomainValidationOptions = []acmtypes.DomainValidation{{
			DomainName: new("example.org"), ValidationStatus: acmtypes.DomainStatusPendingValidation, ValidationMethod: acmtypes.ValidationMethodDns,
			ResourceRecord: &acmtypes.ResourceRecord{Name: new("_x.example.org."), Value: new("_y.acm-validations.aws."), Type: acmtypes.RecordTypeCname},
		}}
	})
	const (
		gone     = "arn:aws:acm:us-west-2:111122223333:certificate/99999999-0000-4000-8000-000000000009"
		goneIAM  = "arn:aws:iam::111122223333:server-certificate/gone"
		unlisted = "arn:aws:acm:us-west-2:999999999999:certificate/99999999-0000-4000-8000-000000000009"
		odd      = "arn:aws:s3:::bucket"
	)
	got := w.inspect(t, target.Wanted{Certificates: []string{w.acm, w.acm2, gone, goneIAM, unlisted, odd}})
	read := map[string]observation.Certificate{}
	for _, c := range got.Certificates {
		read[c.ARN] = c
	}
	if c := read[w.acm]; len(c.Chain) == 0 || c.Status != "ISSUED" || c.Type != "AMAZON_ISSUED" || c.RenewalEligibility != "ELIGIBLE" {
		t.Errorf("a declared one that nothing attaches: %+v", c)
	}
	if c := read[w.acm2]; c.Missing || c.Unreadable || len(c.PendingValidation) != 1 || c.PendingValidation[0].RecordName != "_x.example.org." {
		t.Errorf("one that waits for its validation: %+v", c)
	}
	for _, arn := range []string{gone, goneIAM} {
		if c := read[arn]; !c.Missing || c.Unreadable {
			t.Errorf("a deleted one: %+v", c)
		}
	}
	for _, arn := range []string{unlisted, odd} {
		if c := read[arn]; c.Missing || !c.Unreadable {
			t.Errorf("one out of reach: %+v", c)
		}
	}
	if diff := cmp.Diff([]string{"incomplete acm:DescribeCertificate ", "incomplete acm:DescribeCertificate us-west-2"}, problems(got)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestACertificateIsReadByHalves(t *testing.T) {
	t.Run("the record without the body", func(t *testing.T) {
		w := newWorld(t)
		w.west.Deny("acm:GetCertificate")
		c := w.inspect(t, target.Wanted{Certificates: []string{w.acm}}).Certificates[0]
		if c.Unreadable || c.Status != "ISSUED" || !cmp.Equal(c.Names, []string{"www.example.org", "example.org"}) {
			t.Errorf("%+v", c)
		}
	})
	t.Run("the body without the record", func(t *testing.T) {
		w := newWorld(t)
		w.west.Deny("acm:DescribeCertificate")
		c := w.inspect(t, target.Wanted{Certificates: []string{w.acm}}).Certificates[0]
		if c.Unreadable || len(c.Chain) == 0 || c.Status != "" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("neither", func(t *testing.T) {
		w := newWorld(t)
		w.west.Deny("acm:*")
		got := w.inspect(t, target.Wanted{Certificates: []string{w.acm}})
		if !got.Certificates[0].Unreadable || len(got.ObserveErrors) != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func distinct(lines []string) []string {
	var out []string
	for _, l := range lines {
		if !contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// IAM knows a server certificate by its name alone, an ARN has its path too: one with another path is another one.
func TestAServerCertificateOfAnotherPath(t *testing.T) {
	w := newWorld(t)
	here := w.west.AddServerCertificate("cloudfront/web", w.pair)
	got := w.inspect(t, target.Wanted{Certificates: []string{here, "arn:aws:iam::111122223333:server-certificate/web"}})
	read := map[string]observation.Certificate{}
	for _, c := range got.Certificates {
		read[c.ARN] = c
	}
	if c := read[here]; c.Missing || len(c.Chain) == 0 {
		t.Errorf("the one that is there: %+v", c)
	}
	if c := read["arn:aws:iam::111122223333:server-certificate/web"]; !c.Missing {
		t.Errorf("the one that is not: %+v", c)
	}
}

func TestGatewayLoadBalancersAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.fill()
	w.west.AddLoadBalancer(account.LoadBalancer{Kind: "gateway", Name: "firewall", Listeners: []account.Listener{{Port: 6081, Protocol: "GENEVE"}}})
	if got := names(w.inspect(t, everything())); contains(got, "firewall") || len(got) != 3 {
		t.Errorf("read %v", got)
	}
}
