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
)

func TestFilters(t *testing.T) {
	trial := map[string]string{"environment": "production", "severity": "critical", "code": "trial", "event": "opened", "sms": "send"}
	for policy, want := range map[string]bool{
		``:                          true,
		`{}`:                        true,
		`{"severity":["critical"]}`: true,
		`{"severity":["warning"]}`:  false,
		`{"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`: true,
		`{"environment":["staging"]}`:                                       false,
		`{"environment":[{"prefix":"prod"}]}`:                               true,
		`{"environment":[{"suffix":"ing"}]}`:                                false,
		`{"environment":[{"equals-ignore-case":"PRODUCTION"}]}`:             true,
		`{"environment":[{"anything-but":["staging"]}]}`:                    true,
		`{"environment":[{"anything-but":"production"}]}`:                   false,
		`{"environment":[{"anything-but":{"prefix":"prod"}}]}`:              false,
		`{"environment":[{"wildcard":"pro*ion"}]}`:                          true,
		`{"environment":[{"wildcard":"*a*b*"}]}`:                            false,
		`{"team":["web"]}`:                                                  false,
		`{"team":[{"exists":false}]}`:                                       true,
		`{"severity":[{"numeric":[">",1]}]}`:                                false,
		`{"$or":[{"severity":["warning"]},{"environment":["production"]}]}`: true,
		`{"$or":[{"severity":["warning"]},{"environment":["staging"]}]}`:    false,
		`{"environment":[{"operator-of-the-future":1}]}`:                    true,
	} {
		f, err := ParseFilter(policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Passes(trial); got != want {
			t.Errorf("%s lets a trial through: %v, want %v", policy, got, want)
		}
	}
	if _, err := ParseFilter("{"); err == nil {
		t.Error("half a policy is read")
	}
}

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
	all, missing, err := Subscriptions(t.Context(), api, "arn:topic")
	if err != nil || missing || len(all) != 150 {
		t.Fatalf("%d of 150 subscriptions, missing %v, %v", len(all), missing, err)
	}
	if !all[0].Pending || all[0].ARN != "" {
		t.Errorf("a subscription that nobody confirmed is %+v", all[0])
	}
	if all[1].Unread == "" {
		t.Error("a filter that could not be read is taken for none")
	}
	last := all[149]
	if last.Pending || last.Filter.Passes(map[string]string{"severity": "warning"}) || !last.Filter.Passes(map[string]string{"severity": "critical"}) {
		t.Errorf("the last page's subscription is %+v", last)
	}
	if _, missing, err := Subscriptions(t.Context(), api, "arn:other"); !missing || err != nil {
		t.Errorf("a topic that is not there: missing %v, %v", missing, err)
	}
	api.denied = true
	if _, missing, err := Subscriptions(t.Context(), api, "arn:topic"); missing || err == nil {
		t.Errorf("what may not be read: missing %v, %v", missing, err)
	}
}
