package sns

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// subscriptionAPI is the part of SNS used here.
type subscriptionAPI interface {
	ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
	GetSubscriptionAttributes(context.Context, *sns.GetSubscriptionAttributesInput, ...func(*sns.Options)) (*sns.GetSubscriptionAttributesOutput, error)
}

// The bounds of a topic: pages of a hundred, and subscriptions whose filters are read, so many at a time.
const (
	maxPages         = 20
	maxSubscriptions = 500
	readers          = 4
)

// read reads who is subscribed to a topic, with their filter policies, in SNS's order. What could not be read is a
// ObserveError, one for each call that was denied.
func read(ctx context.Context, client subscriptionAPI, topicARN string) (observation.Topic, []observation.ObserveError) {
	r := reading{client: client, topic: observation.Topic{ARN: topicARN}}
	if !r.list(ctx) {
		return r.topic, r.observeErrors
	}
	r.topic.Read = true
	var group sync.WaitGroup
	slots := make(chan struct{}, readers)
	failures := make([]error, len(r.topic.Subscriptions))
	for i := range r.topic.Subscriptions {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			failures[i] = r.attributes(ctx, &r.topic.Subscriptions[i])
		})
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			r.note(err, "sns:GetSubscriptionAttributes")
		}
	}
	return r.topic, r.observeErrors
}

// reading is one topic being read.
type reading struct {
	client        subscriptionAPI
	topic         observation.Topic
	observeErrors []observation.ObserveError
}

// list lists the subscriptions; false where there is no such topic, or SNS did not respond.
func (r *reading) list(ctx context.Context) bool {
	var token *string
	for page := 1; ; page++ {
		out, err := r.client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(r.topic.ARN), NextToken: token})
		if awserr.Missing(err) {
			r.topic.Missing = true
			return false
		}
		if err != nil {
			r.note(err, "sns:ListSubscriptionsByTopic")
			return false
		}
		for _, s := range out.Subscriptions {
			r.topic.Subscriptions = append(r.topic.Subscriptions, subscription(aws.ToString(s.SubscriptionArn), aws.ToString(s.Protocol), aws.ToString(s.Endpoint)))
		}
		if token = out.NextToken; aws.ToString(token) == "" {
			return true
		}
		if page == maxPages || len(r.topic.Subscriptions) >= maxSubscriptions {
			r.topic.Partial = true
			return true
		}
	}
}

// subscription makes one of what a list says. In place of the ARN, SNS has a word until the subscription is confirmed,
// and after it was ended.
func subscription(arn, protocol, endpoint string) observation.Subscription {
	s := observation.Subscription{Protocol: protocol, Endpoint: shown(endpoint)}
	switch {
	case strings.HasPrefix(arn, "arn:"):
		s.ARN = arn
	case arn == "Deleted":
		s.Deleted = true
	default:
		s.Pending = true
	}
	return s
}

// shown leaves out the parts of a URL that may be secret.
func shown(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host + "/…"
	}
	return endpoint
}

// attributes adds a subscription's filter policy. An attribute that SNS or an emulator omits counts as unset.
func (r *reading) attributes(ctx context.Context, s *observation.Subscription) error {
	if s.ARN == "" {
		return nil
	}
	out, err := r.client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(s.ARN)})
	switch {
	case awserr.Missing(err):
		s.Deleted = true // between the list and now
	case err != nil:
		s.Unread = "its attributes could not be read: " + awserr.Text(err)
		return err
	default:
		s.Pending = out.Attributes["PendingConfirmation"] == "true"
		s.OnBody = out.Attributes["FilterPolicyScope"] == "MessageBody"
		s.FilterPolicy = out.Attributes["FilterPolicy"]
	}
	return nil
}

// note keeps one error for each call, however many subscriptions it concerns.
func (r *reading) note(err error, operation string) {
	t := awserr.Of(err, operation, "", "", finding.Clean(r.topic.ARN, finding.QuoteLimit))
	for _, known := range r.observeErrors {
		if known.Operation == t.Operation && known.Kind == t.Kind {
			return
		}
	}
	r.observeErrors = append(r.observeErrors, t)
}
