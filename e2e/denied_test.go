package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// symptom is how a function shows that its role lacks a permission.
type symptom string

const (
	// isFinding: observe-denied, which names the permission.
	isFinding symptom = "certdrift lacks the permission "
	// isFailure: the invocation fails and names the permission, so that Lambda's error metric and the alarm show it.
	isFailure symptom = "is not authorized to perform: "
	// isAuthorless: alerts are sent, and say why they name no author; DESIGN.md rules that this is no finding.
	isAuthorless symptom = "could not be looked up"
)

// permissions are all actions that the functions' roles grant to certdrift's own code, and what shows if one is missing. A new action
// needs a row.
var permissions = map[string]symptom{
	"acm:DescribeCertificate":                           isFinding,
	"acm:GetCertificate":                                isFinding,
	"cloudtrail:LookupEvents":                           isAuthorless,
	"cloudwatch:DescribeAlarms":                         isFinding,
	"cloudwatch:PutMetricData":                          isFailure,
	"dynamodb:PutItem":                                  isFailure,
	"dynamodb:Scan":                                     isFinding,
	"elasticloadbalancing:DescribeListenerCertificates": isFinding,
	"elasticloadbalancing:DescribeListeners":            isFinding,
	"elasticloadbalancing:DescribeLoadBalancerPolicies": isFinding,
	"elasticloadbalancing:DescribeLoadBalancers":        isFinding,
	"elasticloadbalancing:DescribeRules":                isFinding,
	"elasticloadbalancing:DescribeSSLPolicies":          isFinding,
	"elasticloadbalancing:DescribeTags":                 isFinding,
	"events:DescribeRule":                               isFinding,
	"events:ListTargetsByRule":                          isFinding,
	"events:PutEvents":                                  isFailure,
	"iam:GetServerCertificate":                          isFinding,
	"sns:GetSubscriptionAttributes":                     isFinding,
	"sns:ListSubscriptionsByTopic":                      isFinding,
	"sns:Publish":                                       isFailure,
}

// saidWithout is what a function says without a permission of its role.
func saidWithout(role, action string) (text string, ok bool) {
	how, ok := permissions[action]
	switch {
	case role == "Widget" && action == "dynamodb:Scan":
		return "The incidents could not be read", true
	case role == "Verify" && how == isAuthorless: // it alerts nobody
		return `"verdict":"fail"`, true
	case how == isFinding, how == isFailure:
		return string(how) + action, ok
	}
	return string(how), ok
}

// elsewhere are actions that a healthy deployment with its configuration in the package does not need, and the tests that show what
// happens without them.
var elsewhere = map[string]string{
	"codedeploy:PutLifecycleEventHookExecutionStatus": "TestVerifyThatMayNotAnswer",
	"dynamodb:GetItem":      "TestTheTableIsAHelpOnly",
	"lambda:InvokeFunction": "TestFanOut",
	"s3:GetObject":          "TestTheLastGoodConfigurationSurvivesColdStarts",
	"s3:ListBucket":         "TestNoAllClearWithoutTheProbe",
	"ssm:GetParameter":      "TestTheLastGoodConfigurationSurvivesColdStarts",
	"sts:AssumeRole":        "TestAMemberAccount",
}

// TestEveryPermissionHasARow: what the template grants has a row in one of the tables, and no row is stale.
func TestEveryPermissionHasARow(t *testing.T) {
	tm, all := readTemplate(t, "template.yaml"), map[string]bool{}
	for _, role := range []string{"ProbeRole", "InspectRole", "VerifyRole", "WidgetRole", "WorkerRole"} {
		maps.Copy(all, granted(t, tm.Resources[role]))
	}
	for action := range all {
		if permissions[action] == "" && elsewhere[action] == "" {
			t.Errorf("no row says what shows without %s", action)
		}
	}
	for _, action := range slices.Concat(slices.Collect(maps.Keys(permissions)), slices.Collect(maps.Keys(elsewhere))) {
		if !all[action] {
			t.Errorf("%s has a row, and no role grants it", action)
		}
	}
}

