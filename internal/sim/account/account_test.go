package account_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"certdrift/internal/event"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func newAccount(t *testing.T) (a *account.Account, one, other string) {
	t.Helper()
	a = account.New(account.Options{Now: now})
	leaf, err := pki.SelfSigned(now(), []string{"www.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return a, a.AddCertificate("11111111-0000-4000-8000-000000000001", leaf), a.AddServerCertificate("path/old", leaf)
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestWhatIsMissingHasAWSsCode(t *testing.T) {
	a, _, _ := newAccount(t)
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "there"})
	ctx := t.Context()
	_, classic := a.ELB().DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"there", "gone"}})
	_, tags := a.ELB().DescribeTags(ctx, &elb.DescribeTagsInput{LoadBalancerNames: []string{"there", "gone"}})
	_, modern := a.ELBv2().DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{Names: []string{"there"}})
	_, listener := a.ELBv2().DescribeListenerCertificates(ctx, &elbv2.DescribeListenerCertificatesInput{ListenerArn: aws.String("gone")})
	_, cert := a.ACM().GetCertificate(ctx, &acm.GetCertificateInput{CertificateArn: aws.String("gone")})
	_, server := a.IAM().GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String("gone")})
	_, policies := a.ELBv2().DescribeSSLPolicies(ctx, &elbv2.DescribeSSLPoliciesInput{Names: []string{"gone"}})
	for want, err := range map[string]error{
		"LoadBalancerNotFound": classic, "ListenerNotFound": listener, "ResourceNotFoundException": cert, "NoSuchEntity": server, "SSLPolicyNotFound": policies,
	} {
		if code(err) != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
	if code(tags) != "LoadBalancerNotFound" || code(modern) != "LoadBalancerNotFound" {
		t.Errorf("tags %v, a classic name asked of v2 %v", tags, modern)
	}
}

func TestPagesAndDefaults(t *testing.T) {
	a := account.New(account.Options{Now: now, PageSize: 2})
	leaf, err := pki.SelfSigned(now(), []string{"www.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	certs := []string{a.AddCertificate("1", leaf), a.AddCertificate("1", leaf), a.AddCertificate("2", leaf)}
	arn := a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "web", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: certs}}})
	listeners, err := a.ELBv2().DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: aws.String(arn)})
	if err != nil {
		t.Fatal(err)
	}
	in := &elbv2.DescribeListenerCertificatesInput{ListenerArn: listeners.Listeners[0].ListenerArn}
	var seen []string
	for range 3 {
		out, err := a.ELBv2().DescribeListenerCertificates(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range out.Certificates {
			seen = append(seen, fmt.Sprintf("%s %v", aws.ToString(c.CertificateArn)[len(certs[0])-1:], aws.ToBool(c.IsDefault)))
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if got := strings.Join(seen, ", "); got != "1 true, 1 false, 2 false" {
		t.Errorf("listed: %s", got)
	}
}

func TestListCertificatesHidesOtherKeys(t *testing.T) {
	a, arn, _ := newAccount(t)
	plain, err := a.ACM().ListCertificates(t.Context(), &acm.ListCertificatesInput{})
	if err != nil || len(plain.CertificateSummaryList) != 0 {
		t.Errorf("an ECDSA certificate is listed unasked: %v, %v", plain, err)
	}
	asked, err := a.ACM().ListCertificates(t.Context(), &acm.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()}})
	if err != nil || len(asked.CertificateSummaryList) != 1 || aws.ToString(asked.CertificateSummaryList[0].CertificateArn) != arn {
		t.Errorf("%v, %v", asked, err)
	}
}

func TestImport(t *testing.T) {
	a, arn, _ := newAccount(t)
	fresh, err := pki.SelfSigned(now(), []string{"new.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	old, err := pki.SelfSigned(now(), []string{"old.example.org"}, pki.Valid(now().AddDate(-1, 0, 0), now().AddDate(0, 0, -1)))
	if err != nil {
		t.Fatal(err)
	}
	put := func(p *pki.Pair, under string) error {
		key, err := p.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		in := &acm.ImportCertificateInput{Certificate: p.PEM(), PrivateKey: key}
		if under != "" {
			in.CertificateArn = aws.String(under)
		}
		_, err = a.ACM().ImportCertificate(t.Context(), in)
		return err
	}
	if err := put(fresh, arn); err != nil {
		t.Fatal(err)
	}
	out, err := a.ACM().DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: aws.String(arn)})
	if err != nil || out.Certificate.Type != acmtypes.CertificateTypeImported || aws.ToString(out.Certificate.DomainName) != "new.example.org" {
		t.Errorf("%+v, %v", out, err)
	}
	if err := put(old, ""); code(err) != "ValidationException" {
		t.Errorf("an expired one: %v", err)
	}
	if err := put(fresh, arn+"x"); code(err) != "ResourceNotFoundException" {
		t.Errorf("a missing one: %v", err)
	}
}

