package sns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"certdrift/internal/observation"
)

// subscribed answers as SNS does: a hundred a page, words in place of ARNs.
type subscribed struct {
	all     []types.Subscription
	filters map[string]map[string]string
	denied  bool
}

func (s subscribed) ListSubscriptionsByTopic(_ context.Context, in *sns.ListSubscriptionsByTopicInput, _ ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	if s.denied {
		return nil, &smithy.GenericAPIError{Code: "AuthorizationError", Message: http.StatusText(http.StatusForbidden)}
	}
	if aws.ToString(in.TopicArn) != "arn:topic" {
		return nil, &smithy.GenericAPIError{Code: "NotFound", Message: "Topic does not exist"}
	}
	from := 0
	_, _ = fmt.Sscan(aws.ToString(in.NextToken), &from) // no token: from the start
	out := &sns.ListSubscriptionsByTopicOutput{Subscriptions: s.all[from:min(from+100, len(s.all))]}
	if from+100 < len(s.all) {
		out.NextToken = aws.String(fmt.Sprint(from + 100))
	}
	return out, nil
}

func (s subscribed) GetSubscriptionAttributes(_ context.Context, in *sns.GetSubscriptionAttributesInput, _ ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error) {
	attributes, ok := s.filters[aws.ToString(in.SubscriptionArn)]
	if !ok {
		return nil, errors.New("broken")
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

func TestSubscriptions(t *testing.T) {
	api := subscribed{filters: map[string]map[string]string{"arn:150": {"FilterPolicy": `{"severity":["critical"]}`, "FilterPolicyScope": "MessageAttributes"}}}
	for i := range 151 {
		api.all = append(api.all, types.Subscription{
			SubscriptionArn: aws.String(fmt.Sprintf("arn:%d", i)), Protocol: aws.String("email"), Endpoint: aws.String("ops@example.org"),
		})
	}
	api.all[0].SubscriptionArn, api.all[1].SubscriptionArn = aws.String("PendingConfirmation"), aws.String("Deleted")
	api.all[3].Endpoint = aws.String("https://hooks.example.org/s3cr3t?token=s3cr3t")
	topic, observeErrors := read(t.Context(), api, "arn:topic")
	all := topic.Subscriptions
	if !topic.Read || topic.Missing || len(all) != 151 {
		t.Fatalf("%d of 151 subscriptions, read %v, missing %v", len(all), topic.Read, topic.Missing)
	}
	if !all[0].Pending || all[0].ARN != "" || !all[1].Deleted {
		t.Errorf("one that nobody confirmed is %+v, one that was ended %+v", all[0], all[1])
	}
	if all[2].Unread == "" || len(observeErrors) != 1 || observeErrors[0].Operation != "sns:GetSubscriptionAttributes" {
		t.Errorf("filters that could not be read: %+v, and the errors %+v, one for all", all[2], observeErrors)
	}
	if all[3].Endpoint != "https://hooks.example.org/…" {
		t.Errorf("a hook's secret is kept: %s", all[3].Endpoint)
	}
	if last := all[150]; last.Pending || last.FilterPolicy != `{"severity":["critical"]}` || last.OnBody {
		t.Errorf("the last page's subscription is %+v", last)
	}
	if topic, observeErrors := read(t.Context(), api, "arn:other"); !topic.Missing || topic.Read || len(observeErrors) > 0 {
		t.Errorf("a topic that is not there: %+v, %v", topic, observeErrors)
	}
	api.denied = true
	if topic, observeErrors := read(t.Context(), api, "arn:topic"); topic.Missing || topic.Read || len(observeErrors) != 1 || observeErrors[0].Kind != observation.Denied {
		t.Errorf("what may not be read: %+v, %v", topic, observeErrors)
	}
}

// Where there are more than are read, nothing is concluded from who is not among them.
func TestATopicOfThousandsIsPartial(t *testing.T) {
	api := subscribed{}
	for range 2500 {
		api.all = append(api.all, types.Subscription{SubscriptionArn: aws.String("PendingConfirmation"), Protocol: aws.String("email"), Endpoint: aws.String("x")})
	}
	if topic, _ := read(t.Context(), api, "arn:topic"); !topic.Partial || !topic.Read || len(topic.Subscriptions) != maxSubscriptions {
		t.Errorf("%d subscriptions, partial %v", len(topic.Subscriptions), topic.Partial)
	}
}

// Each topic is read in its own region.
func TestPathAsksTheTopicsRegion(t *testing.T) {
	var asked []string
	client := func(region string) subscribed {
		asked = append(asked, region)
		return subscribed{}
	}
	path := NewPath(client, Place{ARN: "arn:aws:sns:eu-west-1:111122223333:alerts", Expected: []string{"email"}},
		Place{ARN: "arn:aws-cn:sns:cn-north-1:111122223333:chat", Chat: true})
	topics, observeErrors := path.Observe(t.Context())
	if len(topics) != 2 || !topics[1].Chat || len(topics[0].Expected) != 1 || !topics[0].Missing || len(observeErrors) > 0 {
		t.Errorf("%+v, %v", topics, observeErrors)
	}
	if fmt.Sprint(asked) != "[eu-west-1 cn-north-1]" {
		t.Errorf("asked in %v", asked)
	}
	if topics, observeErrors := NewPath(client).Observe(t.Context()); len(topics) > 0 || len(observeErrors) > 0 || len(asked) != 2 {
		t.Errorf("without a topic SNS is asked: %v %v", topics, observeErrors)
	}
	for _, no := range []string{"", "alerts", "arn:aws:sqs:us-west-2:111122223333:queue", "arn:aws:sns:us-west-2:111122223333:"} {
		if got := RegionOf(no); got != "" {
			t.Errorf("%q has the region %q", no, got)
		}
	}
}