// TestEveryPermission runs each function with the permissions of its role, which suffice, and then without each of them in turn. Every
// call of the functions is checked against their roles' policies, in an account with a problem, so that everything is read.
func TestEveryPermission(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	api := w.balance(t, balanced{environment: "production", name: "api", service: "production/api", host: "api.monitoring.example.org", balancer: "a22e1d63f8ea522f9ac4b17d603e9f82"})
	w.balanced = append(w.balanced, api)
	w.policy(t, api.balancer)
	w.application(t, cfg)
	s := deploy(t, f, w)
	in := subscribe(t, cfg, s.Outputs["TopicArn"], "subscriber")
	w.attach(t, api.balancer, w.stale["production"])
	widget := t.TempDir()
	_, err := run(t.Context(), nil, "make", "build-WidgetFunction", "ARTIFACTS_DIR="+widget, "LAMBDA_GOARCH="+runtime.GOARCH, "CONFIG="+filepath.Join(w.write(t), "certdrift.yaml"))
	check(t, err)
	tm := readTemplate(t, "template.yaml")
	for _, c := range []struct {
		role, name, dir string
		event           []byte
	}{
		{"Probe", s.probe.name, s.probe.dir, s.bus.tick(t, "probe-schedule")},
		{"Inspect", s.inspect.name, s.inspect.dir, s.bus.tick(t, "inspect-schedule")},
		{"Verify", s.verify.name, s.verify.dir, []byte(`{"wait": "0s"}`)},
		{"Widget", "certdrift-widget", widget, []byte(`{"widgetContext": {"theme": "dark", "params": {}}}`)},
	} {
		// try invokes a new instance, which remembers nothing, and returns all that it says, and the calls that were denied.
		try := func(t *testing.T, without string) (said string, denied []string) {
			empty(t, cfg, s.Outputs["TableName"])
			in.take(t)
			fn := s.start(t, cfg, c.name, c.dir)
			f.guard.forbid(c.name, without)
			if without != "" { // certdrift asks CloudTrail twice a second, and no more once it is refused
				f.guard.forbid(c.name, "cloudtrail:LookupEvents")
			}
			f.guard.refusals()
			body, err := fn.invoke(c.event)
			check(t, fn.process.Kill())
			parts := []string{string(body), fmt.Sprint(err)}
			for _, m := range in.take(t) {
				parts = append(parts, m.String())
			}
			return strings.Join(append(parts, remembered(t, cfg, s.Outputs["TableName"])...), "\n"), f.guard.refusals()
		}
		t.Run(c.role, func(t *testing.T) {
			complete, refused := try(t, "")
			if len(refused) > 0 || strings.Contains(complete, string(isFinding)) || strings.Contains(complete, string(isFailure)) {
				t.Fatalf("the permissions of its role do not suffice: %v\n%s", refused, complete)
			}
			for _, action := range slices.Sorted(maps.Keys(granted(t, tm.Resources[c.role+"Role"]))) {
				if elsewhere[action] == "" {
					t.Run(action, func(t *testing.T) {
						said, refused := try(t, action)
						if !slices.ContainsFunc(refused, func(r string) bool { return strings.Contains(r, " "+action+" ") }) {
							t.Errorf("%s is granted, and was not needed; denied were %q", action, refused)
						}
						if want, ok := saidWithout(c.role, action); !ok || !strings.Contains(said, want) {
							t.Errorf("without %s nothing says %q (a new action needs a row): %s", action, want, said)
						}
					})
				}
			}
		})
	}
}

// application adds an application load balancer with a listener, a rule and a security policy.
func (w *world) application(t *testing.T, cfg aws.Config) {
	t.Helper()
	api := elbv2.NewFromConfig(cfg)
	out, err := run(t.Context(), []string{"AWS_ACCESS_KEY_ID=tester", "AWS_SECRET_ACCESS_KEY=secret"}, filepath.Join(filepath.Dir(python(t)), "aws"),
		"--region", region, "--endpoint-url", aws.ToString(cfg.BaseEndpoint), "ec2", "describe-subnets", "--query", "Subnets[:2].SubnetId", "--output", "text")
	check(t, err)
	lb, err := api.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: strings.Fields(string(out))})
	check(t, err)
	defaults := []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("200")}}}
	_, err = api.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), DefaultActions: defaults,
	})
	check(t, err)
	_, err = api.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(443), SslPolicy: aws.String("ELBSecurityPolicy-2016-08"),
		Certificates:   []types.Certificate{{CertificateArn: aws.String(w.right["production"])}},
		DefaultActions: defaults,
	})
	check(t, err)
}

// policy gives the listener of a classic load balancer a security policy of its own.
func (w *world) policy(t *testing.T, balancer string) {
	t.Helper()
	_, err := w.elb.CreateLoadBalancerPolicy(t.Context(), &elb.CreateLoadBalancerPolicyInput{
		LoadBalancerName: &balancer, PolicyName: aws.String("tls"), PolicyTypeName: aws.String("SSLNegotiationPolicyType"),
		PolicyAttributes: []elbtypes.PolicyAttribute{{AttributeName: aws.String("Protocol-TLSv1.2"), AttributeValue: aws.String("true")}},
	})
	check(t, err)
	_, err = w.elb.SetLoadBalancerPoliciesOfListener(t.Context(), &elb.SetLoadBalancerPoliciesOfListenerInput{
		LoadBalancerName: &balancer, LoadBalancerPort: 443, PolicyNames: []string{"tls"},
	})
	check(t, err)
}

// empty removes what the functions remember.
func empty(t *testing.T, cfg aws.Config, table string) {
	t.Helper()
	api := dynamodb.NewFromConfig(cfg)
	got, err := api.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	check(t, err)
	for _, item := range got.Items {
		_, err := api.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: map[string]dynamodbtypes.AttributeValue{"id": item["id"]}})
		check(t, err)
	}
}