// Every change is in the trail in CloudTrail's form: the product's own decoder reads it.
func TestChangesReachTheTrail(t *testing.T) {
	a, one, other := newAccount(t)
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{other}}}})
	web := a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "web", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{one}}}})
	var heard [][]byte
	a.OnEvent(func(e []byte) { heard = append(heard, e) })
	ctx := t.Context()
	set := &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: aws.String("lb"), LoadBalancerPort: 443, SSLCertificateId: aws.String(one)}
	if _, err := a.As(account.Operator()).ELB().SetLoadBalancerListenerSSLCertificate(ctx, set); err != nil {
		t.Fatal(err)
	}
	listeners, err := a.ELBv2().DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: aws.String(web)})
	if err != nil {
		t.Fatal(err)
	}
	modify := &elbv2.ModifyListenerInput{ListenerArn: listeners.Listeners[0].ListenerArn, Certificates: []types.Certificate{{CertificateArn: aws.String(other)}}}
	if _, err := a.As(account.Actor{User: "ci", UserAgent: "Terraform/1.9.8"}).ELBv2().ModifyListener(ctx, modify); err != nil {
		t.Fatal(err)
	}
	set.SSLCertificateId = aws.String("arn:aws:iam::111122223333:server-certificate/gone")
	if _, err := a.ELB().SetLoadBalancerListenerSSLCertificate(ctx, set); code(err) != "CertificateNotFound" {
		t.Fatalf("%v", err)
	}
	var got []string
	for _, raw := range heard {
		e, err := event.Decode(raw)
		if err != nil || e.Kind != event.Change {
			t.Fatalf("%v: %s", err, raw)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %s", e.Name, e.Failed, e.Change.Author.Name, e.Change.Author.Tool, strings.Join(e.Change.Certificates, ",")))
	}
	want := []string{
		"SetLoadBalancerListenerSSLCertificate  Operator AWS console " + one,
		"ModifyListener  ci Terraform " + other,
		"SetLoadBalancerListenerSSLCertificate CertificateNotFound certdrift aws-sdk-go-v2 ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("heard:\n%s", strings.Join(got, "\n"))
	}
	out, err := a.CloudTrail().LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
	if err != nil || len(out.Events) != 3 || aws.ToString(out.Events[1].EventName) != "ModifyListener" {
		t.Errorf("looked up: %v, %v", out, err)
	}
	if len(a.Events()) != 3 {
		t.Errorf("%d events", len(a.Events()))
	}
}

func TestMetricsWithinLimits(t *testing.T) {
	a, _, _ := newAccount(t)
	good := cwtypes.MetricDatum{MetricName: aws.String("Up"), Value: aws.Float64(1), Timestamp: aws.Time(now())}
	put := func(d cwtypes.MetricDatum, n int) error {
		in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Certdrift")}
		for range n {
			in.MetricData = append(in.MetricData, d)
		}
		_, err := a.CloudWatch().PutMetricData(t.Context(), in)
		return err
	}
	nan, late, both := good, good, good
	nan.Value = aws.Float64(math.NaN())
	late.Timestamp = aws.Time(now().Add(3 * time.Hour))
	both.Values = []float64{1}
	for name, err := range map[string]error{
		"too many": put(good, 1001), "none": put(good, 0), "not a number": put(nan, 1), "the future": put(late, 1), "value and values": put(both, 1),
	} {
		if code(err) != "InvalidParameterValue" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := put(good, 1000); err != nil || len(a.Data()) != 1000 {
		t.Errorf("%d kept, %v", len(a.Data()), err)
	}
}

func TestPublishRefuses(t *testing.T) {
	a, _, _ := newAccount(t)
	topic := a.AddTopic("alerts")
	for name, in := range map[string]*sns.PublishInput{
		"an empty message":     {Message: aws.String("")},
		"a subject with break": {Message: aws.String("x"), Subject: aws.String("a\nb")},
		"a long subject":       {Message: aws.String("x"), Subject: aws.String(strings.Repeat("x", 101))},
		"no default":           {Message: aws.String(`{"email":"x"}`), MessageStructure: aws.String("json")},
		"no JSON":              {Message: aws.String(`{`), MessageStructure: aws.String("json")},
		"too much":             {Message: aws.String(strings.Repeat("x", 256<<10+1))},
	} {
		in.TopicArn = aws.String(topic)
		if _, err := a.SNS().Publish(t.Context(), in); code(err) != "InvalidParameter" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(a.Messages(topic)) > 0 {
		t.Error("refused messages are kept")
	}
}

func TestFaults(t *testing.T) {
	a, arn, _ := newAccount(t)
	ask := func(ctx context.Context) error {
		_, err := a.ACM().DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(arn)})
		return err
	}
	a.Throttle("acm:DescribeCertificate", 2)
	for i, want := range []string{"Throttling", "Throttling", "<nil>", "<nil>"} {
		if got := code(ask(t.Context())); got != want {
			t.Errorf("call %d: %s", i, got)
		}
	}
	a.Deny("acm:*")
	if err := ask(t.Context()); code(err) != "AccessDenied" {
		t.Errorf("denied: %v", err)
	}
	a.Heal()
	a.Inject(account.Failure{Operation: "*", Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
	if got := a.Calls()["acm:DescribeCertificate"]; got != 6 || len(a.Repeated()) != 1 {
		t.Errorf("%d calls, repeated %v", got, a.Repeated())
	}
}

func TestManyAtOnce(t *testing.T) {
	a, one, other := newAccount(t)
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{one}}}})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			arn := []string{one, other}[i%2]
			in := &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: aws.String("lb"), LoadBalancerPort: 443, SSLCertificateId: aws.String(arn)}
			if _, err := a.As(account.Kubernetes()).ELB().SetLoadBalancerListenerSSLCertificate(context.Background(), in); err != nil {
				t.Error(err)
			}
			if _, err := a.ELB().DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := len(a.Events()); got != 20 {
		t.Errorf("%d changes recorded", got)
	}
}
