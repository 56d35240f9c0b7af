package boot

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"certdrift/internal/target"
)

// answeringAWS returns a cloud in which AWS gives one answer to everything.
func answeringAWS(t *testing.T, status int, body string) *cloud {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": server.URL, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	c, err := newCloud(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reading are the calls by which the functions read AWS, through the clients that they use.
func reading(c *cloud) map[string]func(context.Context) error {
	in := c.in("", target.Role{})
	name := aws.String("arn:aws:x:us-west-2:111122223333:x")
	key := map[string]dynamotypes.AttributeValue{"id": &dynamotypes.AttributeValueMemberS{Value: "x"}}
	only := func(_ any, err error) error { return err }
	return map[string]func(context.Context) error{
		"classic DescribeLoadBalancers": func(ctx context.Context) error {
			return only(elb.NewFromConfig(in).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{}))
		},
		"classic DescribeLoadBalancerPolicies": func(ctx context.Context) error {
			return only(elb.NewFromConfig(in).DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{}))
		},
		"modern DescribeLoadBalancers": func(ctx context.Context) error {
			return only(elbv2.NewFromConfig(in).DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{}))
		},
		"DescribeListeners": func(ctx context.Context) error {
			return only(elbv2.NewFromConfig(in).DescribeListeners(ctx, &elbv2.DescribeListenersInput{}))
		},
		"DescribeListenerCertificates": func(ctx context.Context) error {
			return only(elbv2.NewFromConfig(in).DescribeListenerCertificates(ctx, &elbv2.DescribeListenerCertificatesInput{ListenerArn: name}))
		},
		"DescribeRules": func(ctx context.Context) error {
			return only(elbv2.NewFromConfig(in).DescribeRules(ctx, &elbv2.DescribeRulesInput{}))
		},
		"DescribeTags": func(ctx context.Context) error {
			return only(elbv2.NewFromConfig(in).DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{*name}}))
		},
		"acm DescribeCertificate": func(ctx context.Context) error {
			return only(acm.NewFromConfig(in).DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: name}))
		},
		"acm GetCertificate": func(ctx context.Context) error {
			return only(acm.NewFromConfig(in).GetCertificate(ctx, &acm.GetCertificateInput{CertificateArn: name}))
		},
		"iam GetServerCertificate": func(ctx context.Context) error {
			return only(iam.NewFromConfig(in).GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: name}))
		},
		"sts GetCallerIdentity": func(ctx context.Context) error {
			return only(sts.NewFromConfig(in).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
		},
		"dynamodb Scan": func(ctx context.Context) error {
			return only(dynamodb.NewFromConfig(in).Scan(ctx, &dynamodb.ScanInput{TableName: name}))
		},
		"cloudtrail LookupEvents": func(ctx context.Context) error {
			return only(cloudtrail.NewFromConfig(in).LookupEvents(ctx, &cloudtrail.LookupEventsInput{}))
		},
		"sns GetTopicAttributes": func(ctx context.Context) error {
			return only(awssns.NewFromConfig(in).GetTopicAttributes(ctx, &awssns.GetTopicAttributesInput{TopicArn: name}))
		},
		"sns ListSubscriptionsByTopic": func(ctx context.Context) error {
			return only(awssns.NewFromConfig(in).ListSubscriptionsByTopic(ctx, &awssns.ListSubscriptionsByTopicInput{TopicArn: name}))
		},
		"events DescribeRule": func(ctx context.Context) error {
			return only(eventbridge.NewFromConfig(in).DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: name}))
		},
		"events ListTargetsByRule": func(ctx context.Context) error {
			return only(eventbridge.NewFromConfig(in).ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: name}))
		},
		"ssm GetParameter": func(ctx context.Context) error {
			return only(ssm.NewFromConfig(in).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("x")}))
		},
		"s3 ListObjectsV2": func(ctx context.Context) error {
			return only(s3.NewFromConfig(in).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("x")}))
		},
		"dynamodb GetItem, may have none": func(ctx context.Context) error {
			return only(dynamodb.NewFromConfig(in).GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key}))
		},
	}
}

// TestASuccessWithoutContentIsNone: what stands between certdrift and AWS may answer 200 and nothing, or something that is no answer. That
// is not an account without load balancers, nor a table without incidents.
func TestASuccessWithoutContentIsNone(t *testing.T) {
	for what, body := range map[string]string{
		"nothing": "", "a space": " ", "an object": "{}", "another object": `{"message":"welcome"}`, "a page": "<html><body>Welcome</body></html>",
		"another result": "<Response><Result></Result></Response>",
	} {
		t.Run(what, func(t *testing.T) {
			for call, do := range reading(answeringAWS(t, http.StatusOK, body)) {
				if err := do(t.Context()); err == nil && call != "dynamodb GetItem, may have none" {
					t.Errorf("%s: no error", call)
				} else if err != nil && what == "an object" && call == "dynamodb GetItem, may have none" {
					t.Error(err)
				}
			}
		})
	}
}

// TestAnEmptyListIsAnAnswer: as AWS gives it.
func TestAnEmptyListIsAnAnswer(t *testing.T) {
	for call, body := range map[string]string{
		"classic DescribeLoadBalancers": "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions/></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>",
		"modern DescribeLoadBalancers":  "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers/></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>",
		"DescribeListeners":             "<DescribeListenersResponse><DescribeListenersResult><Listeners></Listeners></DescribeListenersResult></DescribeListenersResponse>",
		"sns ListSubscriptionsByTopic":  "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions/></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>",
		"dynamodb Scan":                 `{"Count":0,"Items":[],"ScannedCount":0}`,
		"cloudtrail LookupEvents":       `{"Events":[]}`,
		"events ListTargetsByRule":      `{"Targets":[]}`,
		"s3 ListObjectsV2":              "<ListBucketResult><Name>x</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>",
	} {
		if err := reading(answeringAWS(t, http.StatusOK, body))[call](t.Context()); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}
