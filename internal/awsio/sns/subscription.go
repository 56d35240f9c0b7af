package sns

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/awsio/trouble"
)

// Subscription is who gets a topic's messages.
type Subscription struct {
	ARN      string // empty until it is confirmed
	Protocol string // email, sms, https, …
	Endpoint string
	Filter   Filter
	// OnBody: the filter looks into the message's body, and not at its attributes.
	OnBody bool
	// Pending: nobody has confirmed it yet, so nothing is delivered.
	Pending bool
	// Unread says why its filter is not known; empty where it is.
	Unread string
}

// subscriptionAPI is what is asked of SNS.
type subscriptionAPI interface {
	ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
	GetSubscriptionAttributes(context.Context, *sns.GetSubscriptionAttributesInput, ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error)
}

// The bounds of a topic: pages of a hundred, and subscriptions whose filters are read.
const (
	maxPages         = 20
	maxSubscriptions = 500
)

// Subscriptions lists a topic's subscriptions with their filters, in SNS's order. missing tells that the topic does not
// exist. Errors have a TroubleKind.
func Subscriptions(ctx context.Context, client subscriptionAPI, topicARN string) (all []Subscription, missing bool, err error) {
	var token *string
	for range maxPages {
		out, err := client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topicARN), NextToken: token})
		if trouble.Missing(err) {
			return nil, true, nil
		}
		if err != nil {
			return nil, false, &trouble.Error{Doing: fmt.Sprintf("listing the subscriptions of the topic %q", topicARN), Err: err}
		}
		for _, s := range out.Subscriptions {
			all = append(all, read(ctx, client, Subscription{
				ARN: aws.ToString(s.SubscriptionArn), Protocol: aws.ToString(s.Protocol), Endpoint: aws.ToString(s.Endpoint),
			}))
		}
		if aws.ToString(out.NextToken) == "" || len(all) >= maxSubscriptions {
			break
		}
		token = out.NextToken
	}
	// One that was unsubscribed stays listed for a while, as Deleted.
	return slices.DeleteFunc(all, func(s Subscription) bool { return s.ARN == "Deleted" }), false, nil
}

// read adds a subscription's filter. In place of the ARN SNS gives a word until the subscription is confirmed.
func read(ctx context.Context, client subscriptionAPI, s Subscription) Subscription {
	if !strings.HasPrefix(s.ARN, "arn:") {
		if s.ARN != "Deleted" {
			s.ARN, s.Pending = "", true
		}
		return s
	}
	out, err := client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(s.ARN)})
	if err != nil {
		s.Unread = (&trouble.Error{Doing: "reading its attributes", Err: err}).Error()
		return s
	}
	s.Pending = out.Attributes["PendingConfirmation"] == "true"
	s.OnBody = out.Attributes["FilterPolicyScope"] == "MessageBody"
	if s.Filter, err = ParseFilter(out.Attributes["FilterPolicy"]); err != nil {
		s.Unread = err.Error()
	}
	return s
}
