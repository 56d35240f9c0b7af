package account

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Subscribe changes who gets a topic's messages.
func (w *world) Subscribe(topicARN string, to ...Subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.topics[topicARN].subscriptions = slices.Clone(to)
}

// DropTopic deletes a topic.
func (w *world) DropTopic(topicARN string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.topics, topicARN)
}

// subscriptionPage is how many subscriptions SNS lists at once.
const subscriptionPage = 100

// ListSubscriptionsByTopic lists who gets a topic's messages.
func (c *SNS) ListSubscriptionsByTopic(ctx context.Context, in *sns.ListSubscriptionsByTopicInput, _ ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "sns:ListSubscriptionsByTopic", in); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.topics[aws.ToString(in.TopicArn)]
	if t == nil {
		return nil, apiError(http.StatusNotFound, "NotFound", "Topic does not exist")
	}
	from, _ := strconv.Atoi(aws.ToString(in.NextToken)) // no token: from the start
	to := min(from+subscriptionPage, len(t.subscriptions))
	out := &sns.ListSubscriptionsByTopicOutput{}
	for i, s := range t.subscriptions[from:to] {
		arn := fmt.Sprintf("%s:%d", aws.ToString(in.TopicArn), from+i)
		if s.Pending {
			arn = "PendingConfirmation"
		}
		out.Subscriptions = append(out.Subscriptions, types.Subscription{
			SubscriptionArn: aws.String(arn), TopicArn: in.TopicArn, Protocol: aws.String(s.Protocol), Endpoint: aws.String(s.Endpoint),
		})
	}
	if to < len(t.subscriptions) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return out, nil
}

// GetSubscriptionAttributes gives a subscription's filter policy.
func (c *SNS) GetSubscriptionAttributes(ctx context.Context, in *sns.GetSubscriptionAttributesInput, _ ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "sns:GetSubscriptionAttributes", in); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	arn := aws.ToString(in.SubscriptionArn)
	at := strings.LastIndex(arn, ":")
	i, err := strconv.Atoi(arn[at+1:])
	t := w.topics[arn[:max(at, 0)]]
	if t == nil || err != nil || i >= len(t.subscriptions) {
		return nil, apiError(http.StatusNotFound, "NotFound", "Subscription does not exist")
	}
	out := &sns.GetSubscriptionAttributesOutput{Attributes: map[string]string{"PendingConfirmation": "false"}}
	if filter := t.subscriptions[i].Filter; filter != nil {
		policy, err := json.Marshal(filter)
		if err != nil {
			return nil, err
		}
		out.Attributes["FilterPolicy"], out.Attributes["FilterPolicyScope"] = string(policy), "MessageAttributes"
	}
	return out, nil
}
